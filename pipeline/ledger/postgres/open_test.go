package postgres_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/ledger"
	"github.com/art34/art34/pipeline/ledger/postgres"
)

// TestOpenTogether starts several processes on an empty database at once.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	db := testenv.Postgres(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			l, err := postgres.Open(t.Context(), postgres.Config{URL: db, Timeout: patience})
			if err != nil {
				t.Error(err)
				return
			}
			_ = l.Close()
		})
	}
	wg.Wait()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	number, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
	want := strings.TrimLeft(number, "0")
	if v, err := openAt(t, db).Meta(t.Context(), "schema"); err != nil || v != want {
		t.Errorf("schema %q %v, want %q", v, err, want)
	}
}

// TestOpenRefuses lists the databases that are not to be touched.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	server := testenv.NewPostgres(t, testenv.PostgresConfig{})
	plain := server.Database(t)
	newer := server.Database(t)
	if err := openAt(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, newer, "UPDATE meta SET value = '999' WHERE key = 'schema'; CREATE TABLE later (x int)")
	foreign := server.Database(t)
	server.Exec(t, foreign, "CREATE TABLE meta (key text, value text); INSERT INTO meta VALUES ('schema', 'theirs')")
	server.Exec(t, plain, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
	server.Exec(t, plain, "CREATE ROLE guest LOGIN")
	guest := strings.Replace(plain, "art34:", "guest:", 1)
	readOnly := plain + "&default_transaction_read_only=on"
	for _, c := range []struct {
		name, url, code string
		mustExist       bool
		is              error
	}{
		{name: "no such database", url: server.URL("nowhere"), code: "ledger-missing"},
		{name: "empty", url: plain, mustExist: true, code: "ledger-missing"},
		{name: "newer", url: newer, code: "ledger-newer", is: ledger.ErrNewer},
		{name: "not ours", url: foreign, code: "ledger-foreign"},
		{name: "not UTF-8", url: server.URL("latin"), code: "ledger-encoding"},
		{name: "may not create", url: guest, code: "ledger-forbidden"},
		{name: "standby", url: readOnly, code: "ledger-away", is: pipeline.ErrAway},
		{name: "no address", url: "postgres://%zz", code: "ledger-address"},
	} {
		l, err := postgres.Open(t.Context(), postgres.Config{URL: c.url, MustExist: c.mustExist})
		if err == nil {
			_ = l.Close()
			t.Errorf("%s: no error", c.name)
			continue
		}
		if got := pipeline.ErrorCode(err); got != c.code {
			t.Errorf("%s: code %q, want %q: %v", c.name, got, c.code, err)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.name, err)
		}
		if e, ok := errors.AsType[*pipeline.Error](err); ok && e.Hint == "" {
			t.Errorf("%s: no hint: %v", c.name, err)
		}
	}
	server.Exec(t, newer, "SELECT 1/(count(*)-1) FROM later WHERE x = 1") // still there, untouched
	server.Exec(t, plain, "SELECT 1/(to_regclass('notices') IS NULL)::int")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	p := populate(t, openAt(t, testenv.Postgres(t)), "closed", 1)
	n := p.take(t, 1)[0].Notice
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := p.Ping(t.Context()); err == nil || errors.Is(err, pipeline.ErrAway) {
		t.Errorf("ping after close: %v", err)
	}
	if _, err := p.Commit(t.Context(), []pipeline.Change{mark(n, "x", start)}); err == nil || errors.Is(err, pipeline.ErrAway) {
		t.Errorf("commit after close: %v", err)
	}
}
