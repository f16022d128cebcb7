package letter

import (
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// fillData sets what the template sees. told says whether the letter must tell of
// exposed data; date is that of the letter, written out.
func (s *Set) fillData(st *state, v *voice, sender string, told bool, r Request, date string) (addressee, error) {
	d, p := &st.data, &r.Person
	who := v.address(*p)
	switch {
	case who.name == "":
		return who, &pipeline.Error{Code: "no-recipient", Permanent: true, Sentence: "this customer has neither a name nor a company", Hint: "correct the directory and import it again, or exclude the notice"}
	case p.Reference == "":
		return who, &pipeline.Error{Code: "no-reference", Permanent: true, Sentence: "this notice has no reference"}
	}
	d.Customer = customerView{Name: st.values.put(who.name), Salutation: st.values.put(who.salutation), Attention: st.values.put(who.attention),
		Courtesy: st.values.put(who.courtesy), Represented: st.values.put(who.represented)}
	d.Incident, d.Sender, d.Controller = v.incident, v.senders[sender], v.controller
	d.Reference = st.values.put(p.Reference.String())
	d.Date = st.values.put(date)
	d.FirstWritten = st.values.put(v.date(calendarDay(r.FirstWritten)))
	d.Fallback, d.Copy, d.ByPost = r.Kind == pipeline.Fallback, r.Kind == pipeline.CopyOf, r.Channel == pipeline.Post
	if err := s.fillExposed(st, v, p); err != nil {
		return who, err
	}
	if told && len(d.Own) == 0 && len(d.Groups) == 0 {
		return who, &pipeline.Error{Code: "nothing-exposed", Permanent: true, Sentence: "the lists name no data of this customer", Hint: "exclude the notice, or correct the impact list"}
	}
	if len(st.values) > maxValues {
		return who, tooLong()
	}
	return who, nil
}

// group is a group of contracts with the same exposures.
type group struct {
	data      []exposed
	contracts []int
}

// fillExposed sets the customer's own data, the contracts, and what follows from
// the kinds concerned.
func (s *Set) fillExposed(st *state, v *voice, p *pipeline.Person) error {
	d := &st.data
	own, err := s.catalogue.sort(p.Own)
	if err != nil {
		return err
	}
	var groups []group
	for i := range p.Contracts {
		list, err := s.catalogue.sort(p.Contracts[i].Data)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		at := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.data, list) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{data: list})
		}
		groups[at].contracts = append(groups[at].contracts, i)
	}
	concerned := make([]bool, len(v.kinds))
	if d.Own, err = s.items(d, v, own, concerned); err != nil {
		return err
	}
	for _, g := range groups {
		view := groupView{Contracts: make([]contractView, len(g.contracts)), Several: len(g.contracts) > 1}
		if view.Data, err = s.items(d, v, g.data, concerned); err != nil {
			return err
		}
		for i, c := range g.contracts {
			view.Contracts[i] = contractView{Label: st.values.put(v.label(p.Contracts[c])), Number: st.values.put(solid(p.Contracts[c].ID)), First: i == 0, Last: i == len(g.contracts)-1}
		}
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
	return nil
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
