package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
)

// consoleCustomers reads for the cell what is known about customers, and does what it
// asks for. Who may ask is for the cell to know.
type consoleCustomers struct{ h *house }

// as is the house in somebody's name.
func (k consoleCustomers) as(actor string) *house { return consoleDesk(k).As(actor).(clerk).h }

// Seek looks a key up in campaigns.
func (k consoleCustomers) Seek(ctx context.Context, actor string, campaigns []pipeline.Campaign, key string) (console.Sought, error) {
	h, s := k.as(actor), console.Sought{Kind: "other"}
	if q := intake.QueryKeys(key); len(q) > 0 {
		s.Kind = q[0].Kind
	}
	for _, c := range campaigns {
		keys, err := h.keys.Existing(c.ID)
		if errors.Is(err, seal.ErrNoKeys) || errors.Is(err, seal.ErrDestroyed) {
			continue
		}
		if err != nil {
			return s, err
		}
		hit, err := h.searchIn(ctx, c, keys, key)
		if err != nil {
			return s, err
		}
		s.Trail = append(s.Trail, hit.trail...)
		if len(hit.list) == 0 && hit.bystanderOf == 0 {
			continue
		}
		s.Kind = hit.kind
		imports, err := h.ledger.Imports(ctx, c.ID)
		if err != nil {
			return s, err
		}
		if len(hit.list) == 0 {
			s.Others = append(s.Others, console.Bystander{Campaign: c, Import: hit.bystanderOf, ByName: hit.byName, Token: hit.token[:]})
			continue
		}
		for _, person := range personsIn(hit.list) {
			m := console.Match{Campaign: c, Shared: hit.bystanderOf != 0 && !hit.byName}
			for _, f := range person {
				m.Notice = primaryOf(f.job.Notice)
				m.Flags = pipeline.Set(append(m.Flags, f.job.Flags...))
			}
			for _, i := range published(imports) {
				m.Import = max(m.Import, i.ID)
			}
			s.Matches = append(s.Matches, m)
		}
	}
	return s, nil
}

// personsIn puts the notices of each person of one campaign together.
func personsIn(list []found) (persons [][]found) {
	for _, f := range list {
		i := slices.IndexFunc(persons, func(p []found) bool { return bytes.Equal(p[0].job.Person, f.job.Person) })
		if i < 0 {
			persons = append(persons, []found{f})
		} else {
			persons[i] = append(persons[i], f)
		}
	}
	return persons
}

// primaryOf is the notice that a supplement or copy belongs to.
func primaryOf(n pipeline.Notice) int64 {
	if n.Parent != 0 {
		return n.Parent
	}
	return n.ID
}

// customer is somebody of the population with all their notices, oldest first.
type customer struct {
	campaign pipeline.Campaign
	edition  *edition
	keys     *seal.Keys
	primary  pipeline.Job
	person   pipeline.Person
	notices  []pipeline.Job
	persons  []pipeline.Person // of the notices
}

// customer reads the customer of a primary notice.
func (k consoleCustomers) customer(ctx context.Context, c pipeline.Campaign, notice int64) (*customer, error) {
	h, x := k.h, &customer{campaign: c}
	var err error
	if x.primary, err = h.ledger.Notice(ctx, notice); err != nil {
		return nil, err
	}
	if x.primary.Campaign != c.ID || x.primary.Role != pipeline.Primary {
		return nil, pipeline.ErrNotFound
	}
	if x.keys, err = h.keys.Existing(c.ID); err != nil {
		return nil, explained(err)
	}
	if x.edition = h.speaking(ctx, c); x.edition == nil {
		return nil, decline("letters", "the letters of "+c.Name+" cannot be read", "an operator has to look")
	}
	if x.person, err = openPerson(x.keys, x.primary); err != nil {
		return nil, err
	}
	x.notices = []pipeline.Job{x.primary}
	if len(x.person.CustomerIDs) > 0 {
		beside, err := h.byCustomer(ctx, c.ID, x.keys, x.person.CustomerIDs[0])
		if err != nil {
			return nil, err
		}
		for _, b := range beside {
			if b.ID != notice && bytes.Equal(b.Person, x.primary.Person) {
				x.notices = append(x.notices, b)
			}
		}
	}
	slices.SortFunc(x.notices, func(a, b pipeline.Job) int { return cmp.Compare(a.ID, b.ID) })
	for _, j := range x.notices {
		p, err := openPerson(x.keys, j)
		if err != nil {
			return nil, err
		}
		x.persons = append(x.persons, p)
	}
	return x, nil
}

// all are the codes of everything that was stolen of the customer.
func (x *customer) stolen() (kinds []string) {
	for _, j := range x.notices {
		kinds = append(kinds, j.Kinds...)
	}
	return pipeline.Set(kinds)
}

// File is what is known about a customer.
func (k consoleCustomers) File(ctx context.Context, c pipeline.Campaign, notice int64) (console.File, error) {
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return console.File{}, err
	}
	f := console.File{
		Name: x.person.FullName(), Customers: x.person.CustomerIDs, Reference: x.person.Reference.String(), Locale: x.primary.Locale,
		State: x.primary.State, Locales: x.edition.spec.Letters.Locales, Reach: x.reach(), Cannot: x.cannot(), Impacts: x.impacts(),
		OnFile: map[pipeline.Channel]bool{pipeline.Email: x.person.Email != "", pipeline.Post: len(x.person.Address) > 0},
	}
	f.Address = console.Address{Email: x.person.Email, Lines: x.person.Address, Postcode: x.person.Postcode, City: x.person.City, Country: x.person.Country}
	for i, j := range x.notices {
		f.Notices = append(f.Notices, j.Notice)
		f.Flags = pipeline.Set(append(f.Flags, j.Flags...))
		for _, key := range intake.SearchKeys(x.persons[i]) {
			t := x.keys.Token(key.Kind, key.Value)
			f.Tokens = append(f.Tokens, t[:])
		}
		if err := k.tell(ctx, x, j, &f); err != nil {
			return f, err
		}
	}
	if slices.Contains(f.Flags, pipeline.FlagDeceased) {
		f.Sentences = []map[string]string{aloudDeceased()}
	}
	slices.SortStableFunc(f.Timeline, func(a, b console.Happening) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(f.Letters, func(a, b console.LetterOf) int { return a.At.Compare(b.At) })
	f.Next = x.next()
	return f, nil
}

// tell adds what happened to one notice.
func (k consoleCustomers) tell(ctx context.Context, x *customer, j pipeline.Job, f *console.File) error {
	events, err := k.h.ledger.Events(ctx, j.ID)
	if err != nil {
		return err
	}
	attempts, err := k.h.ledger.Attempts(ctx, j.ID)
	if err != nil {
		return err
	}
	here := found{campaign: x.campaign, job: j, edition: x.edition}
	here.local(events, attempts)
	said := aloud(j.Notice, attempts, events)
	if j.Role == pipeline.Primary {
		said = before(concernedWords(j.Notice, x.whole()), said)
	}
	f.Sentences = append(f.Sentences, said)
	for _, e := range events {
		f.Timeline = append(f.Timeline, console.Happening{
			At: e.At, Notice: j.ID, Role: j.Role, Attempt: e.Attempt, Kind: e.Kind, Outcome: e.Outcome, Channel: e.Channel, Code: e.Code, Detail: e.Detail, Actor: e.Actor,
		})
	}
	for _, a := range attempts {
		f.Letters = append(f.Letters, console.LetterOf{Notice: j.ID, Role: j.Role, Attempt: a.N, Kind: a.Kind, Channel: a.Channel, At: a.At})
	}
	return nil
}

// next is what happens next: to the first notice that is not settled, else to the
// primary one.
func (x *customer) next() console.Next {
	n := x.primary.Notice
	if n.State.Settled() {
		for _, j := range x.notices {
			if !j.State.Settled() {
				n = j.Notice
				break
			}
		}
	}
	next := console.Next{State: n.State, Channel: n.Channel, Reason: n.Reason, Campaign: x.campaign.State}
	switch n.State {
	case pipeline.Due, pipeline.Queued, pipeline.InDoubt, pipeline.Accepted, pipeline.Posted:
		if !n.DueAt.IsZero() {
			next.At = x.edition.local(n.DueAt)
		}
	}
	return next
}

// impacts are those of all notices, each contract once.
func (x *customer) impacts() (list []console.Impact) {
	whole := x.whole()
	add := func(contract, label, kind string, data []pipeline.Exposure) {
		i := console.Impact{Contract: contract, Label: label, Data: exposed(data), Names: map[string][]string{}}
		if label == "" && kind != "" {
			i.Kinds = perLocale(func(locale string) string { return x.edition.spec.ContractKind(kind, locale) })
		}
		for _, locale := range x.edition.spec.Letters.Locales {
			for _, e := range data {
				name := x.edition.set.KindName(locale, e.Kind)
				if e.Possible {
					name += map[bool]string{true: " (possible)", false: " (possibly)"}[locale == "fr"]
				}
				i.Names[locale] = append(i.Names[locale], name)
			}
		}
		list = append(list, i)
	}
	if len(whole.Own) > 0 {
		add("", "", "", whole.Own)
	}
	for _, c := range whole.Contracts {
		add(c.ID, c.Label, c.Kind, c.Data)
	}
	return list
}

// pageLocales are those of the console.
func pageLocales() []string { return []string{"en", "fr"} }

// perLocale says something in each locale of the console.
func perLocale(say func(locale string) string) map[string]string {
	all := map[string]string{}
	for _, locale := range pageLocales() {
		all[locale] = say(locale)
	}
	return all
}

// whole is the person with everything that any of the notices tells.
func (x *customer) whole() pipeline.Person {
	p := x.person
	for i, j := range x.notices {
		if j.Role == pipeline.Supplement {
			p = intake.United(p, x.persons[i])
		}
	}
	return p
}

// reach says where a copy may go: to an address that can be used, that is on file
// from before the incident, and that no flag rules out.
func (x *customer) reach() map[pipeline.Channel]bool {
	n, s := x.primary.Notice, x.edition.spec
	printable := x.edition.press.Printable(x.person) == nil
	r := s.ChooseRoute(pipeline.Traveller{
		Flags: n.Flags, Format: n.Format, HasContact: true, Representative: x.person.Representative != "",
		EmailUsable: n.Reach.Has(pipeline.ByEmail), Printable: printable,
	})
	since := s.Incident.HappenedFrom
	if since.IsZero() {
		since = s.Incident.Discovered
	}
	return map[pipeline.Channel]bool{
		pipeline.Email: r.Reach.Has(pipeline.ByEmail) && x.person.Email != "" && fromBefore(x.person, since, pipeline.Email),
		pipeline.Post:  r.Reach.Has(pipeline.ByPost) && printable && fromBefore(x.person, since, pipeline.Post),
	}
}

// fromBefore reports whether an address is on file since before a day: whoever has
// the stolen data may have had it changed since.
func fromBefore(p pipeline.Person, day pipeline.Date, ch pipeline.Channel) bool {
	column := "email_date"
	if ch == pipeline.Post {
		column = "address_date"
	}
	if at := p.Attributes[column]; at != "" && !day.IsZero() && at >= day.Format(time.DateOnly) {
		return false
	}
	return !slices.ContainsFunc(p.Former, func(f pipeline.Former) bool {
		if ch == pipeline.Email {
			return !strings.EqualFold(f.Email, p.Email)
		}
		return !slices.Equal(f.Address, p.Address) || f.Postcode != p.Postcode || f.City != p.City || f.Country != p.Country
	})
}

// Proofs says how callers prove who they are.
func (k consoleCustomers) Proofs(ctx context.Context, c pipeline.Campaign, notice int64) (console.Proofs, error) {
	e := k.h.speaking(ctx, c)
	if e == nil {
		return console.Proofs{}, decline("letters", "the settings of "+c.Name+" cannot be read", "an operator has to look")
	}
	p := console.Proofs{Ways: e.spec.Cell.Verifications(), Labels: map[string]map[string]string{}}
	for _, locale := range pageLocales() {
		p.Labels[locale] = map[string]string{}
		for column := range e.spec.Cell.Values {
			p.Labels[locale][column] = e.spec.Cell.Label(column, locale)
		}
	}
	if notice == 0 {
		p.Columns = e.spec.Cell.Asked(nil)
		return p, nil
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return p, err
	}
	p.Phone, p.Columns = x.person.Phone, x.asked()
	return p, nil
}

// asked are the columns that the customer may be asked for: of a kind that was not
// stolen, and with something on file.
func (x *customer) asked() []string {
	return slices.DeleteFunc(x.edition.spec.Cell.Asked(x.stolen()), func(column string) bool {
		return x.person.Attributes[intake.ProofAttribute+column] == ""
	})
}

// NotConcerned is what is read to somebody who is not concerned.
func (k consoleCustomers) NotConcerned(ctx context.Context, c pipeline.Campaign, importID int64) (map[string]string, time.Time, error) {
	b, err := k.h.notConcerned(ctx, c, importID)
	return b.Sentence, b.At, err
}

// Letter is an attempt as it went out.
func (k consoleCustomers) Letter(ctx context.Context, c pipeline.Campaign, notice int64, attempt int) (console.SentLetter, error) {
	var out console.SentLetter
	j, err := k.h.ledger.Notice(ctx, notice)
	if err != nil {
		return out, err
	}
	attempts, err := k.h.ledger.Attempts(ctx, notice)
	if err != nil {
		return out, err
	}
	i := slices.IndexFunc(attempts, func(a pipeline.Attempt) bool { return a.N == attempt })
	if i < 0 || j.Campaign != c.ID {
		return out, pipeline.ErrNotFound
	}
	keys, err := k.h.keys.Existing(c.ID)
	if err != nil {
		return out, explained(err)
	}
	p, err := openPerson(keys, j)
	if err != nil {
		return out, err
	}
	at := attempts[i]
	v, data, err := k.h.again(ctx, found{campaign: c, job: j, person: p}, at)
	if err != nil {
		return out, explained(err)
	}
	when := at.At
	if e := k.h.speaking(ctx, c); e != nil {
		when = e.local(when)
	}
	return console.SentLetter{
		Of:      console.LetterOf{Notice: notice, Role: j.Role, Attempt: attempt, Kind: at.Kind, Channel: at.Channel, At: when},
		Version: v.Version, Locale: j.Locale, Subject: v.Subject, Text: v.Text, HTML: v.html, Bytes: data, Recorded: hex.EncodeToString(at.Bytes), Same: v.Same, SameText: v.sameText,
	}, nil
}

// HasReference reports whether a text is a reference of the customer.
func (k consoleCustomers) HasReference(ctx context.Context, c pipeline.Campaign, notice int64, text string) (bool, error) {
	r, err := pipeline.ParseReference(text)
	if err != nil {
		return false, nil
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(x.persons, func(p pipeline.Person) bool { return p.Reference == r }), nil
}

// Knows reports whether values are those of the customer.
func (k consoleCustomers) Knows(ctx context.Context, c pipeline.Campaign, notice int64, values map[string]string) (bool, error) {
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return false, err
	}
	columns := x.asked()
	for _, column := range columns {
		if intake.ProofHash(x.keys, x.primary.Person, column, values[column]) != x.person.Attributes[intake.ProofAttribute+column] {
			return false, nil
		}
	}
	return len(columns) > 0, nil
}

// Lives reports whether an address is the one on file.
func (k consoleCustomers) Lives(ctx context.Context, c pipeline.Campaign, notice int64, a console.Address) (bool, error) {
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return false, err
	}
	if a.Channel() == pipeline.Email {
		for _, q := range intake.QueryKeys(a.Email) {
			if q.Kind == intake.KeyEmail {
				return x.person.Email != "" && q.Value == strings.ToLower(x.person.Email), nil
			}
		}
		return false, nil
	}
	return intake.SameAddress(x.person, strings.Join(a.Lines, " "), a.Postcode, a.City), nil
}

// Country is the code of a country, as a correction reads it.
func (consoleCustomers) Country(text string) string {
	return intake.NewChecks(intake.Config{Spec: &pipeline.Spec{}}).Country(text)
}

func (k consoleCustomers) keysOf(campaign int64) (*seal.Keys, error) {
	if campaign == installationKeys {
		return k.h.keys.Installation()
	}
	return k.h.keys.Existing(campaign)
}

// Seal keeps free text under the keys of a campaign.
func (k consoleCustomers) Seal(campaign int64, plain, aad []byte) ([]byte, error) {
	keys, err := k.keysOf(campaign)
	if err != nil {
		return nil, err
	}
	return keys.Seal(plain, aad), nil
}

// Open opens it again.
func (k consoleCustomers) Open(campaign int64, sealed, aad []byte) ([]byte, error) {
	keys, err := k.keysOf(campaign)
	if err != nil {
		return nil, err
	}
	return keys.Open(sealed, aad)
}

// Found says of each token whether it leads to a notice now.
func (k consoleCustomers) Found(ctx context.Context, campaign int64, tokens [][]byte) ([]bool, error) {
	asked := make([][16]byte, len(tokens))
	for i, t := range tokens {
		copy(asked[i][:], t)
	}
	concerned, err := k.h.ledger.Concerned(ctx, campaign, asked)
	found := make([]bool, len(tokens))
	for i, t := range asked {
		found[i] = len(tokens[i]) == len(t) && concerned[t]
	}
	return found, err
}
