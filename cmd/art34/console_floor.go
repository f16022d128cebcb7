package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/console/answer"
	"github.com/art34/art34/pipeline/console/vouch"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/templates"
)

// consoleFloor knows letters, keys and starting questions for the pages of the floor.
type consoleFloor struct{ h *house }

// Keys are those of a campaign: a draft without lists has none yet, and gets them.
func (f consoleFloor) Keys(campaign int64) (console.CampaignKeys, error) {
	keys, err := f.h.keys.Existing(campaign)
	switch {
	case errors.Is(err, seal.ErrNoKeys):
		return f.h.keys.Campaign(campaign)
	case errors.Is(err, seal.ErrDestroyed):
		return nil, decline("campaign-erased", "the data of this campaign were destroyed", "nothing more is kept of it")
	}
	return keys, err
}

// Links are the hosts that letters of a campaign may link to, and answers too.
func (f consoleFloor) Links(ctx context.Context, c pipeline.Campaign) ([]string, error) {
	spec, err := f.h.specOf(ctx, c)
	if err != nil {
		return nil, nil // a folder that cannot be read allows nothing
	}
	return spec.Letters.AllowLinks, nil
}

// specOf is the approved campaign.yaml, or that of the draft.
func (h *house) specOf(ctx context.Context, c pipeline.Campaign) (*pipeline.Spec, error) {
	if c.Version > 0 {
		return h.editions.Spec(ctx, c)
	}
	_, spec, err := h.folder(c.Name).read()
	return spec, err
}

// reserved are flags of customers to whom a shop says nothing.
var reserved = [...]string{"vip", "press", "protected-address", "litigation"}

// Spoken is the sentence for a reference.
func (f consoleFloor) Spoken(ctx context.Context, actor string, r pipeline.Reference) (console.Spoken, error) {
	one, _, err := f.byReference(ctx, actor, r)
	if err != nil {
		return console.Spoken{}, err
	}
	s := console.Spoken{Campaign: one.campaign, Notice: one.job.ID}
	if spec, err := f.h.specOf(ctx, one.campaign); err == nil {
		s.Phone = spec.Senders[senderKey(spec, one.job.Sender)].Phone
	}
	if s.Reserved = slices.ContainsFunc(reserved[:], func(flag string) bool { return slices.Contains(one.job.Flags, flag) }); s.Reserved {
		return s, nil
	}
	events, err := f.h.ledger.Events(ctx, one.job.ID)
	if err != nil {
		return s, err
	}
	attempts, err := f.h.ledger.Attempts(ctx, one.job.ID)
	if err != nil {
		return s, err
	}
	one.local(events, attempts)
	if s.Sentence = aloud(one.job.Notice, attempts, events); slices.Contains(one.job.Flags, pipeline.FlagDeceased) {
		s.Sentence = aloudDeceased()
	}
	return s, nil
}

func senderKey(spec *pipeline.Spec, key string) string {
	if _, ok := spec.Senders[key]; ok {
		return key
	}
	return spec.SenderOf["*"]
}

// byReference is the notice of a reference, with those of the same person beside it.
// Who asked is on record.
func (f consoleFloor) byReference(ctx context.Context, actor string, r pipeline.Reference) (found, []found, error) {
	h := consoleDesk{f.h}.As(actor).(clerk).h
	list, _, err := h.search(ctx, findCmd{Key: r.String()})
	if err != nil {
		return found{}, nil, err
	}
	i := slices.IndexFunc(list, func(x found) bool { return x.asked })
	if i < 0 {
		return found{}, nil, pipeline.ErrNotFound
	}
	return list[i], slices.DeleteFunc(slices.Clone(list), func(x found) bool { return x.campaign.ID != list[i].campaign.ID }), nil
}

// Letters renders again what was sent to the person of a reference. What cannot be
// rendered word for word is left out: it would vouch for nothing.
func (f consoleFloor) Letters(ctx context.Context, actor string, r pipeline.Reference) (console.Letters, error) {
	one, all, err := f.byReference(ctx, actor, r)
	if err != nil {
		return console.Letters{}, err
	}
	out := console.Letters{Campaign: one.campaign, Notice: one.job.ID}
	for _, x := range all {
		out.Reserved = out.Reserved || console.Reserved(x.job.Flags)
	}
	for _, x := range all {
		attempts, err := f.h.ledger.Attempts(ctx, x.job.ID)
		if err != nil {
			return out, err
		}
		events, err := f.h.ledger.Events(ctx, x.job.ID)
		if err != nil {
			return out, err
		}
		for _, at := range attempts {
			// A letter that lies at the printer's is in nobody's hand.
			if at.Channel == pipeline.Post && !slices.ContainsFunc(events, func(e pipeline.Event) bool { return e.Attempt == at.N && e.Kind == pipeline.EvDeposited }) {
				continue
			}
			v, _, err := f.h.again(ctx, x, at)
			if err != nil {
				return out, err
			}
			if !v.sameText {
				continue
			}
			s, err := f.sent(ctx, x, at, v)
			if err != nil {
				return out, err
			}
			out.Sent = append(out.Sent, s)
		}
	}
	return out, nil
}

func (f consoleFloor) sent(ctx context.Context, x found, at pipeline.Attempt, v letterView) (vouch.Sent, error) {
	e, err := f.h.editions.at(ctx, x.campaign, at.Version)
	if err != nil {
		return vouch.Sent{}, err
	}
	sender := e.spec.Senders[senderKey(e.spec, x.job.Sender)]
	s := vouch.Sent{
		Notice: x.job.ID, Attempt: at.N, Channel: at.Channel, At: at.At, Subject: v.Subject, Text: v.Text,
		Names: []string{sender.DisplayName, sender.LegalName}, Phones: []string{sender.Phone, e.spec.Controller.DPO.Phone},
	}
	if at.Channel == pipeline.Email {
		s.Addresses = []string{sender.From, sender.ReplyTo}
	}
	return s, nil
}

// Starters are the starting questions of a campaign's kind, filled with what it says.
func (f consoleFloor) Starters(ctx context.Context, c pipeline.Campaign) ([]answer.Entry, error) {
	return f.h.starters(ctx, c)
}

func (h *house) starters(ctx context.Context, c pipeline.Campaign) ([]answer.Entry, error) {
	spec, err := h.specOf(ctx, c)
	if err != nil {
		return nil, explained(err)
	}
	return fillStarters(spec)
}

func fillStarters(spec *pipeline.Spec) ([]answer.Entry, error) {
	names, err := fs.Glob(templates.QA(), spec.Kind+".*.md")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, decline("no-starters", "there are no starting questions for a campaign of the kind "+spec.Kind, "write them with art34 qa add, or on the pages")
	}
	var list []answer.Entry
	for _, name := range names {
		src, err := fs.ReadFile(templates.QA(), name)
		if err != nil {
			return nil, err
		}
		locale := answer.LocaleOf(name)
		text, err := answer.Fill(path.Base(name), src, factsOf(spec, locale))
		if err != nil {
			return nil, err
		}
		entries, faults := answer.Parse(locale, text)
		if len(faults) > 0 {
			return nil, fmt.Errorf("%s:%d: %s", name, faults[0].Line, faults[0].Sentence())
		}
		list = append(list, entries...)
	}
	return list, nil
}

// factsOf is what a campaign says, in one language.
func factsOf(spec *pipeline.Spec, locale string) answer.Facts {
	sender := spec.Senders[senderKey(spec, "")]
	i, c := spec.Incident, spec.Controller
	f := answer.Facts{
		Brand: answer.Fact(sender.DisplayName), Phone: answer.Fact(sender.Phone), Hours: answer.Fact(sender.Hours[locale]), From: answer.Fact(sender.From),
		Controller: answer.Fact(c.Name), Address: answer.Fact(strings.Join(c.Address, ", ")),
		DPO:  answer.Contact{Name: answer.Fact(c.DPO.Name), Post: answer.Fact(c.DPO.Post), Phone: answer.Fact(c.DPO.Phone), Email: answer.Fact(c.DPO.Email)},
		When: answer.Fact(between(locale, i.HappenedFrom.Time, i.HappenedTo.Time)), What: answer.Fact(i.Facts[locale]), NotTaken: answer.Fact(i.NotTaken[locale]), WhyNow: answer.Fact(i.WhyNow[locale]),
	}
	if !i.Discovered.IsZero() {
		f.Discovered = answer.Fact(dateIn(locale, i.Discovered.Time))
	}
	for _, m := range i.Measures[locale] {
		f.Measures = append(f.Measures, answer.Fact(m))
	}
	for _, host := range spec.Letters.AllowLinks {
		f.Links = append(f.Links, answer.Fact(host))
	}
	return f
}

// between says a day or a period with its preposition; "" if it is not known.
func between(locale string, from, to time.Time) string {
	switch {
	case from.IsZero():
		return ""
	case to.IsZero() || to.Equal(from):
		return map[bool]string{true: "le ", false: "on "}[locale == "fr"] + dateIn(locale, from)
	case locale == "fr":
		return "entre le " + dateIn(locale, from) + " et le " + dateIn(locale, to)
	}
	return "between " + dateIn(locale, from) + " and " + dateIn(locale, to)
}
