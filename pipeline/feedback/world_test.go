package feedback_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger"
	"github.com/art34/art34/pipeline/ledger/sqlite"
)

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

const domain = "retour.example.fr"

// world is an installation in small: a ledger with a running campaign, its keys,
// an intake and a judge.
type world struct {
	ledger.Ledger
	t        testing.TB
	ctx      context.Context
	clock    *clock.Manual
	keys     *seal.Keyring
	mac      email.MAC // of the campaign
	campaign pipeline.Campaign
	intake   *feedback.Intake
	judge    *feedback.Judge
	sent     []feedback.Message // on to the cell
	away     bool               // the cell's mailbox
	policy   pipeline.Policy
	retired  bool // the key number 0
	imports  int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), clock: clock.NewManual(t0), policy: pipeline.DefaultPolicy()}
	dir := memory(t)
	var err error
	w.Ledger, err = sqlite.Open(w.ctx, sqlite.Config{Path: filepath.Join(dir, "ledger.db")})
	w.must(err)
	t.Cleanup(func() { _ = w.Close() })
	w.keys, err = seal.Create(filepath.Join(dir, "keys.json"), seal.NewMaster(), t0)
	w.must(err)
	w.campaign, err = w.CreateCampaign(w.ctx, pipeline.Campaign{Name: "muguet", CodeName: "MUGUET", Kind: "breach", State: pipeline.Running, CreatedAt: t0})
	w.must(err)
	keys, err := w.keys.Campaign(w.campaign.ID)
	w.must(err)
	w.mac = keys.MAC
	own, err := w.keys.Installation()
	w.must(err)
	w.intake, err = feedback.NewIntake(feedback.IntakeConfig{Ledger: w, Keys: own, Tokens: tokens{}, Clock: w.clock})
	w.must(err)
	t.Cleanup(w.intake.Close)
	w.judge, err = feedback.NewJudge(feedback.JudgeConfig{Ledger: w, Keys: own, Tokens: tokens{}, Signs: w, Policies: w, Forward: w, Clock: w.clock, Real: w.clock})
	w.must(err)
	return w
}

// memory is a directory that need not reach a disk, where there is one with room (a
// container has 64 MB): these tests write often, and a crash is for others to test.
func memory(t testing.TB) string {
	t.Helper()
	const most = 1 << 30
	var fs syscall.Statfs_t
	err := syscall.Statfs("/dev/shm", &fs)
	if err == nil && uint64(fs.Bavail)*uint64(fs.Bsize) < most { //nolint:unconvert // of other types elsewhere
		err = syscall.ENOSPC
	}
	dir := ""
	if err == nil {
		dir, err = os.MkdirTemp("/dev/shm", "art34-feedback-")
	}
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Policy implements feedback.Policies.
func (w *world) Policy(context.Context, int64) (pipeline.Policy, error) { return w.policy, nil }

// MAC implements feedback.Keys.
func (w *world) MAC(_ context.Context, campaign int64, number int) (feedback.MAC, error) {
	if campaign == 0 {
		own, err := w.keys.Installation()
		return own.MAC, err
	}
	if w.retired && number == 0 {
		return nil, feedback.ErrKey
	}
	keys, err := w.keys.Existing(campaign)
	if errors.Is(err, seal.ErrDestroyed) {
		return nil, feedback.ErrErased
	}
	if err != nil {
		return nil, err
	}
	return keys.MAC, nil
}

// Forward implements feedback.Forwarder.
func (w *world) Forward(_ context.Context, m feedback.Message, _ int64) error {
	if w.away {
		return pipeline.ErrAway
	}
	w.sent = append(w.sent, m)
	return nil
}

type tokens struct{}

func (tokens) ReturnPath(s string) (feedback.Token, bool) { return token(email.ParseReturnPath(s)) }
func (tokens) MessageID(s string) (feedback.Token, bool)  { return token(email.ParseMessageID(s)) }

func token(t email.Token, err error) (feedback.Token, bool) {
	if err != nil {
		return feedback.Token{}, false
	}
	return feedback.Token{Notice: t.Notice, Attempt: t.Attempt, Key: t.Key, Domain: t.Domain, Text: t.String(), Verify: func(m feedback.MAC) bool { return t.Verify(email.MAC(m)) }}, true
}

// notices publishes n notices that are due by e-mail, with a postal address beside.
func (w *world) notices(n int) []pipeline.Notice {
	w.t.Helper()
	w.imports++
	i, err := w.BeginImport(w.ctx, pipeline.Import{Campaign: w.campaign.ID, Content: fmt.Sprintf("content %d", w.imports), StagedAt: t0, Actor: "test"})
	w.must(err)
	first, err := w.ReserveIDs(w.ctx, n)
	w.must(err)
	list := make([]pipeline.Staged, n)
	all := make([]pipeline.Notice, n)
	for k := range list {
		all[k] = pipeline.Notice{
			ID: first + int64(k), Campaign: w.campaign.ID, Import: i.ID, Role: pipeline.Primary, Person: fmt.Appendf(nil, "person%010d", first+int64(k)),
			State: pipeline.Due, Born: pipeline.Due, Channel: pipeline.Email, Attempt: 1, Kind: pipeline.First, DueAt: t0,
			Reach: pipeline.ByEmail | pipeline.ByPost, Gen: 1, MovedAt: t0, Provider: "orange", Locale: "fr", Format: "standard", Country: "FR", Area: "75", Sender: "main",
		}
		list[k] = pipeline.Staged{Notice: all[k], Sealed: []byte("sealed")}
	}
	w.must(w.Stage(w.ctx, i.ID, list))
	w.must(w.Publish(w.ctx, i.ID, pipeline.Manifest{Population: int64(n), States: map[pipeline.State]int64{pipeline.Due: int64(n)}}, false, pipeline.Audit{At: t0, Actor: "test", Action: "import"}))
	w.must(w.Merged(w.ctx, i.ID, t0))
	return all
}

func (w *world) now(id int64) pipeline.Notice {
	w.t.Helper()
	j, err := w.Notice(w.ctx, id)
	w.must(err)
	return j.Notice
}

// hop is a move of a notice through the queue.
func (w *world) hop(id int64, to pipeline.State) pipeline.Change {
	w.t.Helper()
	n := w.now(id)
	c := pipeline.Hop(n, to, "", w.clock.Now())
	if to == pipeline.Sending {
		c.To.Owner = "courier"
		c.Attempt = &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, Version: 1, At: w.clock.Now(), Letter: make([]byte, 32), Bytes: make([]byte, 32)}
	}
	return c
}

// event is a move of a notice by the rules.
func (w *world) event(id int64, kind pipeline.EventKind) pipeline.Change {
	w.t.Helper()
	n := w.now(id)
	e := pipeline.Event{Notice: id, Attempt: n.Attempt, Kind: kind, At: w.clock.Now(), Actor: "test"}
	next, moved, err := w.policy.Apply(n, e)
	w.must(err)
	if !moved {
		w.t.Fatalf("%s does not move a notice in %s", e.Kind, n.State)
	}
	return pipeline.Move(n, next, e)
}

// commit applies changes that must all apply.
func (w *world) commit(list ...pipeline.Change) {
	w.t.Helper()
	for batch := range slices.Chunk(list, 500) {
		ok, err := w.Commit(w.ctx, batch)
		w.must(err)
		if slices.Contains(ok, false) {
			w.t.Fatal("a change did not apply")
		}
	}
}

// accept sends the present attempts of notices and has the relay accept them.
func (w *world) accept(ids ...int64) {
	w.t.Helper()
	for _, step := range []func(id int64) pipeline.Change{
		func(id int64) pipeline.Change { return w.hop(id, pipeline.Queued) },
		func(id int64) pipeline.Change { return w.hop(id, pipeline.Sending) },
		func(id int64) pipeline.Change { return w.event(id, pipeline.EvAccepted) },
	} {
		var list []pipeline.Change
		for _, id := range ids {
			list = append(list, step(id))
		}
		w.commit(list...)
	}
}

// ids are the numbers of notices.
func ids(list []pipeline.Notice) (out []int64) {
	for _, n := range list {
		out = append(out, n.ID)
	}
	return out
}

func (w *world) path(id int64, attempt int) string {
	w.t.Helper()
	p, err := email.ReturnPath(w.mac, 0, id, attempt, domain)
	w.must(err)
	return p
}

// report is a notification about the message of a notice's attempt.
func (w *world) report(id int64, attempt int, action, status, said string) []byte {
	return fmt.Appendf(nil, "From: MAILER-DAEMON@mx.example\r\nTo: <%s>\r\nSubject: Undelivered\r\nMessage-ID: <%d.%d.%s@mx.example>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"+
		"--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; jeanne.martin@example.com\r\nAction: %s\r\nStatus: %s\r\nDiagnostic-Code: smtp; %s\r\n\r\n"+
		"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\nSubject: a letter\r\n\r\n--x--\r\n",
		w.path(id, attempt), id, attempt, status, action, status, said, email.MessageID(w.mac, id, attempt, domain))
}

const (
	noUser   = "550 5.1.1 <jeanne.martin@example.com>: Recipient address rejected: User unknown"
	full     = "452 4.2.2 <jeanne.martin@example.com>: mailbox full"
	policied = "550 5.7.1 message refused by policy: spam"
)

// take keeps a message as the listener would.
func (w *world) take(to string, raw []byte) {
	w.t.Helper()
	w.takeAll(feedback.Message{Source: pipeline.FromLMTP, To: to, Raw: raw})
}

func (w *world) takeAll(list ...feedback.Message) {
	w.t.Helper()
	for batch := range slices.Chunk(list, 500) {
		_, err := w.intake.Take(w.ctx, batch...)
		w.must(err)
	}
}

func (w *world) round() feedback.Tally {
	w.t.Helper()
	t, err := w.judge.Round(w.ctx)
	w.must(err)
	return t
}

func (w *world) events(id int64, kind pipeline.EventKind) (list []pipeline.Event) {
	w.t.Helper()
	all, err := w.Events(w.ctx, id)
	w.must(err)
	for _, e := range all {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

// sound checks that the states of all notices follow from their events, and that
// nothing is lost.
func (w *world) sound() {
	w.t.Helper()
	for j, err := range w.Each(w.ctx, pipeline.Filter{Campaign: w.campaign.ID}) {
		w.must(err)
		events, err := w.Events(w.ctx, j.ID)
		w.must(err)
		s, err := pipeline.Replay(j.Born, events)
		w.must(err)
		if !pipeline.SameState(s, j.State) {
			w.t.Fatalf("notice %d is %s, its events say %s", j.ID, j.State, s)
		}
		for _, e := range events {
			if bytes.Contains([]byte(e.Detail), []byte("@")) || bytes.Contains(bytes.ToLower([]byte(e.Detail)), []byte("jeanne")) {
				w.t.Fatalf("the detail of an event names somebody: %q", e.Detail)
			}
		}
	}
}
