package testenv

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// PostgresConfig says what kind of server a test needs.
type PostgresConfig struct {
	// Durable turns fsync, full_page_writes and synchronous_commit on: for
	// measurements. Without it the files still survive Kill, which takes the processes
	// and not the machine; a commit that asked for synchronous_commit itself is in them.
	Durable bool
	// Settings are further settings of postgresql.conf.
	Settings map[string]string
}

// PostgresServer is a real PostgreSQL server. Its databases sort by ICU rules
// where the server can, so that a forgotten COLLATE "C" shows.
type PostgresServer struct {
	Addr string // host:port

	config PostgresConfig
	dir    string
	port   int
	as     *account
	proc   *process
	serial atomic.Int64
}

// superuser owns every database. Connections from the loopback are trusted.
const superuser = "art34"

// sharedPostgres is the one server of this test binary; it ends with the binary.
// The function is the only state of the package: a server a test would cost half
// a second each.
var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	s, err := newPostgres(PostgresConfig{})
	if err != nil {
		return nil, err
	}
	return s, s.exec("postgres", "CREATE DATABASE shared TEMPLATE template0")
})

// cluster makes a data directory once; servers start from copies of it. It has
// no clean-up and lies in the directory of the first server.
var cluster = sync.OnceValues(initdb)

// Postgres returns the URL of a fresh, empty schema (search_path) in a database
// that all tests of the binary share: what a test creates and reads without
// naming a schema is its own, at a tenth of the price of a database. The server is
// not durable and cannot be stopped: for that, and for a database, see
// NewPostgres.
func Postgres(t testing.TB) string {
	t.Helper()
	needPostgres(t)
	s, err := sharedPostgres()
	if err != nil {
		t.Fatal(err)
	}
	// The schema is not dropped: the whole server goes in the end.
	name := "t" + strconv.FormatInt(s.serial.Add(1), 10)
	if err := s.exec("shared", "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return s.URL("shared") + "&search_path=" + name
}

// NewPostgres starts a server for one test.
func NewPostgres(t testing.TB, c PostgresConfig) *PostgresServer {
	t.Helper()
	needPostgres(t)
	s, err := newPostgres(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.proc.close(); err != nil {
			t.Errorf("postgres: %v", err)
		}
	})
	return s
}

func needPostgres(t testing.TB) {
	t.Helper()
	Binary(t, "postgres")
	if lookup("initdb") == "" {
		Missing(t, "postgres", "initdb is not installed")
	}
}

// Database creates a database and returns its URL. It goes with the server.
func (s *PostgresServer) Database(t testing.TB) string {
	t.Helper()
	name := "t" + strconv.FormatInt(s.serial.Add(1), 10)
	if err := s.exec("postgres", "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	return s.URL(name)
}

// URL is the address of a database, with a password that is asked for by nobody:
// a test can look for it in errors.
func (s *PostgresServer) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", Host: s.Addr, Path: "/" + database,
		User: url.UserPassword(superuser, "not-to-be-printed"), RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Exec runs SQL that returns no rows in the database of a URL.
func (s *PostgresServer) Exec(t testing.TB, rawURL, sql string) {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err == nil {
		err = s.exec(strings.TrimPrefix(u.Path, "/"), sql)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *PostgresServer) exec(database, sql string) error {
	return pgExec(s.Addr, superuser, database, sql)
}

// Kill ends the server as a power cut would: no process of it gets to say
// goodbye. Start brings it back.
func (s *PostgresServer) Kill(t testing.TB) {
	t.Helper()
	if s.proc.ended() {
		return
	}
	s.signalAll(t, syscall.SIGSTOP, syscall.SIGKILL)
	if err := s.proc.wait(); err != nil {
		t.Fatal(err)
	}
}

// Stop shuts the server down cleanly and ends all connections.
func (s *PostgresServer) Stop(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGINT, true); err != nil {
		t.Fatal(err)
	}
}

// Start starts a server that was stopped or killed, on the same port.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	if !s.proc.ended() {
		t.Fatal("postgres: it is running")
	}
	_ = s.proc.hold.Close()
	// A killed child holds the shared memory a little longer than its parent, and
	// nobody may start while it does.
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := s.start()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// Pause stops every process of the server with SIGSTOP: it is there and does not
// answer. Resume lets it go on.
func (s *PostgresServer) Pause(t testing.TB) {
	t.Helper()
	s.signalAll(t, syscall.SIGSTOP, syscall.SIGSTOP)
}

// Resume ends Pause.
func (s *PostgresServer) Resume(t testing.TB) {
	t.Helper()
	s.signalAll(t, syscall.SIGCONT, syscall.SIGCONT)
}

// signalAll sends the postmaster first, so that it starts no further child, then
// its children the second, and then the postmaster the second too.
func (s *PostgresServer) signalAll(t testing.TB, first, second syscall.Signal) {
	t.Helper()
	pid := s.proc.pid
	if err := s.proc.signal(first, false); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		_ = s.proc.signal(syscall.SIGCONT, false)
		Missing(t, "linux", "only Linux lists the children of a process")
	}
	for _, f := range strings.Fields(string(list)) {
		if child, err := strconv.Atoi(f); err == nil {
			_ = syscall.Kill(child, second) // it may have ended meanwhile
		}
	}
	if err := s.proc.signal(second, false); err != nil {
		t.Fatal(err)
	}
}

func newPostgres(c PostgresConfig) (*PostgresServer, error) {
	as, err := unprivileged("postgres", "nobody")
	if err != nil {
		return nil, fmt.Errorf("postgres refuses to run as root: %w", err)
	}
	from, err := cluster()
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{config: c, as: as}
	if s.dir, err = directory("postgres", as); err != nil {
		return nil, err
	}
	if err := copyCluster(from, filepath.Join(s.dir, "data"), as); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	for try := 1; ; try++ {
		if s.port, err = freePort(); err == nil {
			s.Addr = addr(s.port)
			err = s.start()
		}
		if err == nil {
			return s, nil
		}
		if try == starts {
			return nil, errors.Join(err, os.RemoveAll(s.dir))
		}
	}
}

func (s *PostgresServer) start() error {
	settings := map[string]string{
		"listen_addresses": "127.0.0.1", "port": strconv.Itoa(s.port), "unix_socket_directories": "",
		"max_connections": "500", "shared_buffers": "64MB", "logging_collector": "off", "log_min_messages": "warning",
		"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
	}
	if s.config.Durable {
		settings["fsync"], settings["full_page_writes"], settings["synchronous_commit"] = "on", "on", "on"
	}
	for k, v := range s.config.Settings {
		settings[k] = v
	}
	data := filepath.Join(s.dir, "data")
	args := []string{lookup("postgres"), "-D", data}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	// A killed server leaves the file; the new one must not be taken for ready by it.
	status := filepath.Join(data, "postmaster.pid")
	p, err := launch(spec{dir: s.dir, args: args, end: "QUIT", as: s.as})
	if err != nil {
		return err
	}
	s.proc = p
	return p.until("postgres", func() bool { return ready(status, p.pid) })
}

// ready reads what pg_ctl reads: line 1 is the process id, line 8 the status.
func ready(path string, pid int) bool {
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	lines := strings.Split(string(b), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// initdb makes a cluster, about 40 MB, in a directory that goes with the binary.
func initdb() (string, error) {
	as, err := unprivileged("postgres", "nobody")
	if err != nil {
		return "", fmt.Errorf("initdb refuses to run as root: %w", err)
	}
	dir, err := directory("initdb", as)
	if err != nil {
		return "", err
	}
	// The directory is removed when the guard of this sleeping child sees the
	// binary end.
	if _, err := launch(spec{dir: dir, args: []string{"sleep", "86400"}, end: "KILL", as: as}); err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	var said []byte
	for _, locale := range [][]string{{"--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8"}, {"--locale=C.UTF-8"}, {"--locale=C"}} {
		args := append([]string{
			"-D", data, "-U", superuser, "--auth=trust", "--encoding=UTF8",
			"--no-sync", "--no-instructions",
		}, locale...)
		cmd := exec.Command(lookup("initdb"), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = credential(as)
		if said, err = cmd.CombinedOutput(); err == nil {
			return data, nil
		}
		_ = os.RemoveAll(data)
	}
	return "", fmt.Errorf("initdb: %w\n%s", err, tail(said))
}

func copyCluster(from, to string, as *account) error {
	cmd := exec.Command("cp", "-R", from, to)
	cmd.SysProcAttr = credential(as)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w\n%s", err, said)
	}
	return os.Chmod(to, 0o700)
}

func credential(as *account) *syscall.SysProcAttr {
	if as == nil {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as.uid, Gid: as.gid}}
}
