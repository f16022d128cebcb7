package intake

import (
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file compares the addresses that rows of one customer number give.

// passed is an address of a row that is not taken, because another row of the same
// customer number has another.
type passed struct {
	code   code
	column string
	at     place
}

// otherEmails finds rows of the customer number whose e-mail address is another than
// the one that is taken. Where nothing says that it is the newer one, a person decides.
func (b *builder) otherEmails(p *built, best int, usable bool) {
	taken := &b.rows[best]
	for i := range b.rows {
		c := &b.rows[i]
		if c.f[cCustomerID] != taken.f[cCustomerID] || c.f[cEmail] == "" || strings.EqualFold(c.f[cEmail], taken.f[cEmail]) {
			continue
		}
		p.passed = append(p.passed, passed{emailPassed, "email", c.at()})
		own := len(b.shared) == 0 || !slices.Contains(b.shared, emailKey(c.f[cEmail]))
		if own == usable && c.f[cEmailDate] == taken.f[cEmailDate] {
			p.codes = withCode(p.codes, emailsDiffer)
		}
	}
}

// otherAddresses is the same for postal addresses. One that is only written in another
// way is the same.
func (b *builder) otherAddresses(p *built, best int) {
	taken := &b.rows[best]
	for i := range b.rows {
		c := &b.rows[i]
		if c.f[cCustomerID] != taken.f[cCustomerID] || !c.hasAddress() || sameAddressOf(c, taken) {
			continue
		}
		p.passed = append(p.passed, passed{addressPassed, "address_1", c.at()})
		if c.f[cAddressDate] == taken.f[cAddressDate] {
			p.codes = withCode(p.codes, addressesDiffer)
		}
	}
}

// sameAddressOf reports whether two rows have one address.
func sameAddressOf(a, b *customer) bool {
	x, y := a.address(), b.address()
	if foldText(strings.Join(append(x.Address, x.Postcode, x.City), " ")) == foldText(strings.Join(append(y.Address, y.Postcode, y.City), " ")) {
		return true
	}
	return SameAddress(x, strings.Join(y.Address, " "), y.Postcode, y.City) || SameAddress(y, strings.Join(x.Address, " "), x.Postcode, x.City)
}

// address is the postal address of a row.
func (c *customer) address() (p pipeline.Person) {
	for i := cAddress1; i <= cAddress5; i++ {
		if c.f[i] != "" {
			p.Address = append(p.Address, c.f[i])
		}
	}
	p.Postcode, p.City, p.Country = c.f[cPostcode], c.f[cCity], c.f[cCountry]
	return p
}
