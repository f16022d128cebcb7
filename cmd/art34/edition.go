package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/pipeline/postal"
)

// renderer names the versions of everything that can be seen in a letter; each
// attempt records it.
const renderer = letter.Renderer + " " + postal.Renderer

// edition is one version of a campaign's letters, parsed and ready to render.
type edition struct {
	campaign pipeline.Campaign
	version  int
	spec     *pipeline.Spec
	policy   pipeline.Policy
	set      *letter.Set
	press    *postal.Press
	composer *email.Composer
	keys     *seal.Keys
	zone     *time.Location // in which a letter has its date
	// first says when a notice's customer was first written to; supplements and
	// copies ask it about their primary notice.
	first func(ctx context.Context, notice int64) (time.Time, error)
}

// newEdition parses the content of a campaign.
func (h *house) newEdition(c pipeline.Campaign, version int, files *content) (*edition, error) {
	spec, err := files.spec()
	if err != nil {
		return nil, err
	}
	set, err := letter.Load(files.letters(), spec)
	if err != nil {
		return nil, &pipeline.Error{Code: "letters", Sentence: "the letters have faults", Cause: err, Hint: "correct them in " + h.folder(c.Name).path + "/" + lettersDir, Exit: exitNo}
	}
	press, err := newPress(spec, files.Logos)
	if err != nil {
		return nil, err
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		return nil, err
	}
	composer, err := email.NewComposer(email.Config{MAC: keys.MAC, CodeName: spec.CodeName})
	if err != nil {
		return nil, err
	}
	return &edition{
		campaign: c, version: version, spec: spec, policy: spec.Policy(), set: set, press: press, composer: composer, keys: keys,
		zone: zoneOf(spec),
		first: func(ctx context.Context, notice int64) (time.Time, error) {
			j, err := h.ledger.Notice(ctx, notice)
			return j.FirstAt, err
		},
	}, nil
}

// zoneOf is the time zone in which a campaign dates its letters: that of its
// sending hours, of its cut-off, or that of France.
func zoneOf(s *pipeline.Spec) *time.Location {
	if h, err := pipeline.ParseHours(s.Email.Hours); err == nil && h.Zone != nil {
		return h.Zone
	}
	if c, err := pipeline.ParseCutOff(s.Post.CutOff); err == nil && c.Zone != nil {
		return c.Zone
	}
	if paris, err := time.LoadLocation("Europe/Paris"); err == nil {
		return paris
	}
	return time.UTC
}

// local is a time as the calendar of the campaign shows it.
func (e *edition) local(t time.Time) time.Time { return t.In(e.zone) }

func newPress(spec *pipeline.Spec, logos map[string][]byte) (*postal.Press, error) {
	return postal.NewPress(postal.Config{
		Profile: spec.Post.Profile, Simplex: spec.Post.Duplex != nil && !*spec.Post.Duplex,
		Logos: logos, CodeName: spec.CodeName,
	})
}

// draft is the edition that the campaign's folder would give now.
func (h *house) draft(c pipeline.Campaign) (*edition, *content, error) {
	files, _, err := h.folder(c.Name).read()
	if err != nil {
		return nil, nil, err
	}
	e, err := h.newEdition(c, c.Version, files)
	return e, files, err
}

// open unseals the person of a job.
func (e *edition) open(j pipeline.Job) (pipeline.Person, error) { return openPerson(e.keys, j) }

func openPerson(keys *seal.Keys, j pipeline.Job) (pipeline.Person, error) {
	var p pipeline.Person
	plain, err := keys.Open(j.Sealed, j.SealContext())
	if err != nil {
		return p, fmt.Errorf("notice %d: %w", j.ID, err)
	}
	if err := p.UnmarshalBinary(plain); err != nil {
		return p, fmt.Errorf("notice %d: what is sealed is no person", j.ID)
	}
	return p, nil
}

// paper is a notice rendered for one channel, with the person it is for.
type paper struct {
	notice  pipeline.Notice
	person  pipeline.Person
	request letter.Request
	letter  *pipeline.Letter
}

// render writes the letter of a notice on its present channel.
func (e *edition) render(ctx context.Context, j pipeline.Job, at time.Time) (paper, error) {
	person, err := e.open(j)
	if err != nil {
		return paper{}, err
	}
	return e.renderPerson(ctx, j.Notice, person, at)
}

func (e *edition) renderPerson(ctx context.Context, n pipeline.Notice, person pipeline.Person, at time.Time) (paper, error) {
	p := paper{notice: n, person: person}
	first, err := e.firstWritten(ctx, n, at)
	if err != nil {
		return p, err
	}
	p.request = letter.Request{Notice: n, Person: person, Kind: n.Kind, Channel: n.Channel, Date: e.local(at), FirstWritten: first}
	p.letter, err = e.set.Render(p.request)
	return p, err
}

// firstWritten is the day of the earlier message that a letter speaks of, if
// there is one. What came after the letter is none of its business: the same
// letter rendered again must not change.
func (e *edition) firstWritten(ctx context.Context, n pipeline.Notice, at time.Time) (time.Time, error) {
	first := n.FirstAt
	switch n.Role {
	case pipeline.Copy:
		// It leaves beside the e-mail: whether that was handed over before or after
		// is a matter of minutes, so the copy names no date.
		return time.Time{}, nil
	case pipeline.Supplement:
		var err error
		if first, err = e.first(ctx, n.Parent); err != nil {
			return time.Time{}, err
		}
	}
	if first.IsZero() || first.After(at) {
		return time.Time{}, nil
	}
	return e.local(first), nil
}

// item is the letter as the print room takes it.
func (e *edition) item(p paper, seq int) (postal.Item, error) {
	address, err := e.press.Address(p.person)
	return postal.Item{
		Seq: seq, Notice: p.notice.ID, Attempt: p.notice.Attempt, Letter: p.letter, Address: address,
		Country: p.person.Country, Postcode: e.press.Postcode(p.person),
	}, err
}

// editions keeps the versions that couriers and the print room work with, parsed
// once each.
type editions struct {
	h     *house
	adapt func(*pipeline.Spec) // what a rehearsal does otherwise; nil in earnest
	mu    sync.Mutex
	by    map[editionKey]*edition

	number   int       // of the key that signs return paths
	numbered time.Time // when that was asked
}

type editionKey struct {
	campaign int64
	version  int
	key      int // that signs return paths
}

// key is the number of the key that signs return paths, as known a moment ago.
func (s *editions) key(ctx context.Context) (int, error) {
	now := s.h.real.Now()
	if !s.numbered.IsZero() && now.Sub(s.numbered) < deskFresh {
		return s.number, nil
	}
	n, err := s.h.returnKey(ctx)
	if err != nil {
		return 0, err
	}
	s.number, s.numbered = n, now
	return n, nil
}

// at returns an approved version of a campaign.
func (s *editions) at(ctx context.Context, c pipeline.Campaign, version int) (*edition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	key := editionKey{c.ID, version, number}
	if e, ok := s.by[key]; ok {
		return e, nil
	}
	v, err := s.h.ledger.Version(ctx, c.ID, version)
	if err != nil {
		return nil, err
	}
	files, err := parseContent(v.Content)
	if err != nil {
		return nil, err
	}
	e, err := s.h.newEdition(c, version, files)
	if err != nil {
		return nil, err
	}
	if e.composer, err = email.NewComposer(email.Config{MAC: e.keys.MAC, Key: number, CodeName: e.spec.CodeName}); err != nil {
		return nil, err
	}
	if s.adapt != nil {
		s.adapt(e.spec)
		e.policy = e.spec.Policy()
	}
	s.by[key] = e
	return e, nil
}
