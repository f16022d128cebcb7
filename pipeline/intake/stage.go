package intake

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// How much goes to the ledger at a time.
const (
	stageBatch = 1000
	tokenBatch = 8192
	idBlock    = 4096
)

// stager turns persons into notices, in order of their keys.
type stager struct {
	im      *importer
	id      int64 // of the import
	due     time.Time
	dueMail time.Time
	lane    pipeline.Lane

	nextID, lastID int64
	batch          []pipeline.Staged
	out            chan<- []pipeline.Staged
}

// stage merges what lies under each person, seals it and hands it to the ledger,
// which writes while the next persons are made.
func (im *importer) stage(ctx context.Context, importID int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := make(chan []pipeline.Staged, 2)
	written := make(chan error, 1)
	go func() {
		var failed error
		for batch := range out {
			if failed != nil {
				continue
			}
			if failed = im.c.Sink.Stage(ctx, importID, batch); failed != nil {
				cancel(failed)
			}
		}
		written <- failed
	}()
	s, err := im.newStager(importID, out)
	if err == nil {
		err = s.run(ctx)
	}
	close(out)
	// The ledger's own error tells more than the cancellation it causes.
	if failed := <-written; failed != nil {
		return failed
	}
	return err
}

func (im *importer) newStager(importID int64, out chan<- []pipeline.Staged) (*stager, error) {
	s := &stager{im: im, id: importID, due: im.now, dueMail: im.now, lane: pipeline.LaneNotice, out: out}
	if from := im.c.Spec.Schedule.EmailFrom; from != "" {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			return nil, &pipeline.Error{Code: "spec", Sentence: "schedule.email_from is no RFC 3339 time", Permanent: true, Exit: 2}
		}
		if at.After(s.dueMail) {
			s.dueMail = at.UTC()
		}
	}
	if im.awareness {
		s.lane = pipeline.LaneGeneral
	}
	return s, nil
}

// run goes through the records of the persons.
func (s *stager) run(ctx context.Context) error {
	b := builder{limits: s.im.limits, names: s.im.attributes, region: s.im.check.region}
	var current key
	var scratch impact
	var waiting []*built
	m, err := s.im.byPerson.sorted()
	if err != nil {
		return err
	}
	for n := int64(0); ; n++ {
		rec, err := m.next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		if n > 0 && (end || !bytes.Equal(rec[:16], current[:])) {
			waiting = append(waiting, b.build(current))
			b.reset()
			if end || len(waiting) == stageBatch {
				if err := s.persons(ctx, waiting); err != nil {
					return err
				}
				waiting = waiting[:0]
				s.im.progress(Progress{Phase: "staging", Rows: n, Total: s.im.byPerson.count})
			}
		}
		if end {
			break
		}
		current = key(rec[:16])
		if err := b.add(rec, &scratch); err != nil {
			return err
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.im.byPerson.Close()
}

// persons decides what each person needs: a notice, a supplement, nothing, or a
// place among those who are not concerned.
func (s *stager) persons(ctx context.Context, list []*built) error {
	jobs, err := s.im.earlier.people(ctx, list)
	if err != nil {
		return err
	}
	for _, p := range list {
		m := &s.im.manifest
		m.Impacts += p.impacts
		m.Duplicates += p.duplicates
		job, known := jobs[string(p.key[:])]
		switch {
		case p.impacted && known:
			err = s.again(ctx, p, job)
		case p.impacted, s.im.awareness && !known:
			err = s.primary(ctx, p)
		case known, p.poisoned, !p.listed:
			// Somebody who was told before is concerned; so is, most likely, a person
			// whose only impacts were rejected.
			if known && s.im.awareness {
				m.Unchanged++
			}
		default:
			m.Bystanders++
			err = s.tokens(p.person, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// traveller is what the choice of a channel needs to know about a person.
func (s *stager) traveller(p *built, kinds []string) pipeline.Traveller {
	t := pipeline.Traveller{
		Flags: p.flags, Kinds: kinds, Format: p.format, EmailUsable: p.emailUsable,
		HasContact: p.listed, Representative: p.person.Representative != "",
		Defects: p.defects(Hold),
	}
	if p.listed && p.person.City+p.person.Postcode != "" && !p.has(NoPost) && s.im.c.Printable != nil {
		if s.im.c.Printable(p.person) == nil {
			t.Printable = true
		} else {
			p.codes = withCode(p.codes, unprintable)
			p.unprintable = true
		}
	}
	return t
}

// notice returns a notice of the person without role, id and route.
func (s *stager) notice(p *built) pipeline.Notice {
	kinds, _ := p.person.Kinds()
	n := pipeline.Notice{
		Campaign: s.im.c.Campaign.ID, Import: s.id, Person: slices.Clone(p.key[:]),
		Lane: s.lane, Attempt: 1, Kind: pipeline.First, MovedAt: s.im.now,
		Provider: pipeline.Provider(p.person.Email), Locale: s.im.c.Spec.Locale(p.locale),
		Format: p.format, Country: p.person.Country, Area: area(p.person.Country, p.person.Postcode),
		Sender: s.im.c.Spec.SenderFor(p.products), Kinds: kinds, Products: p.products,
		Flags: p.flags, Defects: p.defects(Hold, NoEmail, NoPost),
	}
	if n.Format == "" {
		n.Format = pipeline.FormatStandard
	}
	return n
}

// route puts a notice where it starts.
func (s *stager) route(n *pipeline.Notice, r pipeline.Route) {
	n.State, n.Born, n.Channel, n.Reach, n.Reason = r.State, r.State, r.Channel, r.Reach, r.Reason
	n.DueAt = s.due
	if r.Channel == pipeline.Email {
		n.DueAt = s.dueMail
	}
}

// primary stages the notice of a person who is new, and its paper copy if the
// campaign wants both.
func (s *stager) primary(ctx context.Context, p *built) error {
	kinds, _ := p.person.Kinds()
	r := s.im.c.Spec.ChooseRoute(s.traveller(p, kinds))
	s.stamp(p)
	n := s.notice(p)
	n.Role = pipeline.Primary
	s.route(&n, r)
	if err := s.countCodes(p); err != nil {
		return err
	}
	s.im.manifest.Population++
	s.im.manifest.States[n.State]++
	if err := s.put(ctx, &n, p.person); err != nil {
		return err
	}
	if !r.Both {
		return nil
	}
	c := n
	c.Role, c.Parent, c.Channel, c.Kind, c.Reach, c.DueAt = pipeline.Copy, n.ID, pipeline.Post, pipeline.CopyOf, pipeline.ByPost, s.due
	s.im.manifest.Copies++
	return s.put(ctx, &c, p.person)
}

// stamp writes the import into the exposures that it brings.
func (s *stager) stamp(p *built) {
	for i := range p.person.Own {
		p.person.Own[i].Import = s.id
	}
	for i := range p.person.Contracts {
		for j := range p.person.Contracts[i].Data {
			p.person.Contracts[i].Data[j].Import = s.id
		}
	}
}

// countCodes counts the findings that concern the person as a whole; those of
// single rows were counted when they were read.
func (s *stager) countCodes(p *built) error {
	for i, at := range p.places {
		switch c := p.codes[i]; c {
		case namesDiffer, personNamesDiffer, personIDsDiffer, idCollision, rowRejected, contractDiffers, emailsDiffer, addressesDiffer, tooMany, emailShared:
			if err := s.im.note(c, at); err != nil {
				return err
			}
		}
	}
	for _, x := range p.passed {
		if err := s.im.noteIn(x.code, x.column, x.at); err != nil {
			return err
		}
	}
	if p.unprintable {
		return s.im.note(unprintable, p.postAt)
	}
	return nil
}

// put gives the notice its id and reference, seals the person, and stages both
// with the tokens that lead there.
func (s *stager) put(ctx context.Context, n *pipeline.Notice, person pipeline.Person) error {
	id, err := s.newID(ctx)
	if err != nil {
		return err
	}
	n.ID = id
	person.Reference = reference(s.im.c.Keys, *n)
	person.Attributes = proven(s.im.c.Keys, n.Person, s.im.c.Spec.Cell.Values, person.Attributes)
	plain, err := person.MarshalBinary()
	if err != nil {
		return fmt.Errorf("notice %d: %w", id, err)
	}
	s.batch = append(s.batch, pipeline.Staged{Notice: *n, Sealed: s.im.c.Keys.Seal(plain, n.SealContext())})
	if err := s.tokens(person, id); err != nil {
		return err
	}
	if len(s.batch) >= stageBatch {
		return s.flush(ctx)
	}
	return nil
}

// reference is a function of the keys, so that it tells nobody anything, and of
// what the notice is for.
func reference(keys Keys, n pipeline.Notice) pipeline.Reference {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], uint64(n.Import))
	sum := keys.MAC("reference", n.Person, []byte(n.Role), id[:])
	return pipeline.NewReference(binary.BigEndian.Uint64(sum[:]))
}

func (s *stager) newID(ctx context.Context) (int64, error) {
	if s.nextID == s.lastID {
		first, err := s.im.c.Sink.ReserveIDs(ctx, idBlock)
		if err != nil {
			return 0, err
		}
		s.nextID, s.lastID = first, first+idBlock
	}
	s.nextID++
	return s.nextID - 1, nil
}

// flush hands the batch to the writer.
func (s *stager) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s.out <- s.batch:
	}
	s.batch = make([]pipeline.Staged, 0, stageBatch)
	return nil
}

// tokens spills the search tokens of a person; the ledger wants them sorted.
func (s *stager) tokens(p pipeline.Person, notice int64) error {
	var rec [24]byte
	for _, k := range SearchKeys(p) {
		t := s.im.c.Keys.Token(k.Kind, k.Value)
		copy(rec[:], t[:])
		binary.BigEndian.PutUint64(rec[16:], uint64(notice))
		if err := s.im.byToken.add(rec[:]); err != nil {
			return err
		}
	}
	return nil
}

// index hands the sorted tokens to the ledger.
func (im *importer) index(ctx context.Context, importID int64) error {
	batch := make([]pipeline.Token, 0, tokenBatch)
	m, err := im.byToken.sorted()
	if err != nil {
		return err
	}
	var last [24]byte
	for n := int64(0); ; n++ {
		rec, err := m.next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		if !end && (n == 0 || !bytes.Equal(rec, last[:])) {
			copy(last[:], rec)
			batch = append(batch, pipeline.Token{Hash: [16]byte(rec[:16]), Notice: int64(binary.BigEndian.Uint64(rec[16:]))})
		}
		if len(batch) == tokenBatch || end && len(batch) > 0 {
			if err := im.c.Sink.StageTokens(ctx, importID, batch); err != nil {
				return err
			}
			batch = batch[:0]
			im.progress(Progress{Phase: "indexing", Rows: n, Total: im.byToken.count})
		}
		if end {
			return im.byToken.Close()
		}
	}
}
