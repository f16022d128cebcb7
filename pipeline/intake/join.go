package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// joiner meets the records of one customer number: rows of the directory, then
// impacts, then marks of rejected impacts. It hands them on under the key of the
// person.
type joiner struct {
	im       *importer
	key      key
	rows     []customer
	subjects []subject
	resolved bool
}

// subject is one customer of a group. There are several only when numbers differ
// in capitals or spaces alone.
type subject struct {
	id       string // as the directory writes it, else the impact list
	person   key
	known    bool // the directory has the number, or an earlier import
	impacted bool
	noted    bool // its other spelling, or that nobody knows it, was counted
	former   bool // an earlier directory had the number, as not concerned: nothing else was kept
}

// join brings directory and impacts together.
func (im *importer) join(ctx context.Context) error {
	j := joiner{im: im}
	m, err := im.byCustomer.sorted()
	if err != nil {
		return err
	}
	for n := int64(0); ; n++ {
		rec, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if n%8192 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			im.progress(Progress{Phase: "joining", Rows: n, Total: im.byCustomer.count})
		}
		if err := j.record(ctx, rec); err != nil {
			return err
		}
	}
	if err := j.end(); err != nil {
		return err
	}
	return errors.Join(im.byCustomer.Close(), im.shared())
}

func (j *joiner) record(ctx context.Context, rec []byte) error {
	if !bytes.Equal(rec[:16], j.key[:]) {
		if err := j.end(); err != nil {
			return err
		}
		j.key = key(rec[:16])
		j.rows, j.subjects, j.resolved = j.rows[:0], j.subjects[:0], false
	}
	switch rec[16] {
	case recCustomer:
		var c customer
		if err := decodeCustomer(rec, &c); err != nil {
			return err
		}
		return j.add(c)
	case recImpact:
		if err := j.resolve(); err != nil {
			return err
		}
		return j.impact(ctx, rec)
	default:
		if err := j.resolve(); err != nil {
			return err
		}
		for _, s := range j.subjects {
			if err := j.im.byPerson.add(j.im.enc.poison(s.person)); err != nil {
				return err
			}
		}
		return nil
	}
}

// add keeps a row of the directory. Repetitions are counted and dropped.
func (j *joiner) add(c customer) error {
	for i := range j.rows {
		if j.rows[i].f[cCustomerID] != c.f[cCustomerID] {
			continue
		}
		if err := j.im.note(customerRepeated, c.at()); err != nil {
			return err
		}
		if j.rows[i].f == c.f && slices.Equal(j.rows[i].attrs, c.attrs) {
			return nil
		}
		if len(j.rows) >= j.im.limits.Records {
			j.rows[i].codes = withCode(j.rows[i].codes, tooMany)
			return nil
		}
		break
	}
	j.rows = append(j.rows, c)
	return nil
}

func withCode(list []code, c code) []code {
	if slices.Contains(list, c) {
		return list
	}
	return append(slices.Clip(list), c)
}

// resolve decides who the rows of the group are, once all of them are there.
func (j *joiner) resolve() error {
	if j.resolved {
		return nil
	}
	j.resolved = true
	slices.SortStableFunc(j.rows, func(a, b customer) int { return strings.Compare(a.f[cCustomerID], b.f[cCustomerID]) })
	for from := 0; from < len(j.rows); {
		to := from + 1
		for to < len(j.rows) && j.rows[to].f[cCustomerID] == j.rows[from].f[cCustomerID] {
			to++
		}
		if err := j.subject(j.rows[from:to], to-from < len(j.rows)); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// subject hands on the rows of one customer number. collides says that the group
// has another number that differs in capitals or spaces only.
func (j *joiner) subject(rows []customer, collides bool) error {
	first := &rows[0]
	id, person := first.f[cCustomerID], ""
	for i := range rows {
		if person == "" {
			person = rows[i].f[cPersonID]
		} else if p := rows[i].f[cPersonID]; p != "" && p != person {
			first.codes = withCode(first.codes, personIDsDiffer)
		}
		if i > 0 && !samePerson(first, &rows[i]) {
			first.codes = withCode(first.codes, namesDiffer)
		}
	}
	if collides {
		first.codes = withCode(first.codes, idCollision)
	}
	s := subject{id: id, known: true}
	switch {
	case person != "":
		s.person = j.im.personKey("p", person)
	case collides:
		s.person = j.im.personKey("x", id)
	default:
		s.person = j.im.personKey("c", foldID(id))
	}
	j.subjects = append(j.subjects, s)
	for i := range rows {
		c := &rows[i]
		c.f[cPersonID] = person
		if err := j.im.byPerson.add(j.im.enc.customer(s.person, c)); err != nil {
			return err
		}
		if c.f[cEmail] != "" {
			e := emailKey(c.f[cEmail])
			if err := j.im.byEmail.add(append(e[:], s.person[:]...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// samePerson reports whether two rows of the directory can be of one person.
func samePerson(a, b *customer) bool {
	x, y := a.f[cFirstName]+" "+a.f[cLastName], b.f[cFirstName]+" "+b.f[cLastName]
	switch {
	case x != " " && y != " ":
		return sameName(x, y)
	case x == " " && y == " ":
		return sameName(a.f[cCompany], b.f[cCompany])
	}
	// One row names a person and the other a company: the same customer if both
	// name the company.
	return a.f[cCompany] != "" && b.f[cCompany] != "" && sameName(a.f[cCompany], b.f[cCompany])
}

// personKey identifies a person over all imports of the campaign.
func (im *importer) personKey(kind, id string) key {
	sum := im.c.Keys.MAC("person", []byte(kind), []byte(id))
	return key(sum[:16])
}

// emailKey is what e-mail addresses are counted by. Upper and lower case are told
// apart by almost no mailbox.
func emailKey(address string) key {
	sum := sha256.Sum256([]byte(strings.ToLower(address)))
	return key(sum[:16])
}

// impact hands on an impact to the customer it belongs to.
func (j *joiner) impact(ctx context.Context, rec []byte) error {
	v := values{s: string(rec[recKey:])}
	v.codes()
	v.number()
	id := v.text()
	if v.bad {
		return errRecord
	}
	s, err := j.whose(ctx, id)
	if err != nil {
		return err
	}
	s.impacted = true
	if !s.noted && (s.id != id || !s.known) {
		s.noted = true
		var i impact
		if err := decodeImpact(rec, &i); err != nil {
			return err
		}
		found := otherCaseID
		if !s.known {
			found = unmatchedID
		}
		if err := j.im.note(found, i.at); err != nil {
			return err
		}
	}
	copy(rec, s.person[:]) // the record is ours until the next one is read
	return j.im.byPerson.add(rec)
}

// whose returns the subject with a customer number, making one for a number that
// the directory does not have.
func (j *joiner) whose(ctx context.Context, id string) (*subject, error) {
	for i := range j.subjects {
		if j.subjects[i].id == id {
			return &j.subjects[i], nil
		}
	}
	if len(j.subjects) == 1 {
		return &j.subjects[0], nil
	}
	s := subject{id: id, person: j.im.personKey("c", foldID(id))}
	if len(j.subjects) > 1 {
		// None of several is the one that is meant: guessing would tell one customer
		// about another's data.
		s.person = j.im.personKey("x", id)
	} else if person, ok, former, err := j.im.earlier.byCustomer(ctx, id); err != nil {
		return nil, err
	} else if ok {
		s.person, s.known = person, true
	} else {
		s.former = former
	}
	j.subjects = append(j.subjects, s)
	return &j.subjects[len(j.subjects)-1], nil
}

// end closes a group.
func (j *joiner) end() error {
	if err := j.resolve(); err != nil {
		return err
	}
	for _, s := range j.subjects {
		if s.impacted {
			j.im.impacted++
			if !s.known {
				j.im.manifest.Unmatched++
			}
			if s.former {
				j.im.former++
			}
		}
	}
	return nil
}

// shared marks every person whose e-mail address belongs to more persons than the
// campaign allows. It counts exactly, over the whole directory.
func (im *importer) shared() error {
	limit := im.c.Spec.Channels.SharedEmailLimit
	if limit <= 0 {
		limit = 3
	}
	m, err := im.byEmail.sorted()
	if err != nil {
		return err
	}
	var email, last key
	var waiting []key // the first persons of the address, until it is too many
	n := 0
	for {
		rec, err := m.next()
		if errors.Is(err, io.EOF) {
			return im.byEmail.Close()
		}
		if err != nil {
			return err
		}
		e, person := key(rec[:16]), key(rec[16:])
		if e != email {
			email, n, waiting = e, 0, waiting[:0]
		} else if person == last {
			continue
		}
		last = person
		if n++; n <= limit {
			waiting = append(waiting, person)
			continue
		}
		for _, p := range append(waiting, person) {
			if err := im.byPerson.add(im.enc.shared(p, email)); err != nil {
				return err
			}
		}
		waiting = waiting[:0]
	}
}

// refuse says why what was read must not be published.
func (im *importer) refuse() error {
	if err := im.nothingAccepted(); err != nil {
		return err
	}
	return im.tooManyUnmatched()
}

// nothingAccepted refuses a list that nobody can be taken from: it would inform
// nobody, and with --replace take everybody off.
func (im *importer) nothingAccepted() error {
	for _, f := range im.manifest.Files {
		if f.Accepted > 0 {
			continue
		}
		e := &pipeline.Error{
			Code: "nothing-accepted", Permanent: true, Exit: 1,
			Sentence: fmt.Sprintf("%s: holds no row below the names of the columns; nothing was published", f.Name),
			Hint:     "export it again, or leave it away if there is nothing to tell",
		}
		if f.Rows > 0 {
			e.Sentence = fmt.Sprintf("%s: none of its %d rows can be taken; nothing was published", f.Name, f.Rows)
			e.Hint = "the file of rejected rows says why, row by row"
		}
		return e
	}
	return nil
}

// tooManyUnmatched refuses a list whose customers the directory does not know:
// either is probably the wrong one, or the directory was left away and only a
// blind index of it is kept.
func (im *importer) tooManyUnmatched() error {
	n := im.manifest.Unmatched
	if im.former > im.c.MaxUnmatched {
		return &pipeline.Error{
			Code: "directory-needed", Permanent: true, Exit: 1,
			Sentence: fmt.Sprintf("%d of %d customers on the impact list were in the directory of an earlier import and not concerned then, so their names and addresses were not kept; nothing was published", im.former, im.impacted),
			Hint:     fmt.Sprintf("give the directory again with --customers (the whole of it, or the rows of these customers), or allow it with --max-unmatched %d: those customers become unreachable (no contact)", n),
		}
	}
	if n*100 <= im.impacted || n <= im.c.MaxUnmatched {
		return nil
	}
	return &pipeline.Error{
		Code: "too-many-unmatched", Permanent: true, Exit: 1,
		Sentence: fmt.Sprintf("%d of %d customers on the impact list are not in the customer directory; nothing was published", n, im.impacted),
		Hint:     fmt.Sprintf("compare how both lists write customer_id (leading zeros lost?), deliver the missing rows, or allow it with --max-unmatched %d: those customers become unreachable (no contact)", n),
	}
}
