package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/art34/art34/pipeline"
)

const (
	// pause is what the writer leaves between two commits: meanwhile more requests
	// gather for the next transaction. Other processes get their turn (see turn); one
	// that knows none, such as a database browser, needs the pause.
	pause = time.Millisecond
	// longPause is what it leaves as long as less than fewRows have gathered. Couriers
	// ask for a few rows each: in fewer and larger transactions the pages that they
	// share are written less often; much longer, and eight couriers wait for it.
	longPause = 2 * time.Millisecond
	fewRows   = 128
	// poll is how often the writer looks whether another process is done.
	poll = 300 * time.Microsecond
	// groupRows ends the gathering of requests for one transaction, so that none
	// lasts much longer than 25 ms.
	groupRows = 1000
)

var (
	errClosed = errors.New("the ledger is closed")
	errNotYet = errors.New("another process writes to the ledger")
)

// writer owns the only connection of this process that writes.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	queue   chan *request
	wait    time.Duration
	closing chan struct{}
	closed  chan struct{}
	gap     *time.Timer // runs since the last commit
	longGap *time.Timer // too
	turn    *turn

	oneToken, manyTokens string // statements
}

// request is one call that writes. run may be called again after a rollback, so
// it sets its results from scratch.
type request struct {
	ctx   context.Context
	doing string
	rows  int
	run   func(*tx) error
	done  chan error
	taken atomic.Bool // by the writer, or by a caller who gave up
	begun bool        // by the writer
}

// take reports whether the writer may run the request: its caller has not given up.
func (r *request) take() bool {
	r.begun = r.begun || r.taken.CompareAndSwap(false, true)
	return r.begun
}

func newWriter(ctx context.Context, cfg Config) (*writer, error) {
	db, err := connect(cfg, 1, writerCache)
	if err != nil {
		return nil, err
	}
	w := &writer{
		db: db, stmts: map[string]*sql.Stmt{}, queue: make(chan *request, 256), wait: cfg.Wait,
		closing: make(chan struct{}), closed: make(chan struct{}), gap: time.NewTimer(0), longGap: time.NewTimer(0),
		turn: newTurn(cfg.Path), oneToken: tokenText(1), manyTokens: tokenText(tokensAtOnce),
	}
	if w.conn, err = db.Conn(ctx); err == nil {
		err = w.prepare(ctx)
	}
	if err != nil {
		if w.conn != nil {
			_ = w.conn.Close()
		}
		w.turn.close()
		return nil, errors.Join(translate("open", err), db.Close())
	}
	go w.loop()
	return w, nil
}

// prepare checks what the file is, and migrates it. Several processes may do so
// at once: each looks again inside the transaction.
func (w *writer) prepare(ctx context.Context) error {
	list, err := scripts()
	if err != nil {
		return err
	}
	var have int
	err = w.patiently(ctx, func() (err error) { have, err = schemaOf(ctx, w.conn); return err })
	switch {
	case err != nil:
		return err
	case have > len(list):
		return errNewer(have, len(list))
	}
	var mode string
	err = w.patiently(ctx, func() error { return w.conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode) })
	if err == nil && mode != "wal" {
		err = &pipeline.Error{Code: "ledger-cannot-open", Sentence: "the file system of the ledger does not allow a write-ahead log (mode " + mode + ")", Hint: "keep DIR on a local disk", Permanent: true, Exit: 3}
	}
	if err != nil {
		return err
	}
	// Taking the write lock also proves that the file can be written.
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := w.migrate(ctx, list); err != nil {
		_, _ = w.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	// From here on the writer waits in its own way, see patiently.
	_, err = w.conn.ExecContext(ctx, "COMMIT; PRAGMA busy_timeout = 0")
	return err
}

func (w *writer) migrate(ctx context.Context, list []string) error {
	have, err := schemaOf(ctx, w.conn)
	if err != nil {
		return err
	}
	if have > len(list) {
		return errNewer(have, len(list))
	}
	for n := have + 1; n <= len(list); n++ {
		if _, err := w.conn.ExecContext(ctx, list[n-1]); err != nil {
			return fmt.Errorf("migration %d: %w", n, err)
		}
		_, err := w.conn.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID)+"; PRAGMA user_version = "+strconv.Itoa(n))
		if err != nil {
			return err
		}
	}
	return nil
}

// begin takes the write lock, in turn with other processes.
func (w *writer) begin(ctx context.Context) error {
	defer w.turn.pass()
	return w.patiently(ctx, func() error {
		if !w.turn.take() {
			return errNotYet
		}
		_, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
}

// patiently does f again while another process has the lock. SQLite's own waiting
// doubles its naps, and would miss the gaps that a busy service leaves.
func (w *writer) patiently(ctx context.Context, f func() error) error {
	var patience <-chan time.Time
	for {
		err := f()
		if err != errNotYet && result(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		if patience == nil {
			t := time.NewTimer(w.wait)
			defer t.Stop()
			patience = t.C
		}
		select {
		case <-patience:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
}

// write has the writer run a request and returns when it is durable, or failed.
// rows is about how many rows it touches. A caller may give up only before the
// request is taken up: afterwards the outcome is worth waiting for.
func (l *Ledger) write(ctx context.Context, doing string, rows int, run func(*tx) error) error {
	if l.writer == nil {
		return &pipeline.Error{Code: "ledger-read-only", Sentence: "the ledger was opened for reading only", Permanent: true, Exit: 3}
	}
	w, r := l.writer, &request{ctx: ctx, doing: doing, rows: rows, run: run, done: make(chan error, 1)}
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return errClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	case <-w.closed:
		if r.taken.CompareAndSwap(false, true) {
			return errClosed
		}
	}
	return <-r.done
}

// loop is the writer.
func (w *writer) loop() {
	defer close(w.closed)
	for {
		var group []*request
		select {
		case r := <-w.queue:
			group = append(group, r)
		case <-w.closing:
			select {
			case r := <-w.queue: // asked for before the end
				group = append(group, r)
			default:
				return
			}
		}
		<-w.gap.C
		group, rows := w.gather(group)
		if rows < fewRows {
			<-w.longGap.C
			group, _ = w.gather(group)
		}
		w.transact(group)
		w.gap.Reset(pause)
		w.longGap.Reset(longPause)
	}
}

// gather adds the requests that wait, up to groupRows, and counts the rows.
func (w *writer) gather(group []*request) (more []*request, rows int) {
	for _, r := range group {
		rows += r.rows
	}
	for rows < groupRows {
		select {
		case r := <-w.queue:
			group = append(group, r)
			rows += r.rows
			continue
		default:
		}
		break
	}
	return group, rows
}

// transact runs a group in one transaction and tells each its outcome. A request
// that fails after it has written something is rolled back with all the others,
// which then run again without it; failing is rare.
func (w *writer) transact(group []*request) {
	for len(group) > 0 {
		ctx := context.Background()
		errs := make([]error, len(group))
		culprit, err := w.try(ctx, group, errs)
		if err == nil {
			for i, r := range group {
				r.done <- translate(r.doing, errs[i])
			}
			return
		}
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK") // SQLite may have done so already
		if culprit < 0 {
			for _, r := range group {
				r.done <- translate(r.doing, err)
			}
			return
		}
		group[culprit].done <- translate(group[culprit].doing, err)
		group = slices.Delete(group, culprit, culprit+1)
	}
}

// try runs the group once. On success errs holds the outcome of each request; an
// error means that nothing may be committed, because of the culprit or, if that
// is below 0, because of SQLite.
func (w *writer) try(ctx context.Context, group []*request, errs []error) (culprit int, err error) {
	if err := w.begin(ctx); err != nil {
		return -1, err
	}
	t := &tx{ctx: ctx, w: w}
	for i, r := range group {
		if !r.take() {
			continue
		}
		t.wrote = false
		switch err := r.run(t); {
		case err == nil:
		case poisoned(err):
			return -1, err
		case t.wrote:
			return i, err
		default:
			errs[i] = err
		}
	}
	if err := t.settle(); err != nil {
		return -1, err
	}
	_, err = t.exec("COMMIT")
	return -1, err
}

// close lets the writer finish what was asked for.
func (w *writer) close() error {
	close(w.closing)
	<-w.closed
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	clear(w.stmts)
	w.turn.close()
	return errors.Join(append(errs, w.conn.Close(), w.db.Close())...)
}
