package intake

import (
	"cmp"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// builder makes one person of the records that lie under one person key.
type builder struct {
	limits Limits
	names  []string // of attributes
	region string   // country of an address that names none

	rows      []customer
	shared    []key
	ids       []string // customer numbers of impacts
	own       []pipeline.Exposure
	contracts []pipeline.Contract
	place     map[string]int // contract → its place, once there are many
	products  []string       // contract kinds of impacts without a contract number
	codes     []code
	poisoned  bool
	impacted  bool
	firstAt   place // of the impacts
	differAt  place // of the first impact that contradicts another

	impacts, duplicates int64
}

// built is a person with all that the choice of a channel asks.
type built struct {
	key      key
	person   pipeline.Person
	impacted bool // there is something to tell
	listed   bool // the directory has the person
	poisoned bool // a row of the impacts was rejected

	emailUsable bool
	products    []string
	flags       []string
	format      string
	locale      string
	codes       []code  // sorted, without repetition
	places      []place // of each code
	at          place   // of the person
	mailAt      place   // of the e-mail address
	postAt      place   // of the postal address
	passed      []passed
	unprintable bool // it does not fit the envelope profile

	impacts, duplicates int64
}

func (b *builder) reset() {
	*b = builder{limits: b.limits, names: b.names, region: b.region, rows: b.rows[:0], shared: b.shared[:0], ids: b.ids[:0], codes: b.codes[:0]}
}

// add takes a record.
func (b *builder) add(rec []byte, scratch *impact) error {
	switch rec[16] {
	case recCustomer:
		if len(b.rows) >= b.limits.Records {
			b.codes = withCode(b.codes, tooMany)
			return nil
		}
		b.rows = append(b.rows, customer{})
		return decodeCustomer(rec, &b.rows[len(b.rows)-1])
	case recShared:
		if len(rec) != recKey+len(key{}) {
			return errRecord
		}
		b.shared = append(b.shared, key(rec[recKey:]))
	case recImpact:
		if err := decodeImpact(rec, scratch); err != nil {
			return err
		}
		b.impact(scratch)
	default:
		b.poisoned = true
	}
	return nil
}

// impact joins an impact with those that are there.
func (b *builder) impact(i *impact) {
	b.impacted = true
	if b.firstAt.row == 0 {
		b.firstAt = i.at
	}
	for _, c := range i.codes {
		b.codes = withCode(b.codes, c)
	}
	if !slices.Contains(b.ids, i.customer) && len(b.ids) < b.limits.Records {
		b.ids = append(b.ids, i.customer)
	}
	if i.contract == "" {
		if i.kind != "" && !slices.Contains(b.products, i.kind) {
			b.products = append(b.products, i.kind)
		}
		for _, k := range i.kinds {
			b.own = b.expose(b.own, k, i)
		}
		return
	}
	at := b.contract(i.contract)
	if at < 0 {
		if len(b.contracts) >= b.limits.Contracts {
			b.codes = withCode(b.codes, tooMany)
			return
		}
		at = len(b.contracts)
		b.contracts = append(b.contracts, pipeline.Contract{ID: i.contract})
		if b.place != nil {
			b.place[i.contract] = at
		}
	}
	c := &b.contracts[at]
	switch {
	case c.Kind == "":
		c.Kind = i.kind
	case i.kind != "" && i.kind != c.Kind:
		b.codes = withCode(b.codes, contractDiffers)
		if b.differAt.row == 0 {
			b.differAt = i.at
		}
		c.Kind = min(c.Kind, i.kind) // the same whatever the order of the rows
	}
	if c.Label == "" || i.label != "" && i.label < c.Label {
		c.Label = i.label
	}
	for _, k := range i.kinds {
		c.Data = b.expose(c.Data, k, i)
	}
}

// contract returns the place of a contract, or -1.
func (b *builder) contract(id string) int {
	if b.place != nil {
		if at, ok := b.place[id]; ok {
			return at
		}
		return -1
	}
	for at := range b.contracts {
		if b.contracts[at].ID == id {
			return at
		}
	}
	if len(b.contracts) > 32 {
		b.place = make(map[string]int, 2*len(b.contracts))
		for at := range b.contracts {
			b.place[b.contracts[at].ID] = at
		}
	}
	return -1
}

// expose adds a data kind. One that is there stays once: confirmed wins over
// possible, then the earlier observation.
func (b *builder) expose(list []pipeline.Exposure, kind string, i *impact) []pipeline.Exposure {
	e := pipeline.Exposure{Kind: kind, Possible: i.possible, Source: i.source, ObservedAt: i.observed}
	for at := range list {
		if list[at].Kind == kind {
			b.duplicates++
			if stronger(e, list[at]) {
				list[at] = e
			}
			return list
		}
	}
	b.impacts++
	return append(list, e)
}

// stronger reports whether the customer should rather be told a than b. It is a
// total order, so that the order of the rows does not matter.
func stronger(a, b pipeline.Exposure) bool {
	if a.Possible != b.Possible {
		return b.Possible
	}
	if (a.ObservedAt == "") != (b.ObservedAt == "") {
		return a.ObservedAt != ""
	}
	return cmp.Or(strings.Compare(a.ObservedAt, b.ObservedAt), strings.Compare(b.Source, a.Source)) < 0
}

// build makes the person.
func (b *builder) build(k key) *built {
	slices.SortStableFunc(b.rows, func(x, y customer) int { return strings.Compare(x.f[cCustomerID], y.f[cCustomerID]) })
	p := &built{
		key: k, impacted: b.impacted, listed: len(b.rows) > 0, poisoned: b.poisoned,
		impacts: b.impacts, duplicates: b.duplicates, codes: slices.Clone(b.codes),
	}
	if b.poisoned && b.impacted {
		p.codes = withCode(p.codes, rowRejected)
	}
	b.identify(p)
	b.mail(p)
	b.post(p)
	b.exposures(p)
	for i := range b.rows {
		for _, c := range b.rows[i].codes {
			if c.effect() == Hold {
				p.codes = withCode(p.codes, c)
			}
		}
	}
	slices.Sort(p.codes)
	b.locate(p)
	return p
}

// locate says for each code in which row to look.
func (b *builder) locate(p *built) {
	p.at = b.firstAt
	if p.listed {
		p.at = b.rows[0].at()
	}
	for _, c := range p.codes {
		at := p.at
		switch c {
		case contractDiffers:
			at = b.differAt
		case emailsDiffer:
			at = p.mailAt
		case addressesDiffer:
			at = p.postAt
		}
		for i := range b.rows {
			if slices.Contains(b.rows[i].codes, c) || c == emailShared && b.rows[i].f[cEmail] == p.person.Email {
				at = b.rows[i].at()
				break
			}
		}
		p.places = append(p.places, at)
	}
}

// identify sets who it is.
func (b *builder) identify(p *built) {
	ids := b.ids
	if p.listed {
		ids = nil
		for i := range b.rows {
			ids = append(ids, b.rows[i].f[cCustomerID])
		}
	}
	p.person.CustomerIDs = pipeline.Set(ids)
	if !p.listed {
		return
	}
	first := &b.rows[0]
	p.person.PersonID = first.f[cPersonID]
	p.person.Title, p.person.FirstName, p.person.LastName, p.person.Company = first.f[cTitle], first.f[cFirstName], first.f[cLastName], first.f[cCompany]
	var flags []string
	for i := range b.rows {
		c := &b.rows[i]
		if c.f[cCustomerID] != first.f[cCustomerID] && !samePerson(first, c) {
			p.codes = withCode(p.codes, personNamesDiffer)
		}
		for _, x := range []struct {
			to  *string
			col int
		}{{&p.person.Representative, cRepresentative}, {&p.person.Phone, cPhone}, {&p.locale, cLocale}} {
			if *x.to == "" {
				*x.to = c.f[x.col]
			}
		}
		if special(c.f[cFormat]) > special(p.format) {
			p.format = c.f[cFormat]
		}
		if c.f[cFlags] != "" {
			flags = append(flags, strings.Split(c.f[cFlags], "|")...)
		}
		for _, a := range c.attrs {
			if a.name < len(b.names) {
				p.attribute(b.names[a.name], a.value)
			}
		}
		p.attribute("segment", c.f[cSegment])
	}
	p.flags = pipeline.Set(flags)
}

// special orders formats: who needs a special one in one contract needs it in
// all.
func special(format string) int {
	return slices.Index([]string{"", pipeline.FormatLargePrint, pipeline.FormatAudio, pipeline.FormatBraille}, format)
}

// attribute keeps the first value of a further column.
func (p *built) attribute(name, value string) {
	if value == "" {
		return
	}
	if p.person.Attributes == nil {
		p.person.Attributes = map[string]string{}
	}
	if _, ok := p.person.Attributes[name]; !ok {
		p.person.Attributes[name] = value
	}
}

// mail chooses the e-mail address: the one last confirmed among those that are
// the person's own. One that is shared by too many stays a search key.
func (b *builder) mail(p *built) {
	best, usable := -1, false
	for i := range b.rows {
		c := &b.rows[i]
		if c.f[cEmail] == "" {
			continue
		}
		own := len(b.shared) == 0 || !slices.Contains(b.shared, emailKey(c.f[cEmail]))
		if best < 0 || own && !usable || own == usable && c.f[cEmailDate] > b.rows[best].f[cEmailDate] {
			best, usable = i, own
		}
	}
	p.emailUsable = usable
	if best >= 0 {
		p.person.Email, p.mailAt = b.rows[best].f[cEmail], b.rows[best].at()
		b.otherEmails(p, best, usable)
		p.attribute("email_date", b.rows[best].f[cEmailDate])
	}
	if usable {
		return
	}
	if best >= 0 {
		p.codes = withCode(p.codes, emailShared)
	}
	for i := range b.rows {
		for _, c := range b.rows[i].codes {
			if c.effect() == NoEmail {
				p.codes = withCode(p.codes, c)
			}
		}
	}
}

// post chooses the postal address as a whole: the one last confirmed.
func (b *builder) post(p *built) {
	best := -1
	for i := range b.rows {
		if c := &b.rows[i]; c.hasAddress() && (best < 0 || c.f[cAddressDate] > b.rows[best].f[cAddressDate]) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	c := &b.rows[best]
	p.postAt = c.at()
	b.otherAddresses(p, best)
	is := c.address()
	p.person.Address, p.person.Postcode, p.person.City, p.person.Country = is.Address, is.Postcode, is.City, is.Country
	if p.person.Country == "" && !slices.Contains(c.codes, unknownCountry) {
		p.person.Country = b.region
	}
	p.attribute("address_date", c.f[cAddressDate])
	for _, x := range c.codes {
		if x.effect() == NoPost {
			p.codes = withCode(p.codes, x)
		}
	}
}

func (c *customer) hasAddress() bool {
	for i := cAddress1; i <= cCity; i++ {
		if c.f[i] != "" {
			return true
		}
	}
	return false
}

// exposures sets what is to be told, in an order that does not depend on the
// rows'.
func (b *builder) exposures(p *built) {
	byKind := func(x, y pipeline.Exposure) int { return strings.Compare(x.Kind, y.Kind) }
	slices.SortFunc(b.own, byKind)
	slices.SortFunc(b.contracts, func(x, y pipeline.Contract) int { return strings.Compare(x.ID, y.ID) })
	for i := range b.contracts {
		slices.SortFunc(b.contracts[i].Data, byKind)
	}
	p.person.Own, p.person.Contracts = b.own, b.contracts
	_, products := p.person.Kinds()
	p.products = pipeline.Set(append(products, b.products...))
}

// has reports whether one of the person's codes has an effect.
func (p *built) has(e Effect) bool {
	return slices.ContainsFunc(p.codes, func(c code) bool { return c.effect() == e })
}

// defects returns the codes with one of the effects, sorted.
func (p *built) defects(effects ...Effect) []string {
	var list []string
	for _, c := range p.codes {
		if slices.Contains(effects, c.effect()) {
			list = append(list, c.String())
		}
	}
	return pipeline.Set(list)
}
