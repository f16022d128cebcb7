package postgres_test

import (
	"context"
	"os"
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/ledger"
	"github.com/art34/art34/pipeline/ledger/ledgertest"
	"github.com/art34/art34/pipeline/ledger/postgres"
)

var engine = ledgertest.Engine{
	Place: func(t testing.TB) string { return testenv.Postgres(t) },
	Open: func(ctx context.Context, place string) (ledger.Ledger, error) {
		return postgres.Open(ctx, postgres.Config{URL: place, Timeout: patience})
	},
}

func TestMain(m *testing.M) { os.Exit(ledgertest.Main(m, engine)) }

func TestContract(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, engine)
}
