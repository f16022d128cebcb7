package intake

import (
	"strings"

	"github.com/art34/art34/pipeline"
)

// Checks judges single addresses by the rules of an import. It is not safe for
// concurrent use.
type Checks struct{ k *checker }

// NewChecks takes Spec, Region and OwnDomains of a Config.
func NewChecks(c Config) *Checks {
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	return &Checks{newChecker(&c)}
}

// Email returns an address as it goes on the wire, or what makes it unusable.
func (c *Checks) Email(text string) (string, []Code) {
	c.k.f.reset()
	address := c.k.email([]byte(strings.TrimSpace(text)), "email")
	if address == "" && len(c.faults(NoEmail)) == 0 {
		return "", []Code{codes[emailSyntax]}
	}
	return address, c.faults(NoEmail)
}

// Country returns the ISO 3166-1 alpha-2 code of a country as Address reads it; what is
// not known stays as it is.
func (c *Checks) Country(text string) string {
	c.k.f.reset()
	switch code := c.k.country([]byte(strings.TrimSpace(text)), "country"); {
	case c.k.has(unknownCountry):
		return text
	case code == "":
		return c.k.region
	default:
		return code
	}
}

// Address gives a person another postal address, or says what is wrong with it.
// Lines are up to five, without postcode, city and country. Whether it fits an
// envelope is another question.
func (c *Checks) Address(p *pipeline.Person, lines []string, postcode, city, country string) []Code {
	c.k.f.reset()
	code := c.k.country([]byte(strings.TrimSpace(country)), "country")
	if code == "" && !c.k.has(unknownCountry) {
		code = c.k.region
	}
	var clean []string
	for _, l := range lines {
		if l = c.k.clean([]byte(strings.TrimSpace(l)), "address_1", false); l != "" {
			clean = append(clean, l)
		}
		if damaged(l) {
			c.k.f.add(damagedText, "address_1")
		}
	}
	town := c.k.clean([]byte(strings.TrimSpace(city)), "city", true)
	post := c.k.postcode([]byte(strings.TrimSpace(postcode)), "postcode", code)
	if faults := append(c.faults(NoPost), c.faults(Hold)...); len(faults) > 0 {
		return faults
	}
	p.Address, p.Postcode, p.City, p.Country = clean, post, town, code
	return nil
}

// Corrected removes from a notice what was wrong with the address that was
// replaced, and gives it what follows from the new one.
func Corrected(n pipeline.Notice, p pipeline.Person, ch pipeline.Channel) pipeline.Notice {
	gone := NoEmail
	if ch == pipeline.Post {
		gone = NoPost
		n.Country, n.Area = p.Country, area(p.Country, p.Postcode)
	} else {
		n.Provider = pipeline.Provider(p.Email)
	}
	var left []string
	for _, d := range n.Defects {
		for _, c := range codes {
			if c.Code == d && c.Effect == gone {
				d = ""
			}
		}
		left = append(left, d)
	}
	n.Defects = pipeline.Set(left)
	return n
}

func (c *Checks) faults(e Effect) (list []Code) {
	for _, f := range c.k.f.list {
		if f.code.effect() == e {
			list = append(list, codes[f.code])
		}
	}
	return list
}
