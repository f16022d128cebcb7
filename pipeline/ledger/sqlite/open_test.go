package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// raw opens a file with the driver alone, as a database browser would.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := connect(Config{Path: path}, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, db interface{ Close() error }) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRefusals opens what is no ledger, or cannot be one now: the error says what
// to do, and the directory is afterwards as it was.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		make func(t *testing.T, path string)
		cfg  Config
		code string
		is   error
	}{
		"text":                {make: func(t *testing.T, path string) { put(t, path, "customer_id;name\n1;x\n") }, code: "ledger-foreign"},
		"short text":          {make: func(t *testing.T, path string) { put(t, path, "x") }, code: "ledger-foreign"},
		"another program's":   {make: func(t *testing.T, path string) { other(t, path, "CREATE TABLE t (x)") }, code: "ledger-foreign"},
		"another's, numbered": {make: func(t *testing.T, path string) { other(t, path, "PRAGMA user_version = 1") }, code: "ledger-foreign"},
		"newer": {make: func(t *testing.T, path string) {
			closed(t, openAt(t, path))
			other(t, path, "PRAGMA user_version = 99")
		}, code: "ledger-newer", is: ledger.ErrNewer},
		"newer, for reading": {make: func(t *testing.T, path string) {
			closed(t, openAt(t, path))
			other(t, path, "PRAGMA user_version = 99")
		}, cfg: Config{ReadOnly: true}, code: "ledger-newer", is: ledger.ErrNewer},
		"older, for reading": {make: func(t *testing.T, path string) {
			closed(t, openAt(t, path))
			other(t, path, "PRAGMA user_version = 0")
		}, cfg: Config{ReadOnly: true}, code: "ledger-older"},
		"missing":              {cfg: Config{MustExist: true}, code: "ledger-missing", is: os.ErrNotExist},
		"missing, for reading": {cfg: Config{ReadOnly: true}, code: "ledger-missing"},
		"empty, but must be":   {make: func(t *testing.T, path string) { put(t, path, "") }, cfg: Config{MustExist: true}, code: "ledger-missing"},
		"a directory":          {make: func(t *testing.T, path string) { mkdir(t, path) }, code: "ledger-foreign"},
		"locked": {make: func(t *testing.T, path string) {
			closed(t, openAt(t, path))
			run(t, raw(t, path), "BEGIN IMMEDIATE")
		}, cfg: Config{Wait: time.Millisecond}, code: "ledger-locked", is: pipeline.ErrAway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.db")
			if x.make != nil {
				x.make(t, path)
			}
			before := content(t, path)
			cfg := x.cfg
			cfg.Path = path
			l, err := Open(t.Context(), cfg)
			if err == nil {
				closed(t, l)
				t.Fatal("it was opened")
			}
			e, ok := errors.AsType[*pipeline.Error](err)
			if !ok || e.Code != x.code || e.Sentence == "" || x.is != nil && !errors.Is(err, x.is) {
				t.Errorf("%v (code %q), want %s", err, pipeline.ErrorCode(err), x.code)
			}
			if after := content(t, path); !bytes.Equal(after, before) {
				t.Errorf("the file was touched: %d bytes, were %d", len(after), len(before))
			}
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// other does something to the file as another program.
func other(t *testing.T, path, query string) {
	t.Helper()
	db := raw(t, path)
	run(t, db, query)
	closed(t, db)
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.EISDIR) {
		t.Fatal(err)
	}
	return b
}

func TestMissingDirectory(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "nowhere", "ledger.db")})
	if pipeline.ErrorCode(err) != "ledger-cannot-open" {
		t.Error(err)
	}
}

// TestDamaged finds a page in the middle overwritten: the call that meets it
// fails, and says so.
func TestDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openAt(t, path)
	c := populate(t, l, "muguet", 300)
	closed(t, l)
	b := content(t, path)
	for i := 4096; i < len(b); i++ {
		b[i] = 0x5a
	}
	put(t, path, string(b))
	l, err := Open(t.Context(), Config{Path: path})
	if err == nil {
		_, err = l.Notice(t.Context(), c.first)
		closed(t, l)
	}
	if pipeline.ErrorCode(err) != "ledger-damaged" {
		t.Error(err)
	}
}

// TestNotOurs tries as somebody who may read the file, but not write it or its
// directory.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	closed(t, openAt(t, path))
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // nobody has to get there
		t.Fatal(err)
	}
	for _, x := range []struct {
		name      string
		file, dir os.FileMode
		codes     []string
	}{
		{"file", 0o444, 0o777, []string{"ledger-read-only"}},
		{"directory", 0o666, 0o555, []string{"ledger-cannot-open", "ledger-read-only"}},
		{"neither to be read", 0o000, 0o555, []string{"ledger-read-only"}},
	} {
		if err := errors.Join(os.Chmod(path, x.file), os.Chmod(dir, x.dir)); err != nil {
			t.Fatal(err)
		}
		before := content(t, path)
		err := asNobody(func() error {
			l, err := Open(context.Background(), Config{Path: path})
			if err == nil {
				_ = l.Close()
			}
			return err
		})
		if !slices.Contains(x.codes, pipeline.ErrorCode(err)) {
			t.Errorf("%s: %v", x.name, err)
		}
		if after := content(t, path); !bytes.Equal(after, before) {
			t.Errorf("%s: the file was touched", x.name)
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// asNobody runs f with the rights of nobody if this is root, which may do
// anything. The thread is thrown away afterwards.
func asNobody(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if os.Geteuid() == 0 {
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETRESUID, 65534, 65534, 65534)
		}
		result <- f()
	}()
	return <-result
}

func TestOddPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b%20?c#d&mode=ro;é")
	mkdir(t, dir)
	path := filepath.Join(dir, "ledger 1.db")
	c := populate(t, openAt(t, path), "muguet", 3)
	if s := c.states(t); s[pipeline.Due] != 3 {
		t.Errorf("%v", s)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	c := populate(t, openAt(t, path), "muguet", 3)
	l, err := Open(t.Context(), Config{Path: path, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, l)
	if tally, err := l.Tally(t.Context(), c.campaign.ID); err != nil || len(tally) != 1 {
		t.Errorf("%v %v", tally, err)
	}
	if _, err := l.ReserveIDs(t.Context(), 1); pipeline.ErrorCode(err) != "ledger-read-only" {
		t.Error(err)
	}
}

// TestOpenedByManyAtOnce creates one ledger from many sides.
func TestOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	errs := make(chan error)
	for range 6 {
		go func() {
			l, err := Open(context.Background(), Config{Path: path})
			if err == nil {
				_, err = l.SetMeta(context.Background(), "k", "v", true)
				err = errors.Join(err, l.Close())
			}
			errs <- err
		}()
	}
	for range 6 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestChecksRepeatTheVocabulary compares the lists in the schema with those of
// package pipeline.
func TestChecksRepeatTheVocabulary(t *testing.T) {
	t.Parallel()
	list, err := scripts()
	if err != nil {
		t.Fatal(err)
	}
	schema := strings.Join(list, "\n")
	for _, x := range []struct {
		column string
		values []string
	}{
		{"notices.state", texts(pipeline.States())},
		{"notices.born", texts(pipeline.States())},
		{"notices.channel", texts(pipeline.Channels())},
		{"notices.role", texts([]pipeline.Role{pipeline.Primary, pipeline.Supplement, pipeline.Copy})},
		{"notices.kind", texts([]pipeline.AttemptKind{pipeline.First, pipeline.Retry, pipeline.Resend, pipeline.Fallback, pipeline.CopyOf})},
		{"attempts.kind", texts([]pipeline.AttemptKind{pipeline.First, pipeline.Retry, pipeline.Resend, pipeline.Fallback, pipeline.CopyOf})},
		{"attempts.channel", texts([]pipeline.Channel{pipeline.Email, pipeline.Post})},
		{"events.into_state", texts(pipeline.States())},
		{"events.channel", texts(pipeline.Channels())},
		{"events.outcome", texts([]pipeline.Outcome{"", pipeline.Dead, pipeline.Transient, pipeline.Ours, pipeline.None})},
		{"campaigns.state", texts([]pipeline.CampaignState{pipeline.Draft, pipeline.Approved, pipeline.Running, pipeline.Paused, pipeline.Withdrawn})},
		{"runs.state", texts([]pipeline.RunState{pipeline.RunFilling, pipeline.RunCut, pipeline.RunAssembled, pipeline.RunReleased, pipeline.RunDeposited, pipeline.RunVoided, pipeline.RunRecalled})},
		{"run_items.state", texts([]pipeline.RunItemState{pipeline.ItemIn, pipeline.ItemPosted, pipeline.ItemRejected, pipeline.ItemOut})},
	} {
		table, column, _ := strings.Cut(x.column, ".")
		at := strings.LastIndex(schema, "CREATE TABLE "+table+" (") // it may have been made again
		if at < 0 {
			t.Fatalf("no table %s", table)
		}
		rest := schema[at:]
		var terms []string
		for _, v := range x.values {
			terms = append(terms, column+" = '"+v+"'")
		}
		rest, _, _ = strings.Cut(rest, ") STRICT")
		if !strings.Contains(rest, "CHECK ("+strings.Join(terms, " OR ")+")") {
			t.Errorf("%s does not allow exactly %v", x.column, x.values)
		}
	}
}

func texts[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

// TestForTheOwner: whatever the umask, nobody else reads a new ledger, nor what lies
// beside it; one that is there keeps the mode that its owner gave it.
func TestForTheOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	for range 2 {
		l, err := Open(t.Context(), Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		found, err := os.ReadDir(dir)
		if err != nil || len(found) < 3 { // the log and its index too
			t.Fatalf("%v %v", found, err)
		}
		for _, f := range found {
			if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
			}
		}
		closed(t, l)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
