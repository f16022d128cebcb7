package testenv_test

import (
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestPostgresSchemasAreApart(t *testing.T) {
	t.Parallel()
	a, b := testenv.Postgres(t), testenv.Postgres(t)
	if a == b {
		t.Fatalf("the same database twice: %s", a)
	}
}

func TestPostgresSurvivesAKill(t *testing.T) {
	t.Parallel()
	s := testenv.NewPostgres(t, testenv.PostgresConfig{Durable: true})
	db := s.Database(t)
	s.Exec(t, db, "CREATE TABLE x (v int); INSERT INTO x VALUES (1)")
	s.Kill(t)
	s.Start(t)
	s.Exec(t, db, "SELECT 1/count(*) FROM x") // fails on an empty table
	s.Stop(t)
	s.Start(t)
	s.Exec(t, db, "SELECT 1/count(*) FROM x")
	s.Pause(t)
	s.Resume(t)
	s.Exec(t, db, "SELECT 1/count(*) FROM x")
}
