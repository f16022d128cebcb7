package console_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/seal"
)

// crowd is a few customers, and remembers what was done for them.
type crowd struct {
	keys *seal.Keys

	mu   sync.Mutex
	by   map[string]*somebody // by any of their keys
	done []string
	ways []pipeline.Verification
	kind map[string]string // of keys, where it is not guessed
	fail error

	marked console.Marked
}

// somebody is a customer, or with notice 0 somebody who is not concerned.
type somebody struct {
	notice    int64
	campaign  pipeline.Campaign
	name      string
	reference string
	keys      []string
	flags     []string
	values    map[string]string
	phone     string
	email     string
	home      console.Address // where they live, beside the e-mail address
	state     pipeline.State
	byName    bool
	reach     map[pipeline.Channel]bool
	cannot    map[string]string
}

func (c *crowd) note(line ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return c.fail
	}
	c.done = append(c.done, strings.Join(line, " | "))
	return nil
}

func (c *crowd) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.done) == 0 {
		return ""
	}
	return c.done[len(c.done)-1]
}

func (c *crowd) add(s *somebody, keys ...string) *somebody {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.keys = append(s.keys, keys...)
	if s.reference != "" {
		s.keys = append(s.keys, s.reference)
	}
	for _, k := range s.keys {
		c.by[s.campaign.Name+"/"+k] = s
	}
	return s
}

func (c *crowd) of(notice int64) (*somebody, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.by {
		if notice != 0 && s.notice == notice {
			return s, nil
		}
	}
	return nil, pipeline.ErrNotFound
}

func (c *crowd) token(campaign pipeline.Campaign, key string) []byte {
	t := c.keys.Token("key", fmt.Sprint(campaign.ID, "/", key))
	return t[:]
}

func (c *crowd) Seek(_ context.Context, actor string, campaigns []pipeline.Campaign, key string) (console.Sought, error) {
	s := console.Sought{Kind: "customer"}
	if strings.Contains(key, "@") {
		s.Kind = "email"
	}
	if k := c.kind[key]; k != "" {
		s.Kind = k
	}
	_ = c.note(actor, "seek", s.Kind)
	for _, campaign := range campaigns {
		c.mu.Lock()
		x := c.by[campaign.Name+"/"+key]
		c.mu.Unlock()
		switch {
		case key == "shared@mail.example":
			s.Matches = append(s.Matches, console.Match{Campaign: campaign, Notice: 7}, console.Match{Campaign: campaign, Notice: 8})
		case x == nil:
		case x.notice == 0:
			s.Others = append(s.Others, console.Bystander{Campaign: campaign, Import: 3, ByName: x.byName, Token: c.token(campaign, key)})
		default:
			s.Matches = append(s.Matches, console.Match{Campaign: campaign, Notice: x.notice, Import: 3, Flags: x.flags})
		}
	}
	return s, nil
}

func (c *crowd) File(_ context.Context, campaign pipeline.Campaign, notice int64) (console.File, error) {
	s, err := c.of(notice)
	if err != nil || s.campaign.ID != campaign.ID {
		return console.File{}, pipeline.ErrNotFound
	}
	at := t0.Add(-24 * time.Hour)
	f := console.File{
		Name: s.name, Customers: []string{"C0001234"}, Reference: s.reference, Locale: "fr", Flags: s.flags, State: s.state,
		Notices:   []pipeline.Notice{{ID: notice, State: s.state, Role: pipeline.Primary, Channel: pipeline.Email}},
		Sentences: []map[string]string{{"fr": "Nous vous avons écrit par e-mail le 19 janvier 2026.", "en": "We wrote to you by e-mail on 19 January 2026."}},
		Impacts: []console.Impact{
			{Data: []string{"contact"}, Names: map[string][]string{"en": {"Contact: <b>e-mail</b>"}, "fr": {"Coordonnées : adresse électronique"}}},
			{Contract: "K00098761", Label: "Internet <script>alert(1)</script>", Data: []string{"identity"}, Names: map[string][]string{"en": {"Identity: title, first name, last name"}, "fr": {"Identité : civilité, prénom, nom"}}},
		},
		Timeline: []console.Happening{
			{At: at, Notice: notice, Attempt: 1, Kind: pipeline.EvAccepted, Channel: pipeline.Email, Detail: "250 2.0.0 <i>no</i>"},
			{At: at.Add(time.Hour), Notice: notice, Attempt: 1, Kind: pipeline.EvBounced, Outcome: pipeline.Transient, Code: "4.2.2"},
		},
		Next:    console.Next{State: s.state, Channel: pipeline.Email, Campaign: pipeline.Running, At: t0.Add(4 * time.Hour)},
		Letters: []console.LetterOf{{Notice: notice, Attempt: 1, Kind: pipeline.First, Channel: pipeline.Email, At: at}, {Notice: notice, Attempt: 2, Kind: pipeline.Fallback, Channel: pipeline.Post, At: at}},
		Locales: []string{"fr", "en"}, Reach: map[pipeline.Channel]bool{pipeline.Email: true, pipeline.Post: true}, OnFile: map[pipeline.Channel]bool{pipeline.Email: true},
	}
	if s.reach != nil {
		f.Reach = s.reach
	}
	f.Cannot, f.Address = s.cannot, s.home
	f.Address.Email = s.email
	for _, k := range s.keys {
		f.Tokens = append(f.Tokens, c.token(campaign, k))
	}
	return f, nil
}

func (c *crowd) Proofs(_ context.Context, _ pipeline.Campaign, notice int64) (console.Proofs, error) {
	p := console.Proofs{Ways: c.ways, Columns: []string{"pin"}, Labels: map[string]map[string]string{"en": {"pin": "Customer code"}, "fr": {"pin": "Code client"}}}
	if p.Ways == nil {
		p.Ways = pipeline.Verifications()
	}
	if notice == 0 {
		return p, nil
	}
	s, err := c.of(notice)
	if err != nil {
		return p, err
	}
	p.Phone = s.phone
	p.Columns = nil
	for column := range s.values {
		p.Columns = append(p.Columns, column)
	}
	slices.Sort(p.Columns)
	return p, nil
}

func (c *crowd) NotConcerned(context.Context, pipeline.Campaign, int64) (map[string]string, time.Time, error) {
	return map[string]string{"fr": "Au 20 janvier 2026, notre analyse ne vous compte pas parmi les personnes concernées.", "en": "As of 20 January 2026, our analysis does not list you among the people concerned."}, t0, nil
}

func (c *crowd) Letter(_ context.Context, _ pipeline.Campaign, notice int64, attempt int) (console.SentLetter, error) {
	l := console.SentLetter{
		Of:      console.LetterOf{Notice: notice, Attempt: attempt, Kind: pipeline.First, Channel: pipeline.Email, At: t0.Add(-24 * time.Hour)},
		Version: 1, Subject: "Vos données <b>personnelles</b>", Text: "Bonjour O'Neil <script>alert(1)</script>", Recorded: strings.Repeat("ab", 32), Same: true, SameText: true,
		HTML: []byte("<!doctype html><html lang=fr><title>Vos données</title><p style='color:red'>Bonjour</p><script>parent.alert(1)</script>"), Bytes: []byte("Subject: x\r\n\r\nBonjour"),
	}
	if attempt == 2 {
		l.Of.Channel, l.HTML, l.Bytes = pipeline.Post, nil, []byte("%PDF-1.4")
	}
	return l, nil
}

func (c *crowd) HasReference(_ context.Context, _ pipeline.Campaign, notice int64, text string) (bool, error) {
	s, err := c.of(notice)
	if err != nil {
		return false, err
	}
	want, err := pipeline.ParseReference(s.reference)
	if err != nil {
		return false, err
	}
	got, err := pipeline.ParseReference(text)
	return err == nil && got == want, nil
}

func (c *crowd) Knows(_ context.Context, _ pipeline.Campaign, notice int64, values map[string]string) (bool, error) {
	s, err := c.of(notice)
	if err != nil {
		return false, err
	}
	for column, v := range s.values {
		if values[column] != v {
			return false, nil
		}
	}
	return len(s.values) > 0, nil
}

func (c *crowd) Country(text string) string {
	if text == "" || text == "France" {
		return "FR"
	}
	return text
}

func (c *crowd) Lives(_ context.Context, _ pipeline.Campaign, notice int64, a console.Address) (bool, error) {
	s, err := c.of(notice)
	return err == nil && a.Email == s.email, err
}

func (c *crowd) Seal(campaign int64, plain, aad []byte) ([]byte, error) {
	return c.keys.Seal(plain, fmt.Append(aad, campaign)), nil
}

func (c *crowd) Open(campaign int64, sealed, aad []byte) ([]byte, error) {
	return c.keys.Open(sealed, fmt.Append(aad, campaign))
}

func (c *crowd) Found(_ context.Context, campaign int64, tokens [][]byte) ([]bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := make([]bool, len(tokens))
	for _, s := range c.by {
		for _, k := range s.keys {
			for i, token := range tokens {
				found[i] = found[i] || s.campaign.ID == campaign && s.notice != 0 && string(c.token(s.campaign, k)) == string(token)
			}
		}
	}
	return found, nil
}

func (c *crowd) Copy(_ context.Context, actor string, _ pipeline.Campaign, notice int64, o console.CopyOrder, reason string) (int64, error) {
	return 99, c.note(actor, "copy", fmt.Sprint(notice), string(o.Channel), o.Locale, o.Format, reason)
}

func (c *crowd) ByPost(_ context.Context, actor string, _ pipeline.Campaign, notice int64, reason string) error {
	return c.note(actor, "by-post", fmt.Sprint(notice), reason)
}

func (c *crowd) Judge(_ context.Context, _ pipeline.Campaign, _ int64, a console.Address) error {
	if a.Email != "" && !strings.Contains(a.Email, "@") {
		return &pipeline.Error{Code: "email-syntax", Sentence: "this is no e-mail address"}
	}
	return nil
}

func (c *crowd) Correct(_ context.Context, actor string, _ pipeline.Campaign, notice int64, a console.Address, reason string, _ time.Time) error {
	return c.note(actor, "correct", fmt.Sprint(notice), a.Email, strings.Join(a.Lines, ","), a.City, reason)
}

func (c *crowd) Mark(_ context.Context, actor string, _ pipeline.Campaign, notice int64, flag, reason string) (console.Marked, error) {
	return c.marked, c.note(actor, "mark", fmt.Sprint(notice), flag, reason)
}

// calls is a call of each kind: 1 is verified, with something in it.
func (w *world) calls(c pipeline.Campaign) {
	w.t.Helper()
	w.people(c)
	ctx := context.Background()
	k := w.console.Config.Cell
	who := console.Asker{Actor: "user:zoe", Roles: []string{"agent"}, Source: "console", Campaigns: []pipeline.Campaign{c}}
	call, err := k.LookUp(ctx, who, console.LookUp{Key: "C0001234"})
	w.must(err)
	_, err = k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	w.must(k.Note(ctx, who, call.ID, "rings back on Monday <script>alert(1)</script>"))
	w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "new@mail.example"}, "moved"))
	w.must(k.Escalate(ctx, who, call.ID, "press", "from the <b>Quotidien</b>"))
	for _, key := range []string{"C0001234", "C7", "nobody at all", "shared@mail.example", "C0000009"} {
		_, err := k.LookUp(ctx, who, console.LookUp{Key: key})
		w.must(err)
	}
}

// reference is a genuine one.
func reference(n uint64) string { return pipeline.NewReference(n).String() }

// people are the customers of a campaign: 7 is ordinary, 8 is press, C7 is not
// concerned.
func (w *world) people(c pipeline.Campaign) {
	w.crowd.add(&somebody{
		notice: 7, campaign: c, name: "Jeanne <b>O'Neil</b>", reference: reference(34), values: map[string]string{"pin": "4711"}, phone: "+33639981001", email: "jeanne@mail.example", state: pipeline.Accepted,
	}, "C0001234", "jeanne@mail.example", "oneil 75011")
	w.crowd.add(&somebody{notice: 8, campaign: c, name: "Paul Journal", reference: reference(35), flags: []string{"press"}, state: pipeline.Held}, "C0000009")
	w.crowd.add(&somebody{campaign: c}, "C7")
	w.crowd.add(&somebody{campaign: c, byName: true}, "durand 75011")
}
