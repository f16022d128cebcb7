package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/letter"
)

// mailing is an approved campaign that has only e-mail to send: its letters are
// held, so that no print room works beside.
type mailing struct {
	*installation
	due      int64
	specimen []specimen
}

// specimen is a letter of the campaign as the bare loop sends it.
type specimen struct {
	from, name, replyTo, envelope string
	to, recipient, subject        string
	text, html                    []byte
}

// mailPerInformed is the share of the customers to inform who get an e-mail.
const mailPerInformed = 0.81

// prepare makes a campaign with n e-mails to send.
func (s *suite) prepare(n int, env ...string) *mailing {
	s.Helper()
	p := &mailing{installation: s.draft(int(float64(n)/mailPerInformed), env...)}
	p.measure(time.Hour, p.lists()...)
	p.measure(time.Hour, "check", "muguet")
	p.must("approve", "muguet")
	ctx := context.Background()
	h := p.house()
	defer h.Close()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		s.Fatal(err)
	}
	e, _, err := h.draft(c)
	if err != nil {
		s.Fatal(err)
	}
	var post []int64
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Due}}) {
		if err != nil {
			s.Fatal(err)
		}
		if j.Channel == pipeline.Post {
			post = append(post, j.ID)
			continue
		}
		p.due++
		if len(p.specimen) < 1000 {
			p.specimen = append(p.specimen, s.specimen(e, j))
		}
	}
	if _, err := h.operations().Hold(ctx, dispatch.Cohort{Campaign: c.ID, Notices: post}, "bench"); err != nil {
		s.Fatal(err)
	}
	return p
}

func (s *suite) specimen(e *edition, j pipeline.Job) specimen {
	p, err := e.render(context.Background(), j, time.Now())
	if err != nil {
		s.Fatal(err)
	}
	l := p.letter
	return specimen{
		from: l.Sender.From, name: l.Sender.DisplayName, replyTo: l.Sender.ReplyTo, envelope: "b1@" + l.Sender.EnvelopeDomain,
		to: p.person.Email, recipient: l.Recipient, subject: l.Subject, text: letter.Text(l), html: letter.HTML(l),
	}
}

// round is one round of sending.
type round struct {
	rate float64 // messages a second
	cpu  float64 // processor time in µs a message
	sink float64 // processor time of the other end in µs a message
	size float64 // bytes a message on the wire
	cost
}

// round is what a sink took together with what it cost the other side.
func (a taken) round(c cost) round {
	n := float64(a.Messages)
	return round{rate: a.perSecond(), cpu: float64(c.cpu.Microseconds()) / n, sink: float64(a.CPU) / n, size: float64(a.Bytes) / n, cost: c}
}

// campaign sends everything that is due with the real program, and checks that the
// ledger and the sink agree.
func (s *suite) campaign(in *installation, connections int, due int64) round {
	s.Helper()
	in.must("pacing", "muguet", "--connections", fmt.Sprint(connections))
	in.must("launch", "muguet")
	c := in.measure(time.Hour, "run", "--until-idle")
	a := s.relay.next()
	if st := in.status(false); a.Messages != due || st.Channels[pipeline.Email][pipeline.Accepted] != due {
		s.Fatalf("%d e-mails were due, the sink took %d, the ledger says %v", due, a.Messages, st.Channels[pipeline.Email])
	}
	return a.round(c)
}

// bare sends as many messages with go-mail at its leanest: no ledger, no queue, no
// rendering, no NOOP, no RSET.
func (s *suite) bare(p *mailing, connections int) round {
	s.Helper()
	host, port, _ := strings.Cut(s.relay.addr, ":")
	var number int
	if _, err := fmt.Sscan(port, &number); err != nil {
		s.Fatal(err)
	}
	client, err := mail.NewClient(host, mail.WithPort(number), mail.WithTLSPolicy(mail.NoTLS), mail.WithoutNoop(), mail.WithoutRset())
	if err != nil {
		s.Fatal(err)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	before := processorTime()
	for range connections {
		wg.Go(func() {
			if err := p.loop(client, &next); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	cpu := processorTime() - before
	a := s.relay.next()
	if a.Messages != p.due {
		s.Fatalf("the bare loop sent %d of %d", a.Messages, p.due)
	}
	return a.round(cost{cpu: cpu})
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loop is one connection of the bare loop.
func (p *mailing) loop(client *mail.Client, next *atomic.Int64) error {
	conn, err := client.DialToSMTPClientWithContext(context.Background())
	if err != nil {
		return err
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }()
	for {
		i := next.Add(1)
		if i > p.due {
			return nil
		}
		x := &p.specimen[int(i)%len(p.specimen)]
		m := mail.NewMsg(mail.WithNoDefaultUserAgent())
		for _, err := range []error{m.FromFormat(x.name, x.from), m.ReplyToFormat(x.name, x.replyTo), m.AddToFormat(x.recipient, x.to), m.EnvelopeFrom(x.envelope)} {
			if err != nil {
				return err
			}
		}
		m.Subject(x.subject)
		m.SetDate()
		m.SetMessageIDWithValue(fmt.Sprintf("%d@example.com", i))
		m.SetBodyString(mail.TypeTextPlain, string(x.text))
		m.AddAlternativeString(mail.TypeTextHTML, string(x.html))
		if err := client.SendWithSMTPClient(conn, m); err != nil {
			return err
		}
	}
}

// email compares the program with the bare loop: the same letters, the same sink,
// in turns.
func (s *suite) email() {
	s.sink()
	s.mailing()
	p := s.mail
	for _, connections := range []int{8, 32} {
		var ours, theirs, ratios []float64
		var o, t round
		var peak float64
		for r := range s.rounds {
			t = s.bare(p, connections)
			in := p.copy(s.relay.env())
			o = s.campaign(in, connections, p.due)
			in.remove()
			s.say("e-mail, %d connections, round %d of %d: art34 %.0f/s, bare loop %.0f/s", connections, r+1, s.rounds, o.rate, t.rate)
			ours, theirs, ratios = append(ours, o.rate), append(theirs, t.rate), append(ratios, o.rate/t.rate)
			peak = max(peak, o.peak)
		}
		s.least(fmt.Sprintf("E-mail end to end ÷ bare go-mail loop, %d connections", connections), "%.2f", median(ratios), 1)
		s.note("  art34 (SQLite, embedded queue)", "%.0f/s of %.1f kB; CPU %.0f µs each, %.0f at the sink; %.0f MiB", median(ours), o.size/1000, o.cpu, o.sink, peak)
		s.note("  bare loop, which records nothing", "%.0f/s of %.1f kB; CPU %.0f µs each, %.0f at the sink", median(theirs), t.size/1000, t.cpu, t.sink)
	}
}

// mailing prepares the campaign that email and ledger share.
func (s *suite) mailing() {
	if s.mail == nil {
		s.say("preparing a campaign of %d e-mails", s.mails)
		s.mail = s.prepare(s.mails)
	}
}

// shared sends one round over PostgreSQL and Redis, where they are installed.
func (s *suite) shared() {
	const what = "E-mail over PostgreSQL and Redis ÷ bare loop, 8 connections"
	if !installed("postgres", "initdb") || !installed("redis-server", "valkey-server") {
		s.note(what, "not measured: no servers on PATH")
		return
	}
	s.sink()
	s.say("preparing a campaign of %d e-mails in PostgreSQL", s.mails)
	servers := s.servers()
	p := s.prepare(s.mails, servers.Environ()...)
	t := s.bare(p, 8)
	p.env = append(p.env, s.relay.env())
	o := s.campaign(p.installation, 8, p.due)
	p.remove()
	s.note(what, "%.2f", o.rate/t.rate)
	s.note("  art34", "%.0f/s, %.0f µs CPU each besides the servers, %.0f MiB", o.rate, o.cpu, o.peak)
	s.note("  bare loop", "%.0f/s", t.rate)
}

// servers starts a PostgreSQL that is as durable as in earnest, and a Redis.
func (s *suite) servers() testenv.Servers {
	pg := testenv.NewPostgres(s.B, testenv.PostgresConfig{Durable: true})
	return testenv.Servers{Ledger: pg.Database(s.B), Redis: testenv.Redis(s.B, testenv.RedisConfig{})}
}

// installed reports whether one of some programs is on PATH.
func installed(names ...string) bool {
	for _, n := range names {
		if _, err := exec.LookPath(n); err == nil {
			return true
		}
	}
	return false
}

// letters compares a print run with one gofpdf document a letter; package postal
// does the measuring.
func (s *suite) letters() {
	s.say("letters")
	cmd := exec.CommandContext(s.stop, "go", "test", "-json", "-run", "^$", "-bench", "^BenchmarkLetters$", "./pipeline/postal")
	cmd.Dir = root(s.B)
	out, err := cmd.Output()
	if err != nil {
		s.Fatalf("letters: %v\n%s", err, out)
	}
	figures := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		var event struct{ Output string }
		if json.Unmarshal([]byte(line), &event) != nil {
			continue
		}
		fields := strings.Fields(event.Output)
		for i := 1; i < len(fields); i++ {
			var v float64
			if _, err := fmt.Sscan(fields[i-1], &v); err == nil {
				figures[fields[i]] = v
			}
		}
	}
	s.least("One-page letters ÷ one gofpdf document a letter", "%.1f", figures["times"], 15)
	s.note("  in a print run", "%.0f/s", figures["letters/s"])
	s.note("  a document each", "%.0f/s", figures["plain-letters/s"])
}
