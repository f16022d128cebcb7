package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// A rehearsal that is begun on a page is `art34 rehearse`, as a process of its own: it
// has a small heap, one core, and gives way to whatever else the machine does, because
// the console has agents with customers on the phone. It holds what the console holds
// the other end of, so that neither a console that is stopped nor one that is killed
// leaves it behind.
const (
	rehearsalNice   = 15
	rehearsalMemory = "GOMEMLIMIT=192MiB"
	rehearsalCores  = "GOMAXPROCS=1"
)

// servants are the rehearsals that this console has begun.
type servants struct {
	mu   sync.Mutex
	held map[io.Closer]bool
	all  sync.WaitGroup
	over bool
}

// end lets go of them and waits until they have removed what they made.
func (s *servants) end() {
	s.mu.Lock()
	s.over = true
	for c := range s.held {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
}

// hold keeps the standard input of a rehearsal open until it has ended.
func (s *servants) hold(in io.Closer, wait func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		_ = in.Close()
	}
	if s.held == nil {
		s.held = map[io.Closer]bool{}
	}
	s.held[in] = true
	s.all.Go(func() {
		wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.held, in)
		_ = in.Close()
	})
}

// Rehearse begins a rehearsal.
func (k clerk) Rehearse(ctx context.Context, name, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	if c.State == pipeline.Withdrawn {
		return notInState(pipeline.ErrConflict, c)
	}
	if goes, err := k.h.rehearsing(); err != nil || goes != "" {
		return errors.Join(err, when(goes != "", errRehearsalRuns()))
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program)
	cmd.Args = []string{"art34", "rehearse", c.Name, "--json", "--log", "error", "--reason=" + reason, "--for-console=" + k.h.actor()}
	cmd.Env = k.h.servantEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the keyboard is for the console
	var said bytes.Buffer
	cmd.Stderr = &limited{w: &said, left: 64 << 10}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := startNice(cmd); err != nil {
		return err
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != rehearsalBegun {
		_ = in.Close()
		failed := cmd.Wait()
		return refusalOf(said.Bytes(), failed)
	}
	k.h.servants.hold(in, func() {
		if err := cmd.Wait(); err != nil {
			k.h.log.Info("a rehearsal has ended before its time", "campaign", c.ID, "error", err)
		}
	})
	return nil
}

func when(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

// servantEnv is the environment of a rehearsal: that of the console, with what its
// command line said.
func (a *app) servantEnv() []string {
	env := os.Environ()
	for name, value := range map[string]string{
		"ART34_DIR": a.Dir, "ART34_CONFIG": a.Config, "ART34_LEDGER": a.Ledger, "ART34_LEDGER_FILE": a.LedgerFile, "ART34_MASTER_KEY_FILE": a.MasterKeyFile,
		"ART34_AS": a.As,
	} {
		env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, rehearsalMemory, rehearsalCores)
}

// startNice starts a command that gives way to everything else. What a process may use
// is handed down by the thread that starts it; that thread is given up, because nobody
// but root gets such a thing back.
func startNice(cmd *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: it ends with this function
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, rehearsalNice); err != nil {
			done <- err
			return
		}
		done <- cmd.Start()
	}()
	return <-done
}

// refusalOf is why a rehearsal did not begin, as it has said itself.
func refusalOf(said []byte, failed error) error {
	lines := bytes.Split(bytes.TrimSpace(said), []byte("\n"))
	var e struct{ Error, Sentence, Cause, Hint string }
	if json.Unmarshal(lines[len(lines)-1], &e) != nil || e.Error == "" {
		return errors.Join(errors.New("a rehearsal could not be begun"), failed)
	}
	own := &pipeline.Error{Code: e.Error, Sentence: e.Sentence, Hint: e.Hint, Permanent: true, Exit: exitNo}
	if e.Cause != "" {
		own.Cause = errors.New(e.Cause)
	}
	return own
}

// limited takes so many bytes and drops the rest.
type limited struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	_, err := l.w.Write(p[:n])
	return len(p), err
}

// StopRehearsal ends the rehearsal of a campaign, whichever process has begun it.
func (k clerk) StopRehearsal(ctx context.Context, name, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	goes, err := k.h.rehearsing()
	if err != nil {
		return err
	}
	if goes != c.Name {
		return decline("rehearsal-over", "no rehearsal of this campaign goes on", "it has ended, or somebody else has stopped it")
	}
	if err := k.h.ledger.Append(ctx, k.h.audit(c.ID, actionRehearse+"-stop", reason, "")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(k.h.Dir, rehearsalStop), []byte(c.Name+"\n"), 0o600)
}

// Rehearsal is the last one of a campaign, wherever it was begun.
func (k clerk) Rehearsal(ctx context.Context, name string) (console.Rehearsal, error) {
	var r console.Rehearsal
	c, files, err := k.writable(ctx, name)
	if files == nil {
		return r, explained(err)
	}
	goes, err := k.h.rehearsing()
	if err != nil {
		return r, err
	}
	r.Busy = goes != "" && goes != c.Name
	n, err := k.h.lastRehearsal(c.Name)
	if n == nil || err != nil {
		return r, err
	}
	r.State, r.By, r.Reason, r.Began, r.Seen = console.RehearsalState(n.State), n.Actor, n.Reason, n.Began, n.Seen
	if n.State == rehearsalRuns && goes != c.Name {
		r.State = console.RehearsalCut
	}
	r.Population, r.States = n.Population, n.States
	for s, x := range n.States {
		if s.Settled() {
			r.Settled += x
		}
	}
	if n.Code != "" {
		r.Fault = &pipeline.Error{Code: n.Code, Sentence: n.Sentence, Hint: n.Hint}
	}
	_, hash, err := files.canonical()
	if err != nil {
		return r, err
	}
	imports, _, err := k.h.inForce(ctx, c.ID)
	r.Same = n.Content == hash && slices.Equal(n.Imports, imports)
	if n.Result != nil {
		r.Result = rehearsalResult(n.Result)
	}
	return r, err
}

// rehearsalResult is what came of it, for the pages.
func rehearsalResult(r *rehearsed) *console.RehearsalResult {
	out := &console.RehearsalResult{
		Took: time.Duration(r.Seconds * float64(time.Second)), Outlook: outlookOf(r.Forecast), Letters: r.Letters, Sheets: r.Sheets, Balance: r.Status.Balance,
		Accepted: r.Relay.Accepted, Refused: r.Relay.Refused, Deferred: r.Relay.Deferred, Held: r.Status.Held, Unreachable: r.Status.Unreachable,
	}
	s := r.Story
	if s == nil {
		return out
	}
	for _, n := range s.Bounced {
		out.Bounced += n
	}
	out.Resent, out.Dead, out.Late, out.Spoiled, out.Complaints = s.Resent, s.Dead, s.Revoked, s.Rejected, s.Complained
	out.Instead, out.Returned, out.Answers, out.Forged = total64(s.Letters), total64(s.Returned), total64(s.Replied), s.Inbox[pipeline.InboundQuarantined]
	out.Released = map[string]int64{}
	for reason, n := range s.Released {
		out.Released[reason] = int64(n)
	}
	return out
}
