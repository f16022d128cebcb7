package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/idna"
)

// This file proves that what comes back reaches us. Silence after an e-mail means
// that it arrived only if a bounce would have been heard. So two messages go
// through the relay from time to time, for each domain of return paths: one to
// ourselves, and one that the relay must bounce. Until both came back lately,
// accepted stays accepted.

// wayBackOptions are options of art34 run.
type wayBackOptions struct {
	ProveEvery time.Duration `help:"How often the way back is proven, per domain of return paths; 0: never." default:"1h" placeholder:"DURATION"`
	ProvenFor  time.Duration `help:"How long the proof of the way back counts: without a younger one accepted e-mails are not counted as informed." default:"24h" placeholder:"DURATION"`
	BounceTo   string        `help:"Address that the relay must bounce, for the proof (default: one that does not exist at the domain of the return paths)." placeholder:"ADDRESS"`
}

const (
	// metaProvenFor is the option of the service that runs, for status.
	metaProvenFor = "wayback/proven-for"
	// metaProbed is when a domain was last probed, and what the relay said.
	metaProbed    = "/sent" // after feedback.MetaWayBack + domain
	provenFor     = 24 * time.Hour
	proverLease   = "wayback"
	proverEvery   = 15 * time.Second
	roleFeedback  = "feedback"
	proverPatient = 2 * time.Minute // how long a relay may take for both messages
)

// probed is what is known of the last probes of a domain.
type probed struct {
	At     time.Time `json:"at"`
	Loop   string    `json:"loop,omitempty"`   // why the message to ourselves could not be handed over
	Bounce string    `json:"bounce,omitempty"` // the same of the one that must bounce
}

// provenView is how the way back of one domain stands.
type provenView struct {
	Domain   string     `json:"domain"`
	Proven   bool       `json:"proven"`
	LoopAt   *time.Time `json:"loop_at,omitempty"`   // a message to ourselves came back
	BounceAt *time.Time `json:"bounce_at,omitempty"` // a bounce that we provoked came back
	ProbedAt *time.Time `json:"probed_at,omitempty"`
	Code     string     `json:"code,omitempty"` // of what is missing
	Why      string     `json:"why,omitempty"`  // what is missing, and what to do
}

// returnDomains are the domains of the return paths of a campaign, in ASCII and
// lower case, sorted.
func returnDomains(spec *pipeline.Spec) []string {
	var all []string
	for _, s := range spec.Senders {
		if d, err := idna.Domain(s.EnvelopeDomain); err == nil {
			all = append(all, strings.ToLower(d))
		}
	}
	return pipeline.Set(all)
}

// metaTime reads a time of Meta; zero without one.
func (h *house) metaTime(ctx context.Context, key string) (time.Time, error) {
	text, err := h.ledger.Meta(ctx, key)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, nil // not ours
	}
	return t.UTC(), nil
}

// proven says how the way back of a domain stands, with a proof that counts for a
// time.
func (h *house) proven(ctx context.Context, domain string, counts time.Duration) (v provenView, err error) {
	v.Domain = domain
	key := feedback.MetaWayBack + domain
	loop, err := h.metaTime(ctx, key+"/loop")
	if err != nil {
		return v, err
	}
	bounce, err := h.metaTime(ctx, key+"/bounce")
	if err != nil {
		return v, err
	}
	sent, err := news[probed](ctx, h, key+metaProbed)
	if err != nil {
		return v, err
	}
	v.LoopAt, v.BounceAt, v.ProbedAt = set(loop), set(bounce), set(sent.At)
	now := h.clock.Now()
	fresh := func(t time.Time) bool { return !t.IsZero() && now.Sub(t) <= counts && t.Before(now.Add(time.Hour)) }
	v.Proven = fresh(loop) && fresh(bounce)
	if !v.Proven {
		v.Code, v.Why, err = h.whyNotProven(ctx, domain, sent, fresh(loop), fresh(bounce))
	}
	return v, err
}

func set(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// whyNotProven says what is missing, and what to do.
func (h *house) whyNotProven(ctx context.Context, domain string, sent probed, loop, bounce bool) (code, why string, err error) {
	beat, err := news[heartbeat](ctx, h, metaService+roleFeedback)
	if err != nil {
		return "", "", err
	}
	switch {
	case h.real.Now().Sub(beat.At) > beatStale:
		return "nobody", "nobody takes in what comes back; start art34 run with the feedback role and a listener or mailbox for " + domain, nil
	case sent.At.IsZero():
		return "unsent", "no message was sent to ourselves yet; art34 run does so within a minute while a campaign is running and a relay is configured", nil
	case sent.Loop != "":
		return "relay", "the relay did not take the message to ourselves: " + sent.Loop, nil
	case !loop:
		return "loop", "a message to ourselves at " + domain + " did not come back; route this domain to art34 at the relay (MX or transport), art34 doctor looks at it", nil
	case sent.Bounce != "":
		return "refused", "the relay refuses the message that it should bounce: " + sent.Bounce + "; name another address with art34 run --bounce-to", nil
	case !bounce:
		return "bounce", "the relay sent no notification for a message that cannot be delivered; let it notify senders, or name another address with art34 run --bounce-to", nil
	}
	return "", "", nil
}

// wayBackProven reports for dispatch whether silence proves anything: every domain
// of return paths of the campaign is proven. It believes its answer for some
// seconds.
func (h *house) wayBackProven(counts time.Duration) func(pipeline.Campaign, pipeline.Channel) bool {
	type answer struct {
		at time.Time
		ok bool
	}
	var mu sync.Mutex
	known := map[string]answer{}
	return func(c pipeline.Campaign, ch pipeline.Channel) bool {
		if ch != pipeline.Email {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		key, now := fmt.Sprint(c.ID, "/", c.Version), h.real.Now()
		if a, ok := known[key]; ok && now.Sub(a.at) < 5*time.Second {
			return a.ok
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		ok, err := h.allProven(ctx, c, counts)
		if err != nil {
			h.log.Debug("the way back is not known", "campaign", c.ID, "error", err)
		}
		known[key] = answer{now, ok && err == nil}
		return known[key].ok
	}
}

func (h *house) allProven(ctx context.Context, c pipeline.Campaign, counts time.Duration) (bool, error) {
	spec, err := h.editions.Spec(ctx, c)
	if err != nil {
		return false, err
	}
	domains := returnDomains(spec)
	for _, d := range domains {
		v, err := h.proven(ctx, d, counts)
		if err != nil || !v.Proven {
			return false, err
		}
	}
	return len(domains) > 0, nil
}

// prover sends the two messages.
type prover struct {
	h     *house
	relay dispatch.Relay
	opt   wayBackOptions
	owner string
}

// newProver returns nil where nothing is to be proven.
func (h *house) newProver(relay dispatch.Relay, opt wayBackOptions) *prover {
	if relay == nil || opt.ProveEvery <= 0 {
		return nil
	}
	return &prover{h: h, relay: relay, opt: opt, owner: "prover-" + rand.Text()[:12]}
}

// run proves the way back until ctx ends.
func (p *prover) run(ctx context.Context) {
	if _, err := p.h.ledger.SetMeta(ctx, metaProvenFor, p.opt.ProvenFor.String(), false); err != nil && ctx.Err() == nil {
		p.h.log.Debug("status will not know how long a proof counts", "error", err)
	}
	_ = poll(ctx, proverEvery, func(ctx context.Context) (bool, error) {
		if err := p.round(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, pipeline.ErrAway) {
			p.h.log.Warn("the way back could not be probed", "error", err)
		}
		return false, nil
	})
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = p.h.ledger.ReleaseLease(end, proverLease, p.owner)
}

// round probes the domains whose turn it is, while somebody takes in what comes
// back and a campaign runs.
func (p *prover) round(ctx context.Context) error {
	h := p.h
	beat, err := news[heartbeat](ctx, h, metaService+roleFeedback)
	if err != nil || h.real.Now().Sub(beat.At) > beatStale {
		return err
	}
	if lead, err := h.ledger.Lease(ctx, proverLease, p.owner, proverPatient+2*proverEvery); err != nil || !lead {
		return err
	}
	all, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return err
	}
	from := map[string]string{} // domain → From of a sender
	for _, c := range all {
		if c.State != pipeline.Running && c.State != pipeline.Paused {
			continue
		}
		spec, err := h.editions.Spec(ctx, c)
		if err != nil {
			return err
		}
		for _, s := range spec.Senders {
			if d, err := idna.Domain(s.EnvelopeDomain); err == nil {
				from[strings.ToLower(d)] = s.From
			}
		}
	}
	for domain, sender := range from {
		last, err := news[probed](ctx, h, feedback.MetaWayBack+domain+metaProbed)
		if err != nil {
			return err
		}
		if since := h.clock.Now().Sub(last.At); since >= 0 && since < p.opt.ProveEvery {
			continue
		}
		if err := p.probe(ctx, domain, sender); err != nil {
			return err
		}
	}
	return nil
}

// probe sends both messages of one domain and remembers what the relay said.
func (p *prover) probe(ctx context.Context, domain, from string) error {
	ctx, cancel := context.WithTimeout(ctx, proverPatient)
	defer cancel()
	loop, err := p.h.probePath(feedback.ProbeLoop, domain)
	if err != nil {
		return err
	}
	bounce, err := p.h.probePath(feedback.ProbeBounce, domain)
	if err != nil {
		return err
	}
	nobody := p.opt.BounceTo
	if nobody == "" {
		nobody = "nobody-" + strings.ToLower(rand.Text()[:10]) + "@" + domain
	}
	r := probed{At: p.h.clock.Now().UTC()}
	conn, err := p.relay.Dial(ctx)
	if err != nil {
		r.Loop, r.Bounce = "it cannot be reached", "it cannot be reached"
	} else {
		r.Loop = refusal(conn.Send(ctx, p.message(bounce, loop, from, domain), nil))
		r.Bounce = refusal(conn.Send(ctx, p.message(bounce, nobody, from, domain), nil))
		_ = conn.Close()
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	p.h.log.Info("the way back is being probed", "domain", domain, "taken", r.Loop == "" && r.Bounce == "")
	_, err = p.h.ledger.SetMeta(ctx, feedback.MetaWayBack+domain+metaProbed, string(text), false)
	return err
}

// refusal is what a relay said, "" if it took the message.
func refusal(a pipeline.Answer) string {
	switch a.Phase {
	case pipeline.PhaseAccepted:
		return ""
	case pipeline.PhaseDoubtful:
		return "no answer"
	case pipeline.PhaseUnsent:
		return "the connection broke"
	}
	return strings.TrimSpace(fmt.Sprint(a.Code, " ", a.Enhanced, " ", a.Reply))
}

// message is a probe: a few lines, nobody's data.
func (p *prover) message(returnPath, to, from, domain string) *pipeline.Message {
	id := "<probe-" + strings.ToLower(rand.Text()) + "@" + domain + ">"
	var b bytes.Buffer
	for _, l := range []string{
		"From: " + from, "To: " + to, "Subject: Way back", "Date: " + p.h.clock.Now().UTC().Format(time.RFC1123Z), "Message-ID: " + id,
		"Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "",
		"This message proves that what comes back reaches us. Nobody needs to read it.",
	} {
		b.WriteString(l + "\r\n")
	}
	local, _, _ := strings.Cut(returnPath, "@")
	return &pipeline.Message{From: returnPath, To: to, ID: id, EnvID: local, Body: b.Bytes()}
}

// addWayBack says whether silence proves anything yet.
func (h *house) addWayBack(ctx context.Context, c pipeline.Campaign, s *status) error {
	if c.Version == 0 || c.LaunchAt.IsZero() {
		return nil
	}
	spec, err := h.editions.Spec(ctx, c)
	if err != nil {
		return err
	}
	counts := provenFor
	if text, err := h.ledger.Meta(ctx, metaProvenFor); err != nil {
		return err
	} else if d, err := time.ParseDuration(text); err == nil && d > 0 {
		counts = d
	}
	for _, d := range returnDomains(spec) {
		v, err := h.proven(ctx, d, counts)
		if err != nil {
			return err
		}
		s.WayBack = append(s.WayBack, v)
	}
	return nil
}

// printWayBack says why accepted e-mails are not counted as informed.
func (s *status) printWayBack(w io.Writer) {
	accepted := s.Channels[pipeline.Email][pipeline.Accepted]
	for _, v := range s.WayBack {
		if v.Proven {
			fmt.Fprintf(w, "Way back of %s: proven, a message to ourselves came back at %s and a bounce at %s\n", v.Domain, v.LoopAt.Local().Format(time.DateTime), v.BounceAt.Local().Format(time.DateTime))
			continue
		}
		fmt.Fprintf(w, "Way back of %s: not proven, so silence proves nothing", v.Domain)
		if accepted > 0 {
			fmt.Fprintf(w, " and %s", count(accepted, "accepted e-mail is not counted as informed", "accepted e-mails are not counted as informed"))
		}
		fmt.Fprintf(w, ": %s\n", v.Why)
	}
}

// alarmAfter is how many accepted e-mails without a single bounce are too good to
// be true: about one address in a hundred is always dead.
const alarmAfter = 2000

// warning is something about what comes back that a person should look at.
type warning struct {
	Code     string  `json:"code"`
	Scope    string  `json:"scope"`
	Sent     int64   `json:"sent"`
	Failed   int64   `json:"failed"`
	Dead     int64   `json:"dead"`
	Share    float64 `json:"share"`
	Sentence string  `json:"sentence"`
}

// addWarnings looks at what comes back: too much of a cohort, or nothing at all.
func (h *house) addWarnings(ctx context.Context, c pipeline.Campaign, s *status) error {
	since, err := dispatch.Since(ctx, h.ledger, c.ID)
	if err != nil {
		return err
	}
	for _, a := range since {
		if !dispatch.TooMany(a) || a.Scope == "provider:" {
			continue
		}
		share := float64(a.Failed()) / float64(a.Sent())
		s.Warnings = append(s.Warnings, warning{"bounces", a.Scope, a.Sent(), a.Failed(), a.Dead, share,
			fmt.Sprintf("%.1f %% of %s %s failed, %s of them because the address does not exist", 100*share, count(a.Sent(), "e-mail", "e-mails"), scopeOf(a.Scope), thousands(a.Dead))})
	}
	if w, err := h.withheld(ctx, c.ID); err != nil {
		return err
	} else if w.Count > 0 {
		s.Warnings = append(s.Warnings, warning{"withheld", pipeline.AllAnswers, 0, w.Count, 0, 0,
			fmt.Sprintf("a mail provider withheld %s itself (suppressed or unsubscribed there), the last on %s: take these addresses off its list and let it put no unsubscribe links in, then release them", count(w.Count, "e-mail", "e-mails"), w.Last.Local().Format(time.DateTime))})
	}
	all, err := h.ledger.Answers(ctx, c.ID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(all, func(a pipeline.Answers) bool { return a.Scope == pipeline.AllAnswers }); i >= 0 && all[i].Accepted >= alarmAfter && all[i].Bounced == 0 {
		a := all[i]
		s.Warnings = append(s.Warnings, warning{"no-bounce", a.Scope, a.Sent(), a.Failed(), a.Dead, 0,
			fmt.Sprintf("not one bounce after %s: that is too good to be true, look at the way back", count(a.Accepted, "accepted e-mail", "accepted e-mails"))})
	}
	return nil
}

// scopeOf says whose e-mails a scope counts.
func scopeOf(scope string) string {
	kind, name, _ := strings.Cut(scope, ":")
	switch kind {
	case "provider":
		return "to " + name
	case "import":
		return "of import " + name
	case "kind":
		return "to holders of " + name
	}
	return "in all"
}
