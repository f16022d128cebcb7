package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite"

	"github.com/art34/art34/pipeline"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// applicationID marks the file as ours, for file(1) too: "ArtL".
	applicationID = 0x4172744c
	// defaultWait is how long a write waits for another process.
	defaultWait = 10 * time.Second
	// readers is the number of connections that read.
	readers = 6
	// Page caches in KiB. They are small on purpose: when another process commits,
	// SQLite throws the whole cache away, page by page, and all others wait for it
	// (measured on a busy machine: 32 MiB took over a second). What is read again
	// comes from the system's cache; a larger one gained nothing.
	writerCache, readerCache = 4 << 10, 2 << 10
	// checkpointPages is when the writer copies the log back into the file: often
	// enough to keep both small, seldom enough that pages which many commits touch
	// are copied once.
	checkpointPages = 2000
)

// Ledger is one SQLite file. It implements ledger.Ledger.
type Ledger struct {
	cfg    Config
	reads  *sql.DB
	stmts  sync.Map // SQL text → *sql.Stmt on reads
	writer *writer  // nil if read-only
	end    sync.Once
	ended  error
}

// Open opens the ledger and brings its schema up to date. An empty or missing
// file becomes a new ledger, unless Config says otherwise. Every fault is found
// before anything is touched, and is a *pipeline.Error with one of the codes
// ledger-missing, -foreign, -newer, -older (read-only, and the schema would have
// to be brought up to date), -locked, -read-only, -cannot-open, -damaged,
// -disk-full, -io.
func Open(ctx context.Context, cfg Config) (*Ledger, error) {
	if cfg.Wait <= 0 {
		cfg.Wait = defaultWait
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, err
	}
	cfg.Path = path
	if err := inspect(cfg); err != nil {
		return nil, err
	}
	if !cfg.ReadOnly {
		forOwner(cfg.Path)
	}
	l := &Ledger{cfg: cfg}
	if !cfg.ReadOnly {
		if l.writer, err = newWriter(ctx, cfg); err != nil {
			return nil, err
		}
	}
	if l.reads, err = connect(cfg, readers, readerCache, "query_only(1)"); err == nil {
		err = l.verify(ctx)
	}
	if err != nil {
		return nil, errors.Join(translate("open", err), l.Close())
	}
	return l, nil
}

// connect returns a pool of up to n connections. The pragmas run on each.
func connect(cfg Config, n, cacheKiB int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(" + strconv.FormatInt(cfg.Wait.Milliseconds(), 10) + ")",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"trusted_schema(0)",
		"wal_autocheckpoint(" + strconv.Itoa(checkpointPages) + ")",
		"journal_size_limit(" + strconv.Itoa(64<<20) + ")",
		"cache_size(-" + strconv.Itoa(cacheKiB) + ")",
		"mmap_size(0)", // mapped pages would count as resident memory
	}, pragmas...)}
	if cfg.ReadOnly {
		q.Set("mode", "ro")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(cfg.Path), RawQuery: q.Encode()}
	c, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// inspect looks at the file from outside, before SQLite leaves traces beside it. It
// does not open it: closing a descriptor drops the locks that this process has on
// the file (POSIX), also those of a ledger that is open.
func inspect(cfg Config) error {
	missing := &pipeline.Error{Code: "ledger-missing", Sentence: "there is no ledger at " + cfg.Path, Hint: "check --dir", Permanent: true, Exit: 2, Cause: fs.ErrNotExist}
	info, err := os.Stat(cfg.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0:
		if cfg.MustExist || cfg.ReadOnly {
			return missing
		}
		if s, err := os.Stat(filepath.Dir(cfg.Path)); err != nil || !s.IsDir() {
			return &pipeline.Error{Code: "ledger-cannot-open", Sentence: "the directory of the ledger does not exist", Hint: "check --dir", Exit: 3, Cause: err}
		}
		return nil
	case err == nil && (!info.Mode().IsRegular() || info.Size() < smallest):
		return errForeign() // SQLite would take a short text for an empty file, and write over it
	}
	need := uint32(readable | writable)
	if cfg.ReadOnly {
		need = readable
	}
	if err == nil {
		err = syscall.Access(cfg.Path, need)
	}
	if err != nil {
		return &pipeline.Error{Code: "ledger-read-only", Sentence: "the ledger cannot be read and written", Hint: "the file and its directory must be writable for the user that runs art34", Exit: 3, Cause: err}
	}
	return nil
}

// forOwner makes an empty file that nobody but its owner reads, where there is none:
// SQLite would make it as the umask says, most often for everybody, and its log with
// the same mode. What can't be done is for SQLite to say. The file gets its name only
// when it is closed, for the reason that [inspect] gives.
func forOwner(path string) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return // as its owner has it
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-new-*") // 0600
	if err != nil {
		return
	}
	_ = f.Close()
	_ = os.Link(f.Name(), path) // not over one that somebody else has just made
	_ = os.Remove(f.Name())
}

const (
	// What access(2) is asked.
	readable, writable = 4, 2
	// smallest is the size of the smallest SQLite file in bytes.
	smallest = 512
)

// verify checks, for a ledger that nobody may write, that it is one.
func (l *Ledger) verify(ctx context.Context) error {
	c, err := l.reads.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	have, err := schemaOf(ctx, c)
	if err != nil {
		return err
	}
	list, err := scripts()
	if err != nil {
		return err
	}
	switch {
	case have > len(list):
		return errNewer(have, len(list))
	case have < len(list):
		return &pipeline.Error{Code: "ledger-older", Sentence: "the ledger was written by an older version of art34", Hint: "open it once for writing, with any other command", Permanent: true, Exit: 3}
	}
	return nil
}

// schemaOf returns the number of the last migration, 0 of an empty file.
func schemaOf(ctx context.Context, c *sql.Conn) (int, error) {
	var app, version, tables int
	err := c.QueryRowContext(ctx, "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id AS a, pragma_user_version AS v").Scan(&app, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case app == applicationID:
		return version, nil
	case app == 0 && version == 0 && tables == 0:
		return 0, nil
	}
	return 0, errForeign()
}

// scripts returns the migrations, the one with number n at n-1. A number that is
// not there yet is an empty script.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(name), "%04d_", &n); err != nil || n <= len(list) {
			return nil, fmt.Errorf("migration %s is out of order", name)
		}
		list = append(list, make([]string, n-1-len(list))...)
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list = append(list, string(text))
	}
	return list, nil
}

// Close waits for the writes that were asked for, and closes the file. Closing
// again is no error.
func (l *Ledger) Close() error {
	l.end.Do(func() {
		var errs []error
		if l.writer != nil {
			errs = append(errs, l.writer.close())
		}
		if l.reads != nil {
			errs = append(errs, l.reads.Close())
		}
		l.ended = errors.Join(errs...)
	})
	return l.ended
}
