package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestKilled ends the service at random instants as a power cut would. Every
// notice ends, and every duplicate is among the doubts that the ledger counted.
func TestKilled(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 600, 11, "ART34_RELAY="+sink.URL)
	in.must("pacing", "muguet", "--rate", "150", "--connections", "4", "--window", "4")
	in.must("launch", "muguet")
	const crashes = 4
	for range crashes {
		before := sink.Count(t)
		r := in.start("run", "--until-idle")
		until(t, "sending", longest, func() bool {
			select {
			case <-r.done:
				return true
			default:
				return sink.Count(t) > before+rand.IntN(60)
			}
		})
		r.kill()
	}
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run after the last crash: exit %d", code)
	}
	s := in.status(true)
	got := receivedBy(t, sink)
	notices := readNotices(t, in)
	duplicates := 0
	for ref, n := range notices {
		if n.State == pipeline.Accepted && got[ref] == 0 {
			t.Errorf("notice %d is accepted and nothing arrived", n.ID)
		}
		if n.State != pipeline.Accepted && n.State != pipeline.Held && got[ref] > 0 {
			t.Errorf("notice %d is %s and %d messages arrived", n.ID, n.State, got[ref])
		}
		duplicates += max(got[ref]-1, 0)
	}
	t.Logf("%d crashes: %d duplicates, %d sent again, %d in doubt", crashes, duplicates, s.Duplicates, s.InDoubt)
	if int64(duplicates) > s.Duplicates || s.Duplicates > s.InDoubt || s.InDoubt > crashes*4*4 {
		t.Errorf("%d duplicates, %d sent again, %d in doubt; at most %d can be", duplicates, s.Duplicates, s.InDoubt, crashes*4*4)
	}
	if s.States[pipeline.Due]+s.States[pipeline.Queued]+s.States[pipeline.Sending]+s.States[pipeline.InDoubt] != 0 {
		t.Errorf("not everybody is done: %v", s.States)
	}
}

// receivedBy counts the messages by reference.
func receivedBy(t *testing.T, sink *testenv.SMTPSink) map[string]int {
	t.Helper()
	got := map[string]int{}
	for _, m := range sink.Messages(t) {
		got[referenceLike.FindString(plainPart(t, m.Data(t)))]++
	}
	return got
}

// TestPauseAtFullSpeed: within a second nothing more leaves than what each connection
// has on the wire, everything else answers meanwhile, and resume goes on exactly. The
// server holds its breath meanwhile: however long the pause takes to be heard of, it
// comes in the middle.
func TestPauseAtFullSpeed(t *testing.T) {
	t.Parallel()
	const connections = 4
	sink := testenv.Sink(t)
	in := install(t, 900, 12, "ART34_RELAY="+sink.URL)
	in.must("pacing", "muguet", "--rate", "200", "--connections", fmt.Sprint(connections))
	in.must("launch", "muguet")
	r := in.start("run", "--until-idle")
	until(t, "sending", longest, func() bool { return sink.Count(t) > 50 })
	sink.Pause(t)
	count := sink.Count(t)
	in.must("pause", "muguet", "--reason", "test")
	time.Sleep(time.Second)
	sink.Resume(t)
	until(t, "the wire is empty", longest, func() bool { return in.status(false).States[pipeline.Sending] == 0 })
	gone := sink.Count(t)
	if gone > count+connections {
		t.Errorf("%d messages left more than a second after the pause", gone-count)
	}
	if code := r.wait(longest); code != 1 {
		t.Fatalf("run --until-idle of a paused campaign: exit %d", code)
	}
	if after := sink.Count(t); after != gone {
		t.Errorf("%d messages left when the wire was empty", after-gone)
	}
	s := in.status(false)
	if len(s.Blocked) != 1 || s.Blocked[0].Code != "paused" {
		t.Errorf("blocked: %+v", s.Blocked)
	}
	in.must("resume", "muguet")
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	for ref, n := range receivedBy(t, sink) {
		if n != 1 {
			t.Errorf("%s got %d messages", ref, n)
		}
	}
	s = in.status(true)
	if int(s.States[pipeline.Accepted]) != sink.Count(t) {
		t.Errorf("%d accepted, %d arrived", s.States[pipeline.Accepted], sink.Count(t))
	}
}

// TestStopDrains: SIGTERM at full speed finishes what is on the wire and leaves no
// doubt. It comes while the server holds its breath: in the middle, that is.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 600, 15, "ART34_RELAY="+sink.URL)
	in.must("pacing", "muguet", "--rate", "200")
	in.must("launch", "muguet")
	r := in.start("run", "--until-idle")
	until(t, "sending", longest, func() bool { return sink.Count(t) > 50 })
	sink.Pause(t)
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	sink.Resume(t)
	if code := r.wait(longest); code != 1 || !strings.Contains(r.out.String(), "art34 run goes on where it was") {
		t.Errorf("exit %d\n%s", code, r.out.String())
	}
	// Whoever looks now is not told that somebody does the work.
	s := in.status(false)
	for _, role := range allRoles() {
		if missing := "art34 run (" + string(role) + ")"; !slices.Contains(s.Missing, missing) {
			t.Errorf("after the end there seems to be an %s: %v", missing, s.Missing)
		}
	}
	s = in.status(true)
	if s.States[pipeline.Sending]+s.States[pipeline.Queued]+s.States[pipeline.InDoubt]+s.InDoubt != 0 {
		t.Errorf("left behind: %v, %d in doubt", s.States, s.InDoubt)
	}
	if got := sink.Count(t); int64(got) != s.States[pipeline.Accepted] || s.States[pipeline.Due] == 0 {
		t.Errorf("%d arrived, %v", got, s.States)
	}
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Errorf("run: exit %d", code)
	}
}

// TestRelayThatAlwaysDropsAfterTheDot: nobody gets more than two.
func TestRelayThatAlwaysDropsAfterTheDot(t *testing.T) {
	t.Parallel()
	relay := newDropper(t)
	// With the breaker in force it would stop after a few.
	patient := func(campaign string) string {
		return strings.Replace(campaign, "providers: {}}", "providers: {}, breaker: {doubt_share: 1}}", 1)
	}
	in := installWith(t, 60, 13, patient, fmt.Sprintf("ART34_RELAY=smtp://%s?tls=none", relay.addr))
	in.must("launch", "muguet")
	r := in.start("run", "--until-idle")
	if code := r.wait(longest); code != 0 {
		t.Errorf("exit %d\n%s", code, r.out.String())
	}
	s := in.status(true)
	if s.States[pipeline.Accepted] != 0 || s.Duplicates == 0 {
		t.Errorf("%v, %d sent again", s.States, s.Duplicates)
	}
	relay.mu.Lock()
	defer relay.mu.Unlock()
	if len(relay.got) == 0 {
		t.Fatal("nothing was sent")
	}
	for id, n := range relay.got {
		if n > 2 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

// TestBreakerOpensOnDoubts: a relay that leaves nothing but doubts stops the
// campaign until a person has looked.
func TestBreakerOpensOnDoubts(t *testing.T) {
	t.Parallel()
	relay := newDropper(t)
	in := install(t, 60, 13, fmt.Sprintf("ART34_RELAY=smtp://%s?tls=none", relay.addr))
	in.must("launch", "muguet")
	r := in.start("run", "--until-idle")
	if code := r.wait(longest); code != 1 || !strings.Contains(r.out.String(), "the breaker of the relay is open") {
		t.Errorf("exit %d\n%s", code, r.out.String())
	}
	s := in.status(true)
	if len(s.Breakers) != 1 || s.Breakers[0].Scope != "relay" || len(s.Blocked) == 0 || s.Blocked[0].Code != "breaker:relay" {
		t.Errorf("breakers %+v, blocked %+v", s.Breakers, s.Blocked)
	}
	if said, _, _ := in.run("status", "muguet"); !strings.Contains(said, "art34 release muguet --breaker relay --reason") {
		t.Errorf("status does not say what to do:\n%s", said)
	}
	in.must("release", "muguet", "--breaker", "relay", "--reason", "mended")
	if s := in.status(false); len(s.Breakers) != 0 {
		t.Errorf("still open: %+v", s.Breakers)
	}
}

// dropper is a relay that takes every message and hangs up instead of answering.
type dropper struct {
	addr string
	mu   sync.Mutex
	got  map[string]int // Message-ID → times
}

func newDropper(t *testing.T) *dropper {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dropper{addr: l.Addr().String(), got: map[string]int{}}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	}()
	return d
}

var messageID = regexp.MustCompile(`(?im)^message-id: (\S+)\r$`)

func (d *dropper) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s string) { _, _ = fmt.Fprintf(c, "%s\r\n", s) }
	say("220 dropper ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			say("250 dropper")
		case "DATA":
			say("354 go on")
			var body strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				body.WriteString(line)
			}
			d.mu.Lock()
			d.got[messageID.FindStringSubmatch(body.String())[1]]++
			d.mu.Unlock()
			return
		default:
			say("250 2.0.0 ok")
		}
	}
}
