package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/art34/art34/pipeline"
)

// earlier asks the ledger about imports that are in force. Without any it asks
// nothing.
type earlier struct {
	active   bool
	ledger   Known
	keys     Keys
	campaign int64
}

// people returns the primary notices of those persons that have one.
func (e *earlier) people(ctx context.Context, list []*built) (map[string]pipeline.Job, error) {
	if !e.active || len(list) == 0 {
		return nil, nil
	}
	keys := make([][]byte, len(list))
	for i, p := range list {
		keys[i] = p.key[:]
	}
	return e.ledger.People(ctx, e.campaign, keys)
}

// byCustomer finds the person of a customer number that this import's directory
// does not have: the directory may have come with an earlier import. former says
// that it did, and that the person was not concerned then.
func (e *earlier) byCustomer(ctx context.Context, id string) (person key, ok, former bool, err error) {
	if !e.active {
		return key{}, false, false, nil
	}
	ids, bystanderOf, err := e.ledger.Search(ctx, e.campaign, e.keys.Token(KeyCustomer, foldNumber(id)), 10)
	if err != nil {
		return key{}, false, false, err
	}
	for _, n := range ids {
		job, err := e.ledger.Notice(ctx, n)
		if errors.Is(err, pipeline.ErrNotFound) {
			continue // absorbed since
		}
		if err != nil {
			return key{}, false, false, err
		}
		p, err := e.person(job)
		if err != nil {
			return key{}, false, false, err
		}
		// The token forgets hyphens; the number must agree without that.
		if len(job.Person) == len(key{}) && slices.ContainsFunc(p.CustomerIDs, func(c string) bool { return foldID(c) == foldID(id) }) {
			return key(job.Person), true, false, nil
		}
	}
	return key{}, false, bystanderOf != 0, nil
}

// person opens the sealed person of a notice.
func (e *earlier) person(job pipeline.Job) (pipeline.Person, error) {
	return openPerson(e.keys, job)
}

func openPerson(keys Keys, job pipeline.Job) (p pipeline.Person, err error) {
	plain, err := keys.Open(job.Sealed, job.SealContext())
	if err != nil {
		return p, fmt.Errorf("notice %d: %w", job.ID, err)
	}
	if err := p.UnmarshalBinary(plain); err != nil {
		return p, fmt.Errorf("notice %d: sealed person is damaged", job.ID)
	}
	return p, nil
}

// again decides about a person who has a notice already: nothing new, or a
// supplement with only what is new.
func (s *stager) again(ctx context.Context, p *built, parent pipeline.Job) error {
	before, err := s.im.earlier.person(parent)
	if err != nil {
		return err
	}
	siblings, err := s.im.earlier.ledger.Siblings(ctx, parent.ID)
	if err != nil {
		return err
	}
	heard, planned := told{}, told{}
	for _, job := range append([]pipeline.Job{parent}, siblings...) {
		person, err := s.im.earlier.person(job)
		if err != nil {
			return err
		}
		planned.add(person)
		// A notice that could not reach anybody told nothing.
		if job.State != pipeline.Unreachable || !job.FirstAt.IsZero() {
			heard.add(person)
		}
	}
	heard.strip(&p.person)
	if p.empty() {
		s.im.manifest.Unchanged++
		return nil
	}
	n := s.supplement(p, parent, before)
	if n.State == pipeline.Unreachable {
		// Nobody was told, and nobody can be: what is planned already is not planned
		// twice.
		if planned.strip(&p.person); p.empty() {
			s.im.manifest.Unchanged++
			return nil
		}
		n.Kinds, _ = p.person.Kinds()
	}
	if err := s.countCodes(p); err != nil {
		return err
	}
	s.im.manifest.Supplements++
	return s.put(ctx, &n, p.person)
}

// reasonCancelled holds a supplement whose notice was cancelled.
const reasonCancelled = "parent-cancelled"

// supplement returns the notice of what is new for a person, by a way that is
// still open: an address that proved dead stays so.
func (s *stager) supplement(p *built, parent pipeline.Job, before pipeline.Person) pipeline.Notice {
	listed := p.listed
	if !listed {
		// This import has no directory row: who it is, the earlier one said.
		own, contracts := p.person.Own, p.person.Contracts
		p.person = before
		p.person.Own, p.person.Contracts = own, contracts
		p.flags, p.format, p.locale = parent.Flags, parent.Format, parent.Locale
		p.emailUsable = parent.Reach.Has(pipeline.ByEmail)
	} else {
		p.person.CustomerIDs = pipeline.Set(append(p.person.CustomerIDs, before.CustomerIDs...))
		if p.person.Email == before.Email {
			p.emailUsable = p.emailUsable && parent.Reach.Has(pipeline.ByEmail)
		}
	}
	kinds, products := p.person.Kinds()
	if !listed {
		p.products = products
	}
	t := s.traveller(p, kinds)
	if !listed || samePost(p.person, before) {
		t.Printable = parent.Reach.Has(pipeline.ByPost)
	}
	if !listed {
		t.HasContact = parent.Reason != pipeline.ReasonNoContact
	}
	r := s.im.c.Spec.ChooseRoute(t)
	r.Both = false
	switch parent.State {
	case pipeline.Excluded:
		r = pipeline.Route{State: pipeline.Excluded, Channel: pipeline.NoChannel, Reach: r.Reach, Reason: parent.Reason}
	case pipeline.Cancelled:
		r.State, r.Reason = pipeline.Held, reasonCancelled
	case pipeline.Held:
		// A person holds the customer, not the letter.
		if r.State == pipeline.Due {
			r.State, r.Reason = pipeline.Held, parent.Reason
		}
	}
	s.stamp(p)
	n := s.notice(p)
	n.Role, n.Parent = pipeline.Supplement, parent.ID
	s.route(&n, r)
	return n
}

// samePost reports whether two persons have the same postal address.
func samePost(a, b pipeline.Person) bool {
	return slices.Equal(a.Address, b.Address) && a.Postcode == b.Postcode && a.City == b.City && a.Country == b.Country
}

// told is what a person was told: contract and data kind; true where it was
// confirmed.
type told map[[2]string]bool

func (t told) add(p pipeline.Person) {
	note := func(contract string, list []pipeline.Exposure) {
		for _, e := range list {
			k := [2]string{contract, e.Kind}
			t[k] = t[k] || !e.Possible
		}
	}
	note("", p.Own)
	for _, c := range p.Contracts {
		note("\x00"+c.ID, c.Data)
	}
}

// strip takes out of a person what was told. That something possible is now
// confirmed is news; the reverse is none.
func (t told) strip(p *pipeline.Person) {
	cut := func(contract string, list []pipeline.Exposure) []pipeline.Exposure {
		return slices.DeleteFunc(list, func(e pipeline.Exposure) bool {
			confirmed, ok := t[[2]string{contract, e.Kind}]
			return ok && (confirmed || e.Possible)
		})
	}
	p.Own = cut("", p.Own)
	for i := range p.Contracts {
		p.Contracts[i].Data = cut("\x00"+p.Contracts[i].ID, p.Contracts[i].Data)
	}
	p.Contracts = slices.DeleteFunc(p.Contracts, func(c pipeline.Contract) bool { return len(c.Data) == 0 })
}

func (p *built) empty() bool { return len(p.person.Own)+len(p.person.Contracts) == 0 }
