package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/art34/art34/pipeline/ledger"
	"github.com/art34/art34/pipeline/ledger/ledgertest"
	"github.com/art34/art34/pipeline/ledger/sqlite"
)

func engine() ledgertest.Engine {
	return ledgertest.Engine{
		Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "ledger.db") },
		Open: func(ctx context.Context, place string) (ledger.Ledger, error) {
			return sqlite.Open(ctx, sqlite.Config{Path: place})
		},
	}
}

func TestMain(m *testing.M) { os.Exit(ledgertest.Main(m, engine())) }

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, engine())
}
