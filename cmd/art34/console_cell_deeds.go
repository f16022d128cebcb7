package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/redact"
)

// mostCopies is how many copies of a letter callers get: more are somebody else's
// wish.
const mostCopies = 5

// askedFor reports whether a notice is a copy that a caller asked for. The paper twin
// of an e-mail is in the lane of first letters.
func askedFor(n pipeline.Notice) bool {
	return n.Role == pipeline.Copy && n.Kind == pipeline.CopyOf && n.Lane == pipeline.LaneResend
}

// why refuses a reason that holds personal data: reasons lie in clear.
func why(reason string) error {
	if what := redact.Personal(reason); what != "" {
		return decline("reason-personal", "the reason holds "+what+", and reasons lie in clear in the ledger", "say why without naming anybody; a note of the call is sealed")
	}
	return nil
}

// launched refuses a campaign that sends nothing yet, or nothing any more.
func launched(c pipeline.Campaign) error {
	if c.State != pipeline.Running && c.State != pipeline.Paused {
		return decline("not-launched", c.Name+" is not under way", "it can be done from the launch of the campaign until it is cancelled")
	}
	return nil
}

// Copy sends the letter once more. Of two who ask at the same moment the second
// looks again, and finds what the first one got.
func (k consoleCustomers) Copy(ctx context.Context, actor string, c pipeline.Campaign, notice int64, o console.CopyOrder, reason string) (int64, error) {
	if err := errors.Join(why(reason), launched(c)); err != nil {
		return 0, err
	}
	for range copyTries {
		id, err := k.copy(ctx, actor, c, notice, o, reason)
		if !errors.Is(err, pipeline.ErrStale) {
			return id, err
		}
	}
	return 0, decline("copies-busy", "too many copies are asked for at this very moment", "try again in a minute")
}

// copyTries is how often a copy gives way to those of other customers.
const copyTries = 20

// copy is Copy if nobody else of the import gets one meanwhile; else
// pipeline.ErrStale.
func (k consoleCustomers) copy(ctx context.Context, actor string, c pipeline.Campaign, notice int64, o console.CopyOrder, reason string) (int64, error) {
	imports, err := k.h.ledger.Imports(ctx, c.ID)
	if err != nil {
		return 0, err
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return 0, err
	}
	if err := x.mayCopy(o); err != nil {
		return 0, err
	}
	id, err := k.h.ledger.ReserveIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	n, p := x.copyOf(id, o)
	n.DueAt, n.MovedAt = k.h.clock.Now(), k.h.real.Now()
	if err := x.fit(ctx, n, p, n.DueAt); err != nil {
		return 0, err
	}
	plain, err := p.MarshalBinary()
	if err != nil {
		return 0, err
	}
	var tokens []pipeline.Token
	for _, key := range intake.SearchKeys(p) {
		tokens = append(tokens, pipeline.Token{Hash: x.keys.Token(key.Kind, key.Value), Notice: id})
	}
	a := k.as(actor).audit(c.ID, "copy", reason, fmt.Sprintf("notice %d of notice %d by %s", id, notice, o.Channel))
	in := slices.IndexFunc(imports, func(i pipeline.Import) bool { return i.ID == n.Import })
	if in < 0 {
		return 0, pipeline.ErrStale // published since
	}
	return id, k.h.ledger.AddCopy(ctx, pipeline.Staged{Notice: n, Sealed: x.keys.Seal(plain, n.SealContext())}, imports[in].Copied, tokens, a)
}

// mayCopy refuses a copy of nothing, to nowhere, or too many.
func (x *customer) mayCopy(o console.CopyOrder) error {
	n := x.primary.Notice
	switch {
	case n.State == pipeline.Excluded || n.State == pipeline.Cancelled || n.State == pipeline.Held:
		return decline("notice-"+string(n.State), "this customer is not written to for now", "pass the call on to the lead")
	case x.apart():
		return decline("customer-apart", "this customer has died, or is to be protected", "pass the call on to the lead")
	case n.FirstAt.IsZero():
		return decline("not-sent", "the letter itself has not left yet", "it can go by post instead")
	case o.Channel != pipeline.Email && o.Channel != pipeline.Post:
		return refuse("channel", "a copy goes by e-mail or by post", "choose one of the two")
	case !x.reach()[o.Channel]:
		return decline("no-address", "there is no address from before the incident to which a copy could go this way", "a corrected address gets a letter by itself, once a second person has agreed")
	case o.Locale != "" && !slices.Contains(x.edition.spec.Letters.Locales, o.Locale):
		return refuse("locale", "this campaign is not written in this language", "choose one of the languages of its letters")
	case o.Format != "" && o.Format != pipeline.FormatStandard && o.Format != pipeline.FormatLargePrint:
		return decline("format", "this format is made by hand", "pass the call on to the lead")
	case o.Format == pipeline.FormatLargePrint && o.Channel != pipeline.Post:
		return decline("format", "large print is paper", "an e-mail can be made larger by whoever reads it")
	}
	copies := 0
	for _, j := range x.notices {
		if !askedFor(j.Notice) {
			continue
		}
		if copies++; j.Channel == o.Channel && !j.State.Settled() && j.State != pipeline.Accepted && j.State != pipeline.Posted {
			return decline("copy-coming", "a copy is on its way already", "tell the caller that it is coming; another can be sent once it has gone")
		}
	}
	if copies >= mostCopies {
		return decline("copies", fmt.Sprintf("this customer has had %d copies already", copies), "pass the call on to the lead")
	}
	return nil
}

// apart reports whether a flag that the cell gives asks for a person before anything
// goes out.
func (x *customer) apart() bool {
	for _, j := range x.notices {
		for _, f := range console.MarkFlags() {
			if slices.Contains(j.Flags, f) && x.edition.spec.FlagRule(f) != pipeline.RuleSend {
				return true
			}
		}
	}
	return false
}

// copyOf is the copy of a letter, with all that the customer has been told.
func (x *customer) copyOf(id int64, o console.CopyOrder) (pipeline.Notice, pipeline.Person) {
	p, n := x.whole(), x.primary.Notice
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	sum := x.keys.MAC("reference", n.Person, []byte("asked-for"), b[:])
	p.Reference = pipeline.NewReference(binary.BigEndian.Uint64(sum[:]))
	kinds, _ := p.Kinds()
	c := pipeline.Notice{
		ID: id, Campaign: n.Campaign, Import: n.Import, Parent: n.ID, Role: pipeline.Copy, Person: n.Person,
		State: pipeline.Due, Born: pipeline.Due, Channel: o.Channel, Lane: pipeline.LaneResend, Attempt: 1, Kind: pipeline.CopyOf, Reach: pipeline.ByEmail, Gen: 1,
		Provider: n.Provider, Locale: n.Locale, Format: n.Format, Country: n.Country, Area: n.Area, Sender: n.Sender,
		Kinds: kinds, Products: n.Products, Flags: n.Flags,
	}
	if o.Channel == pipeline.Post {
		c.Reach = pipeline.ByPost
	}
	if o.Locale != "" {
		c.Locale = o.Locale
	}
	if o.Format != "" {
		c.Format = o.Format
	}
	return c, p
}

// fit refuses a letter that could not be made.
func (x *customer) fit(ctx context.Context, n pipeline.Notice, p pipeline.Person, at time.Time) error {
	made, err := x.edition.renderPerson(ctx, n, p, at)
	if err != nil {
		return explained(err)
	}
	if n.Channel == pipeline.Email {
		_, err = x.edition.message(made, at)
	} else {
		_, err = x.edition.item(made, 1)
	}
	if err != nil {
		return explained(err)
	}
	return nil
}

// ByPost lets what is planned by e-mail go by post.
func (k consoleCustomers) ByPost(ctx context.Context, actor string, c pipeline.Campaign, notice int64, reason string) error {
	if err := errors.Join(why(reason), launched(c)); err != nil {
		return err
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return err
	}
	if err := x.mayPost(); err != nil {
		return err
	}
	h, moved := k.as(actor), 0
	for _, j := range x.notices {
		if j.Role == pipeline.Copy {
			continue
		}
		ok, err := h.patiently(ctx, j.ID, func(j pipeline.Job) (*pipeline.Change, error) { return h.byPost(ctx, x, j.Notice, reason) })
		if err != nil {
			return err
		}
		if ok {
			moved++
		}
	}
	if moved == 0 {
		return errNothingPlanned()
	}
	return h.ledger.Append(ctx, h.audit(c.ID, "by-post", reason, fmt.Sprintf("notice %d", notice)))
}

func errNothingPlanned() error {
	return decline("nothing-planned", "nothing is planned by e-mail for this customer", "send a copy by post instead")
}

// mayPost refuses to let go by post what must not, or what is not planned.
func (x *customer) mayPost() error {
	switch {
	case x.apart():
		return decline("customer-apart", "this customer has died, or is to be protected", "pass the call on to the lead")
	case !x.reach()[pipeline.Post]:
		return decline("no-address", "there is no postal address from before the incident that can be written to", "a corrected address needs a second person")
	case !slices.ContainsFunc(x.notices, func(j pipeline.Job) bool { return j.Role != pipeline.Copy && canPost(j.Notice) }):
		return errNothingPlanned()
	}
	return nil
}

// canPost reports whether a notice can go by post that would go by e-mail, or not at
// all. What is being sent at this moment is waited for.
func canPost(n pipeline.Notice) bool {
	return n.Channel != pipeline.Post && slices.Contains([]pipeline.State{pipeline.Due, pipeline.Queued, pipeline.Sending, pipeline.Unreachable}, n.State)
}

// cannot says of what a caller may ask for why it cannot be done now, so that nobody
// offers it: codes of errors.
func (x *customer) cannot() map[string]string {
	no := map[string]string{}
	for deed, err := range map[string]error{
		console.DeedCopyEmail: errors.Join(launched(x.campaign), x.mayCopy(console.CopyOrder{Channel: pipeline.Email})),
		console.DeedCopyPost:  errors.Join(launched(x.campaign), x.mayCopy(console.CopyOrder{Channel: pipeline.Post})),
		console.DeedByPost:    errors.Join(launched(x.campaign), x.mayPost()),
	} {
		if err != nil {
			no[deed] = pipeline.ErrorCode(err)
		}
	}
	return no
}

// reasonAsked is why a notice goes by post that was to go by e-mail.
const reasonAsked = "asked-for-post"

// byPost is the change that lets a notice go by post, nil if none is needed.
func (h *house) byPost(ctx context.Context, x *customer, n pipeline.Notice, reason string) (*pipeline.Change, error) {
	if n.Channel == pipeline.Post || n.State != pipeline.Due && n.State != pipeline.Unreachable {
		return nil, nil
	}
	attempts, err := h.ledger.Attempts(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	now, next := h.clock.Now(), n
	if slices.ContainsFunc(attempts, func(a pipeline.Attempt) bool { return a.N == n.Attempt }) {
		next.Attempt++
	}
	next.State, next.Channel, next.DueAt, next.Reason, next.Owner, next.MovedAt = pipeline.Due, pipeline.Post, now, reasonAsked, "", h.real.Now()
	next.Reach |= pipeline.ByPost
	if len(attempts) > 0 {
		next.Kind, next.Lane = pipeline.Fallback, max(n.Lane, pipeline.LaneResend)
	}
	change := pipeline.Move(n, next, pipeline.Event{Kind: pipeline.EvRouted, At: now, Actor: h.actor(), Code: reasonAsked, Detail: reason})
	return &change, nil
}

// patiently changes a notice, whatever else happens to it meanwhile. What is being
// sent at this very moment is waited for.
func (h *house) patiently(ctx context.Context, id int64, f func(pipeline.Job) (*pipeline.Change, error)) (bool, error) {
	until := h.real.Now().Add(busyFor)
	for {
		j, err := h.ledger.Notice(ctx, id)
		if err != nil {
			return false, err
		}
		if j.State != pipeline.Sending && j.State != pipeline.Queued {
			change, err := f(j)
			if err != nil || change == nil {
				return false, err
			}
			ok, err := h.ledger.Commit(ctx, []pipeline.Change{*change})
			if err != nil || ok[0] {
				return err == nil, err
			}
		}
		if h.real.Now().After(until) {
			return false, decline("notice-busy", "this letter is being sent at this very moment", "try again in a minute")
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// correctionOf is the correction of a customer's address, as art34 correct makes it.
func (k consoleCustomers) correctionOf(ctx context.Context, h *house, c pipeline.Campaign, notice int64, a console.Address, reason string) (*correction, *customer, error) {
	if err := why(reason); err != nil {
		return nil, nil, err
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return nil, nil, err
	}
	if len(x.person.CustomerIDs) == 0 {
		return nil, nil, decline("customer-unknown", "this customer has no number", "note it, and pass the call on to the lead")
	}
	cmd := correctCmd{campaignArg: campaignArg{c.Name}, Customer: x.person.CustomerIDs[0], Email: a.Email, Postcode: a.Postcode, City: a.City, Country: a.Country, Reason: reason}
	for i, to := range []*string{&cmd.Address1, &cmd.Address2, &cmd.Address3, &cmd.Address4, &cmd.Address5} {
		if i < len(a.Lines) {
			*to = a.Lines[i]
		}
	}
	if len(a.Lines) > 5 {
		return nil, nil, decline("address-long", "a postal address has five lines at most, beside postcode and town", "put what belongs together on one line")
	}
	if a.Email == "" && (cmd.lines() == nil || a.City == "") {
		return nil, nil, decline("address-missing", "a postal address is given as a whole: lines, postcode and town", "ask for what is missing")
	}
	made, err := h.newCorrection(ctx, c, cmd)
	return made, x, err
}

// Judge says what is wrong with an address.
func (k consoleCustomers) Judge(ctx context.Context, c pipeline.Campaign, notice int64, a console.Address) error {
	made, x, err := k.correctionOf(ctx, k.h, c, notice, a, "")
	if err != nil {
		return err
	}
	if _, err := made.jobs(ctx); err != nil {
		return err
	}
	after, err := made.correct(x.person, k.h.clock.Now())
	if err != nil {
		return err
	}
	return made.allowed(x.primary.Notice, after)
}

// Correct gives the customer an address, and writes there, except where that was done
// since the decision.
func (k consoleCustomers) Correct(ctx context.Context, actor string, c pipeline.Campaign, notice int64, a console.Address, reason string, decided time.Time) error {
	made, _, err := k.correctionOf(ctx, k.as(actor), c, notice, a, reason)
	if err != nil {
		return err
	}
	made.decided = decided
	_, err = made.apply(ctx)
	return err
}
