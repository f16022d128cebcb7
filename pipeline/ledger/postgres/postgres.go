package postgres

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

var _ ledger.Ledger = (*Ledger)(nil)

// Config says where the ledger is.
type Config struct {
	// URL of the database, postgres://user@host:port/name; what pgx takes besides
	// (sslmode, sslrootcert, pool_max_conns, …) is taken. It is never printed.
	URL string
	// MustExist refuses to create a ledger: the error has the code
	// "ledger-missing".
	MustExist bool
	// Writers is how many transactions of concurrent Commit calls run at a time;
	// 0: 2.
	Writers int
	// Timeout bounds one statement and the wait for a connection; 0: 60 s. After it
	// the ledger counts as away.
	Timeout time.Duration
}

const (
	defaultWriters = 2
	defaultTimeout = 60 * time.Second
	// hotConns are connections, beside the writers', for what keeps the work going:
	// taking, loading, leases.
	hotConns = 3
	// deskConns is how many connections people, reports and imports share, unless
	// pool_max_conns says otherwise. Apart, so that no report starves a lease.
	deskConns = 6
	// minVersion is the oldest server that is tested.
	minVersion = 150000
)

// Ledger is the PostgreSQL engine. It is safe for concurrent use.
type Ledger struct {
	hot     *pgxpool.Pool
	desk    *pgxpool.Pool
	timeout time.Duration
	group   *group
	unsure  unsure
	closing sync.Once
	closed  atomic.Bool
}

// Open connects, checks the server, and brings the schema up to date. A database
// that was written by a newer version is ledger.ErrNewer, a server that cannot be
// reached pipeline.ErrAway. Nothing is touched then.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	if c.Writers <= 0 {
		c.Writers = defaultWriters
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	l := &Ledger{timeout: c.Timeout}
	var err error
	if l.hot, err = connect(ctx, c, hotConns+int32(c.Writers)); err != nil {
		return nil, err
	}
	if l.desk, err = connect(ctx, c, 0); err != nil {
		l.hot.Close()
		return nil, err
	}
	if err := l.prepare(ctx, c.MustExist); err != nil {
		l.hot.Close()
		l.desk.Close()
		return nil, err
	}
	l.group = newGroup(c.Writers, l.write)
	return l, nil
}

// connect makes a pool; conns 0 takes what the URL says, or deskConns.
func connect(ctx context.Context, c Config, conns int32) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		// The driver's text repeats the address.
		return nil, &pipeline.Error{
			Code: "ledger-address", Sentence: "the address of the ledger is not one that PostgreSQL understands",
			Hint: "write it like postgres://art34@db.example.com:5432/art34?sslmode=verify-full", Permanent: true, Exit: 2,
		}
	}
	switch explicit, err := pgx.ParseConfig(c.URL); {
	case conns > 0:
		pc.MaxConns = conns
	case err == nil && explicit.RuntimeParams["pool_max_conns"] == "":
		pc.MaxConns = deskConns
	}
	if conns > 0 {
		// What keeps the work going finds its rows by index, whatever the parameters.
		// The planner, whose statistics are from before the import, must not think of
		// anything else, and need not think again.
		pc.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
		pc.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	}
	// The server gives up first: then we know that nothing was written.
	ms := strconv.FormatInt(c.Timeout.Milliseconds()*9/10, 10)
	for k, v := range map[string]string{
		"application_name": "art34", "timezone": "UTC", "default_transaction_isolation": "read committed",
		"statement_timeout": ms, "lock_timeout": ms, "idle_in_transaction_session_timeout": ms,
		// Compiling costs more than the short statements here take.
		"jit": "off",
	} {
		pc.ConnConfig.RuntimeParams[k] = v
	}
	if pc.ConnConfig.ConnectTimeout == 0 || pc.ConnConfig.ConnectTimeout > c.Timeout {
		pc.ConnConfig.ConnectTimeout = min(c.Timeout, 10*time.Second)
	}
	pc.AfterConnect = durable
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, translate(ctx, err)
	}
	return pool, nil
}

// durable makes sure that a commit has reached the disk when it returns; a server
// that waits for its standbys too keeps doing so.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`)
	return err
}

// Close waits for the changes that are being written and closes all connections.
func (l *Ledger) Close() error {
	l.closing.Do(func() {
		l.group.close()
		l.closed.Store(true)
		l.hot.Close()
		l.desk.Close()
	})
	return nil
}

// Ping reports whether the server answers.
func (l *Ledger) Ping(ctx context.Context) error {
	return l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, "SELECT 1")
		return err
	})
}

// querier is what a pool, a connection and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// tries is how often a statement or transaction that met a deadlock is run.
const tries = 5

// on runs f, single statements that need no transaction around them, and
// translates its error.
func (l *Ledger) on(ctx context.Context, pool *pgxpool.Pool, f func(context.Context, querier) error) error {
	return l.again(ctx, func(ctx context.Context) error { return f(ctx, pool) })
}

// tx runs f in a transaction and translates its error.
func (l *Ledger) tx(ctx context.Context, pool *pgxpool.Pool, f func(context.Context, querier) error) error {
	return l.again(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return f(ctx, tx) })
	})
}

func (l *Ledger) again(ctx context.Context, f func(context.Context) error) error {
	var err error
	for range tries {
		if l.closed.Load() {
			return errClosed
		}
		if err = l.once(ctx, f); !errors.Is(err, errAgain) {
			break
		}
	}
	if errors.Is(err, pipeline.ErrAway) {
		for _, p := range []*pgxpool.Pool{l.hot, l.desk} {
			p.Reset() // the others are broken too; the next call starts afresh
		}
	}
	return err
}

func (l *Ledger) once(ctx context.Context, f func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return translate(ctx, f(bounded))
}

// Meta returns a fact of the installation, "" for one that is not there.
func (l *Ledger) Meta(ctx context.Context, key string) (value string, err error) {
	err = l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		err := q.QueryRow(ctx, "SELECT value FROM meta WHERE key = $1", key).Scan(&value)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}

// SwapMeta sets a fact that is still what it was.
func (l *Ledger) SwapMeta(ctx context.Context, key, was, value string) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if was == "" { // a fact that was never set is the empty one
			if _, err := q.Exec(ctx, "INSERT INTO meta (key, value) VALUES ($1, '') ON CONFLICT DO NOTHING", key); err != nil {
				return err
			}
		}
		tag, err := q.Exec(ctx, "UPDATE meta SET value = $3 WHERE key = $1 AND value = $2", key, was, value)
		if err == nil && tag.RowsAffected() == 0 {
			err = pipeline.ErrConflict
		}
		return err
	})
}

// SetMeta sets a fact, with ifEmpty only one that is not there, and returns the
// value in force.
func (l *Ledger) SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error) {
	// The no-op update makes RETURNING see the row of whoever came first.
	sql := "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value"
	if ifEmpty {
		sql = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = meta.value RETURNING value"
	}
	err := l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		return q.QueryRow(ctx, sql, key, value).Scan(&value)
	})
	return value, err
}
