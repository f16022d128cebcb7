package letter

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// about is what of a customer decides how his letter reads, but for the values
// themselves: which of them there are, and what was exposed through what.
type about struct {
	who    addressee
	values customerView
	// reference, date and first stand for the other values of the letter.
	reference, date, first Value
	own                    []exposed
	groups                 []group
}

// group is a group of contracts with the same exposures.
type group struct {
	data      []exposed
	contracts []contractView
}

// ask takes what a letter needs from the request. Values go into st, in one order
// always, so that letters that read the same have the same stand-ins. told says
// whether the letter must tell of exposed data; date is that of the letter, written
// out.
func (s *Set) ask(st *state, v *voice, told bool, r Request, date string) (about, error) {
	p := &r.Person
	a := about{who: v.address(*p)}
	switch {
	case a.who.name == "":
		return a, &pipeline.Error{Code: "no-recipient", Permanent: true, Sentence: "this customer has neither a name nor a company", Hint: "correct the directory and import it again, or exclude the notice"}
	case p.Reference == "":
		return a, &pipeline.Error{Code: "no-reference", Permanent: true, Sentence: "this notice has no reference"}
	}
	a.values = customerView{Name: st.values.put(a.who.name), Salutation: st.values.put(a.who.salutation), Attention: st.values.put(a.who.attention),
		Courtesy: st.values.put(a.who.courtesy), Represented: st.values.put(a.who.represented)}
	a.reference = st.values.put(p.Reference.String())
	a.date = st.values.put(date)
	a.first = st.values.put(v.date(calendarDay(r.FirstWritten)))
	if err := s.askExposed(&a, st, v, p); err != nil {
		return a, err
	}
	if told && len(a.own) == 0 && len(a.groups) == 0 {
		return a, &pipeline.Error{Code: "nothing-exposed", Permanent: true, Sentence: "the lists name no data of this customer", Hint: "exclude the notice, or correct the impact list"}
	}
	if len(st.values) > maxValues {
		return a, tooLong()
	}
	return a, nil
}

// askExposed sets what was exposed of the customer himself and through contracts;
// those with the same exposures are one group.
func (s *Set) askExposed(a *about, st *state, v *voice, p *pipeline.Person) error {
	var err error
	if a.own, err = s.catalogue.sort(p.Own); err != nil {
		return err
	}
	in := make([]int, len(p.Contracts)) // the group of each contract, from 1
	for i := range p.Contracts {
		list, err := s.catalogue.sort(p.Contracts[i].Data)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		at := slices.IndexFunc(a.groups, func(g group) bool { return slices.Equal(g.data, list) })
		if at < 0 {
			at = len(a.groups)
			a.groups = append(a.groups, group{data: list})
		}
		in[i] = at + 1
	}
	for g := range a.groups {
		for i := range p.Contracts {
			if in[i] == g+1 {
				a.groups[g].contracts = append(a.groups[g].contracts, contractView{Label: st.values.put(v.label(p.Contracts[i])), Number: st.values.put(solid(p.Contracts[i].ID))})
			}
		}
	}
	return nil
}

// key tells letters apart that do not read the same, values aside. Every part of it
// is behind its length or of fixed length.
func (a *about) key(b []byte, sender string, r Request) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(sender))), sender...)
	for _, is := range []bool{r.Kind == pipeline.Fallback, r.Kind == pipeline.CopyOf, r.Channel == pipeline.Post} {
		b = appendFlag(b, is)
	}
	c := &a.values
	for _, v := range []Value{c.Name, c.Salutation, c.Attention, c.Courtesy, c.Represented, a.reference, a.date, a.first} {
		b = appendFlag(b, v != "")
	}
	b = appendExposed(b, a.own)
	b = binary.AppendUvarint(b, uint64(len(a.groups)))
	for _, g := range a.groups {
		b = appendExposed(b, g.data)
		b = binary.AppendUvarint(b, uint64(len(g.contracts)))
		for _, c := range g.contracts {
			b = appendFlag(appendFlag(b, c.Label != ""), c.Number != "")
		}
	}
	return b
}

func appendFlag(b []byte, is bool) []byte {
	if is {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendExposed(b []byte, list []exposed) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, e := range list {
		b = appendFlag(binary.AppendUvarint(b, uint64(e.kind)), e.possible)
	}
	return b
}

// view is what the template sees. It depends on what key tells, and on the
// campaign, and on nothing else.
func (s *Set) view(v *voice, sender string, a *about, r Request) (data, error) {
	d := data{
		Customer: a.values, Incident: v.incident, Sender: v.senders[sender], Controller: v.controller,
		Reference: a.reference, Date: a.date, FirstWritten: a.first,
		Fallback: r.Kind == pipeline.Fallback, Copy: r.Kind == pipeline.CopyOf, ByPost: r.Channel == pipeline.Post,
	}
	concerned := make([]bool, len(v.kinds))
	var err error
	if d.Own, err = s.items(&d, v, a.own, concerned); err != nil {
		return d, err
	}
	for _, g := range a.groups {
		view := groupView{Contracts: slices.Clone(g.contracts), Several: len(g.contracts) > 1}
		if view.Data, err = s.items(&d, v, g.data, concerned); err != nil {
			return d, err
		}
		view.Contracts[0].First, view.Contracts[len(view.Contracts)-1].Last = true, true
		d.Groups = append(d.Groups, view)
	}
	for i, is := range concerned {
		if !is {
			continue
		}
		if c := v.kinds[i].item.Consequence; !slices.Contains(d.Consequences, c) {
			d.Consequences = append(d.Consequences, c)
		}
		for _, a := range v.kinds[i].advice {
			if !slices.Contains(d.Advice, a) {
				d.Advice = append(d.Advice, a)
			}
		}
	}
	if i, ok := s.catalogue.index[household]; ok {
		d.Household = concerned[i]
	}
	return d, nil
}

// items words exposures and notes which kinds are concerned so far.
func (s *Set) items(d *data, v *voice, list []exposed, concerned []bool) ([]itemView, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]itemView, len(list))
	for i, e := range list {
		if !v.kinds[e.kind].worded {
			return nil, unknownKind(s.catalogue.entries[e.kind].code)
		}
		out[i] = v.kinds[e.kind].item
		out[i].Possible, out[i].Again = e.possible, concerned[e.kind]
		d.Possible = d.Possible || e.possible
		concerned[e.kind] = true
	}
	return out, nil
}

// label is the name of an offer, or the word for a contract.
func (v *voice) label(c pipeline.Contract) string {
	if l := clean(c.Label); strings.TrimSpace(l) != "" {
		return l
	}
	return v.Contract
}
