package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds the start and the end of a server on a busy machine.
const patience = 60 * time.Second

// guard runs a server and outlives the test binary by as long as it takes to end
// the server: its standard input is a pipe that closes when the binary dies. The
// first line it prints is the server's process id.
//
//	$1 directory to remove at the end   $2 signal that ends the server   $3… the server
const guard = `dir=$1; sig=$2; shift 2
exec 3<&0 </dev/null
"$@" >>"$dir/log" 2>&1 3<&- &
pid=$!
echo $pid
exec >/dev/null 2>&1
( read -r _ <&3; : >"$dir/.ended"; kill -s "$sig" $pid ) &
watch=$!
wait $pid
code=$?
[ -e "$dir/.ended" ] && exec rm -rf "$dir"
kill $watch
exit $code`

// spec says how to run a server.
type spec struct {
	dir  string   // its own directory
	args []string // program and arguments
	end  string   // name of the signal that ends it for good
	as   *account // nil: as who we are
}

// process is a running server behind its guard.
type process struct {
	pid  int
	dir  string
	hold io.Closer     // closing it ends the server and removes dir
	done chan struct{} // closed when the server has ended
}

func launch(s spec) (*process, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", guard, "guard", s.dir, s.end}, s.args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if s.as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.as.uid, Gid: s.as.gid}
	}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		_ = hold.Close()
		return nil, fmt.Errorf("the guard of %s said nothing: %w", filepath.Base(s.args[0]), errors.Join(err, cmd.Wait()))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		_ = hold.Close()
		return nil, err
	}
	p := &process{pid: pid, dir: s.dir, hold: hold, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the log of the server says why it ended
		close(p.done)
	}()
	return p, nil
}

// ended reports whether the server has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signal sends the server a signal and, with wait, waits until it has ended.
func (p *process) signal(sig syscall.Signal, wait bool) error {
	if p.ended() {
		return nil
	}
	if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	if !wait {
		return nil
	}
	return p.wait()
}

// stands reports whether every thread of the server has stopped. Where nobody lists
// them, it believes so.
func (p *process) stands() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.pid))
	return !slices.ContainsFunc(threads, func(file string) bool {
		stat, err := os.ReadFile(file)
		_, state, ok := strings.Cut(string(stat), ") ")
		return err == nil && ok && state[:1] != "T"
	})
}

func (p *process) wait() error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("process %d does not end", p.pid)
	}
}

// close ends the server for good and removes its directory.
func (p *process) close() error {
	_ = p.hold.Close()
	return errors.Join(p.wait(), os.RemoveAll(p.dir))
}

// until asks again and again whether a server is ready. It gives up when the
// server ends, or when patience does.
func (p *process) until(what string, ready func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-p.done:
			return p.fault(what + " ended at once")
		case <-timer.C:
			return p.fault(what + " does not answer")
		}
	}
	return nil
}

func (p *process) fault(what string) error {
	log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return fmt.Errorf("%s:\n%s", what, tail(log))
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// starts is how often a start is tried: a process that is no test binary may take the
// port between freePort and the start.
const starts = 5

// account is an unprivileged user.
type account struct {
	name     string
	uid, gid uint32
}

// unprivileged returns the first of the users that exists; nil when we are not
// root and need none.
func unprivileged(names ...string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("none of the users %s exists", strings.Join(names, ", "))
}

// directory makes a directory that belongs to the account. It lies in the
// temporary directory, or in /tmp if others may not enter that.
func directory(name string, a *account) (string, error) {
	base := os.TempDir()
	if a != nil && !open(base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "art34-"+name+"-")
	if err != nil || a == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(a.uid), int(a.gid))
}

// open reports whether everybody may enter dir.
func open(dir string) bool {
	for {
		i, err := os.Stat(dir)
		if err != nil || i.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// greets reports whether a server's first line starts so.
func greets(addr, greeting string) bool {
	c, err := net.DialTimeout("tcp4", addr, patience)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(line, greeting)
}
