package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// migrations are numbered from 1: 0001_name.sql. A file that was released is never
// changed, and has no gap before it.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the key of the advisory lock under which one process at a time
// looks at the schema and changes it.
const migrationLock = 0x61727433340001

// prepare checks server and database and brings the schema up to date.
func (l *Ledger) prepare(ctx context.Context, mustExist bool) error {
	if err := l.on(ctx, l.desk, checkServer); err != nil {
		return err
	}
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		return migrate(ctx, q, mustExist)
	})
}

func checkServer(ctx context.Context, q querier) error {
	var version int
	var encoding string
	err := q.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')").Scan(&version, &encoding)
	switch {
	case err != nil:
		return err
	case version < minVersion:
		return &pipeline.Error{
			Code: "ledger-server-old", Sentence: fmt.Sprintf("the ledger's PostgreSQL is version %d, older than 15", version/10000),
			Hint: "use PostgreSQL 15 or newer", Permanent: true, Exit: 2,
		}
	case encoding != "UTF8":
		return &pipeline.Error{
			Code: "ledger-encoding", Sentence: "the ledger's database has the encoding " + encoding + ", which cannot keep every name of a mailbox or reply of a relay",
			Hint: "create it with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", Permanent: true, Exit: 2,
		}
	}
	return nil
}

// migrate runs in one transaction: another process sees the old schema or the new
// one.
func migrate(ctx context.Context, q querier, mustExist bool) error {
	scripts, err := scripts()
	if err != nil {
		return err
	}
	// Looking first spares a role that may not create tables the attempt.
	at, err := schemaVersion(ctx, q)
	if err != nil {
		return err
	}
	switch {
	case at > len(scripts):
		return newer(at, len(scripts))
	case at == len(scripts):
		return nil
	case at == 0 && mustExist:
		return &pipeline.Error{
			Code: "ledger-missing", Sentence: "the database holds no ledger", Hint: "check ART34_LEDGER", Permanent: true, Exit: 2,
		}
	}
	if _, err := q.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	if at, err = schemaVersion(ctx, q); err != nil { // somebody else may have been faster
		return err
	}
	if at > len(scripts) {
		return newer(at, len(scripts))
	}
	for i := at; i < len(scripts); i++ {
		if _, err := q.Exec(ctx, scripts[i], pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, "INSERT INTO meta (key, value) VALUES ('schema', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value", strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	return nil
}

func newer(at, known int) error {
	return &pipeline.Error{
		Code: "ledger-newer", Sentence: fmt.Sprintf("the ledger has schema %d, this program knows %d", at, known),
		Hint: "use the program that wrote it, or a newer one; nothing was touched", Permanent: true, Exit: 2, Cause: ledger.ErrNewer,
	}
}

// schemaVersion is the number of the last migration; 0: an empty database. It
// asks the catalogue itself: to_regclass answers from a cache that does not notice
// what another process has created while we waited for the lock.
func schemaVersion(ctx context.Context, q querier) (int, error) {
	var there bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
		WHERE c.relname = 'meta' AND s.nspname = current_schema())`).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	var value string
	err = q.QueryRow(ctx, "SELECT value FROM meta WHERE key = 'schema'").Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, &pipeline.Error{
			Code: "ledger-foreign", Sentence: "the database has a table meta that is not the ledger's",
			Hint: "give the ledger a database of its own", Permanent: true, Exit: 2,
		}
	}
	return n, nil
}

func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(path.Base(name), "%04d_", &n); err != nil || n <= len(out) {
			return nil, fmt.Errorf("migration %s is out of order", name)
		}
		b, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, make([]string, n-1-len(out))...) // numbers that are not there yet
		out = append(out, string(b))
	}
	return out, nil
}
