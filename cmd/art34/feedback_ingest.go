package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/mailbox"
)

type feedbackIngestCmd struct {
	Paths []string `arg:"" help:"Messages, mailboxes (mbox, Maildir), directories with them." placeholder:"PATH"`
}

// Help shows examples.
func (feedbackIngestCmd) Help() string {
	return `Takes bounces, complaints and answers in and does what they ask for: a resend on schedule, a letter for a dead address, an entry in the timeline. The files stay as they are. Doing it again changes nothing, nor does it matter whether a message came by another way before.

Whom a message is about is decided by the signed address that it came to; a mailbox keeps that in Delivered-To or X-Original-To. One that is not signed by us is put aside and changes nothing: art34 feedback list shows it.

Examples:

    art34 feedback ingest bounces.mbox
    art34 feedback ingest ~/Maildir --json`
}

// maxInbound is the most bytes of one message that are kept.
const maxInbound = 10 << 20

// ingestView is what feedback ingest and replay did.
type ingestView struct {
	Messages int                             `json:"messages"` // read
	New      int                             `json:"new"`      // not kept before
	Cut      int                             `json:"cut"`      // longer than what is kept of one
	Judged   map[pipeline.InboundState]int64 `json:"judged"`
}

// ingestAtOnce is how many messages are kept in one transaction.
const ingestAtOnce = 100

// Run keeps every message, then judges.
func (c feedbackIngestCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	w, err := h.openWayBack()
	if err != nil {
		return err
	}
	defer w.Close()
	view := ingestView{}
	var waiting []feedback.Message
	size := 0
	flush := func() error {
		fresh, err := w.intake.Take(ctx, waiting...)
		for _, new := range fresh {
			if new {
				view.New++
			}
		}
		waiting, size = waiting[:0], 0
		return err
	}
	for _, path := range c.Paths {
		err := mailbox.Walk(ctx, path, maxInbound, func(i mailbox.Item) error {
			view.Messages++
			if i.Cut {
				view.Cut++
			}
			waiting, size = append(waiting, feedback.FromMailbox(i.Source, i.Raw, addresses{})), size+len(i.Raw)
			if len(waiting) < ingestAtOnce && size < maxInbound {
				return nil
			}
			return flush()
		})
		var file *fs.PathError
		if errors.As(err, &file) {
			return refuse("unreadable", path+" cannot be read: "+file.Err.Error(), "name files or directories that this user may read; what was read before is kept")
		}
		if err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if view.Judged, err = w.round(ctx); err != nil {
		return err
	}
	if err := h.ledger.Append(ctx, a.audit(0, "feedback-ingest", "", fmt.Sprintf("%d messages, %d new", view.Messages, view.New))); err != nil {
		return err
	}
	return a.answer(view, func(out io.Writer) {
		fmt.Fprintf(out, "%s read, %s not known before.\n", count(int64(view.Messages), "message", "messages"), thousands(int64(view.New)))
		if view.Cut > 0 {
			fmt.Fprintf(out, "%s longer than %d MiB: the rest was left out.\n", count(int64(view.Cut), "message was", "messages were"), maxInbound>>20)
		}
		judgedWords(out, view.Judged)
	})
}

// openWayBack is newWayBack for a command: answers that it finds are sent on too.
func (h *house) openWayBack() (*wayBack, error) {
	relay, err := h.relay()
	if err != nil {
		return nil, err
	}
	forward, err := h.forwarder(relay)
	if err != nil {
		return nil, err
	}
	return h.newWayBack(forward)
}

// round judges what is pending.
func (w *wayBack) round(ctx context.Context) (map[pipeline.InboundState]int64, error) {
	t, err := w.judge.Round(ctx)
	return map[pipeline.InboundState]int64(t), err
}

// judgedWords says what became of messages.
func judgedWords(out io.Writer, judged map[pipeline.InboundState]int64) {
	for _, s := range pipeline.InboundStates() {
		if n := judged[s]; n > 0 {
			fmt.Fprintf(out, "  %-12s %6s  %s\n", s, thousands(n), inboundWords(s))
		}
	}
}

// inboundWords says what a state of a message means.
func inboundWords(s pipeline.InboundState) string {
	return map[pipeline.InboundState]string{
		pipeline.InboundPending:     "wait: their notice is at the relay at this moment, or the cell's mailbox is away",
		pipeline.InboundApplied:     "moved their notice: a resend, a letter, or the end of the matter",
		pipeline.InboundRecorded:    "stand in the timeline, and moved nothing",
		pipeline.InboundForwarded:   "were sent on to the cell's mailbox",
		pipeline.InboundQuarantined: "claim to be about a notice and are not signed by us: nothing was changed",
		pipeline.InboundUnmatched:   "say nothing about whom they are about",
		pipeline.InboundGarbage:     "are ours, and say nothing that is understood: a person should look",
	}[s]
}

type feedbackReplayCmd struct {
	Verdict []string `help:"Only messages that ended as one of these: ${enum}." enum:"applied,recorded,forwarded,quarantined,unmatched,garbage" placeholder:"VERDICT,…"`
}

// Help shows examples.
func (feedbackReplayCmd) Help() string {
	return `Judges again what was kept, after the rules have changed or a key was restored. What was done already is found and not done again; answers are not sent on twice.

Examples:

    art34 feedback replay
    art34 feedback replay --verdict garbage,unmatched`
}

// Run judges again.
func (c feedbackReplayCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	states := pipeline.InboundStates()
	if len(c.Verdict) > 0 {
		states = slices.DeleteFunc(states, func(s pipeline.InboundState) bool { return !slices.Contains(c.Verdict, string(s)) })
	}
	w, err := h.openWayBack()
	if err != nil {
		return err
	}
	defer w.Close()
	n, err := h.ledger.Reopen(ctx, states)
	if err != nil {
		return err
	}
	view := ingestView{Messages: int(n)}
	if view.Judged, err = w.round(ctx); err != nil {
		return err
	}
	if err := h.ledger.Append(ctx, a.audit(0, "feedback-replay", "", fmt.Sprintf("%d messages: %s", n, strings.Join(c.Verdict, ",")))); err != nil {
		return err
	}
	return a.answer(view, func(out io.Writer) {
		fmt.Fprintf(out, "%s judged again.\n", count(n, "message", "messages"))
		judgedWords(out, view.Judged)
	})
}

type feedbackListCmd struct {
	Verdict []string `help:"Only messages that ended as one of these: ${enum}." enum:"pending,applied,recorded,forwarded,quarantined,unmatched,garbage" placeholder:"VERDICT,…"`
	Kind    []string `help:"Only messages of these kinds, for example closed-mailbox,left-company,challenge." placeholder:"KIND,…"`
	Limit   int      `help:"At most so many." default:"100" placeholder:"N"`
	Show    int64    `help:"Open one message and print it; the audit trail says who did." placeholder:"ID"`
}

// Help shows examples.
func (feedbackListCmd) Help() string {
	return `Without options it lists what a person should look at: what was put aside or not understood, and robots that say that nobody reads a mailbox. No addresses are shown. art34 find says more about a notice by its reference.

Examples:

    art34 feedback list
    art34 feedback list --verdict quarantined
    art34 feedback list --kind closed-mailbox,left-company,challenge --json
    art34 feedback list --show 17`
}

// inboundView is a line of feedback list.
type inboundView struct {
	ID        int64                  `json:"id"`
	At        string                 `json:"at"`
	Source    pipeline.InboundSource `json:"source"`
	Verdict   pipeline.InboundState  `json:"verdict"`
	Kind      string                 `json:"kind"`
	Outcome   pipeline.Outcome       `json:"outcome"`
	Code      string                 `json:"code"`
	Reference string                 `json:"reference"`
	Attempt   int                    `json:"attempt"`
	Rules     int                    `json:"rules"`
}

type feedbackListView struct {
	Counts   []pipeline.InboundCount `json:"counts"`
	Messages []inboundView           `json:"messages"`
}

// worklist are the kinds of answers that ask for a person.
func worklist() []string {
	return []string{string(feedback.Closed), string(feedback.Left), string(feedback.Challenge)}
}

// Run lists messages, or shows one.
func (c feedbackListCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	if c.Show > 0 {
		return c.show(ctx, h)
	}
	view := feedbackListView{Messages: []inboundView{}}
	if view.Counts, err = h.ledger.CountInbox(ctx); err != nil {
		return err
	}
	filters := []pipeline.InboundFilter{{Kinds: c.Kind}}
	for _, v := range c.Verdict {
		filters[0].States = append(filters[0].States, pipeline.InboundState(v))
	}
	if len(c.Verdict) == 0 && len(c.Kind) == 0 {
		filters[0].States = []pipeline.InboundState{pipeline.InboundQuarantined, pipeline.InboundUnmatched, pipeline.InboundGarbage}
		filters = append(filters, pipeline.InboundFilter{Kinds: worklist(), States: []pipeline.InboundState{pipeline.InboundApplied, pipeline.InboundRecorded}})
	}
	for _, f := range filters {
		if f.Limit = max(c.Limit-len(view.Messages), 0); f.Limit == 0 {
			break
		}
		for m, err := range h.ledger.Inbox(ctx, f) {
			if err != nil {
				return err
			}
			view.Messages = append(view.Messages, h.viewInbound(ctx, m))
		}
	}
	slices.SortFunc(view.Messages, func(a, b inboundView) int { return int(a.ID - b.ID) })
	return a.answer(view, func(w io.Writer) { view.text(w, c.Limit) })
}

func (h *house) viewInbound(ctx context.Context, m pipeline.Inbound) inboundView {
	v := inboundView{
		ID: m.ID, At: m.At.Format("2006-01-02 15:04"), Source: m.Source, Verdict: m.State, Kind: m.Kind, Outcome: m.Outcome, Code: m.Code, Attempt: m.Attempt, Rules: m.Rules,
	}
	if m.Notice == 0 {
		return v
	}
	j, err := h.ledger.Notice(ctx, m.Notice)
	if err != nil {
		return v
	}
	keys, err := h.keys.Existing(j.Campaign)
	if err != nil {
		return v
	}
	if p, err := openPerson(keys, j); err == nil {
		v.Reference = p.Reference.String()
	}
	return v
}

func (v feedbackListView) text(w io.Writer, limit int) {
	all := map[pipeline.InboundState]int64{}
	for _, c := range v.Counts {
		all[c.State] += c.Count
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "Nothing has come back.")
		return
	}
	var parts []string
	for _, s := range pipeline.InboundStates() {
		if all[s] > 0 {
			parts = append(parts, thousands(all[s])+" "+string(s))
		}
	}
	fmt.Fprintln(w, strings.Join(parts, ", ")+".")
	if len(v.Messages) == 0 {
		fmt.Fprintln(w, "Nothing of this waits for a person.")
		return
	}
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tCAME\tBY\tVERDICT\tKIND\tCODE\tREFERENCE\tATTEMPT")
		for _, m := range v.Messages {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", m.ID, m.At, m.Source, m.Verdict, m.Kind, printable(m.Code), m.Reference, m.Attempt)
		}
	})
	if len(v.Messages) == limit {
		fmt.Fprintf(w, "Only the first %d are shown; --limit shows more.\n", limit)
	}
}

// printable takes control characters out of what strangers wrote.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// show prints one message as it came, and says so in the audit trail first.
func (c feedbackListCmd) show(ctx context.Context, h *house) error {
	var found *pipeline.Inbound
	for m, err := range h.ledger.Inbox(ctx, pipeline.InboundFilter{After: c.Show - 1, Limit: 1, Raw: true}) {
		if err != nil {
			return err
		}
		found = &m
	}
	if found == nil || found.ID != c.Show {
		return decline("not-found", fmt.Sprintf("there is no message %d", c.Show), "art34 feedback list shows what came back")
	}
	if err := h.ledger.Append(ctx, h.audit(0, "feedback-show", "", fmt.Sprintf("message %d", c.Show))); err != nil {
		return err
	}
	keys, err := h.keys.Installation()
	if err != nil {
		return err
	}
	m, err := feedback.Open(keys, *found)
	if err != nil {
		return err
	}
	view := map[string]any{"id": found.ID, "from": m.From, "to": m.To, "verdict": found.State, "code": found.Code, "raw": string(m.Raw)}
	return h.answer(view, func(w io.Writer) {
		fmt.Fprintf(w, "message %d: %s, %s %s\nfrom <%s> to <%s>\n\n", found.ID, found.State, found.Kind, printable(found.Code), printable(m.From), printable(m.To))
		for line := range strings.Lines(strings.ReplaceAll(string(m.Raw), "\r\n", "\n")) {
			fmt.Fprintln(w, printable(strings.TrimRight(line, "\n")))
		}
	})
}
