package sample

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// customer is one row of the directory.
type customer struct {
	id, person, title, first, last, company, email, phone string
	address                                               [5]string
	postcode, city, country, locale, format, flags        string
	representative, emailDate, addressDate, segment       string
	brand                                                 int // 0: main, 1: second
}

type world struct {
	seed                    uint64
	women, men, last, firm  []string
	awkward, domain, street []string
	french, cedex           []place
	abroad                  []abroad
}

func newWorld(seed uint64) *world {
	return &world{seed: seed, women: women(), men: men(), last: lastNames(), firm: companies(), awkward: awkward(), domain: domains(), street: streets(),
		french: frenchPlaces(), cedex: companyPlaces(), abroad: abroads()}
}

const family = 8 // neighbours in the directory from whom a household is made

// customer makes row i of the directory, always the same.
func (w *world) customer(i int) customer {
	r := at(w.seed, uint64(i))
	if i%41 == 7 && i > 0 {
		// The second number of the customer before, under one person id.
		c := w.person(i - 1)
		c.id, c.person = number(i), "P"+number(i-1)
		if r.in(200) {
			c.email = ""
		}
		return c
	}
	c := w.person(i)
	c.id = number(i)
	if i%41 == 6 {
		c.person = "P" + number(i)
	}
	return c
}

func number(i int) string { return fmt.Sprintf("C%08d", 10_000_000+i*7) }

// person makes the person behind row i.
func (w *world) person(i int) customer {
	r := at(w.seed^0xA5A5, uint64(i))
	c := customer{country: "FR", locale: "fr", brand: 0}
	if r.in(250) {
		c.brand = 1
	}
	w.name(&c, r)
	w.place(&c, r)
	w.reach(&c, r, i)
	w.family(&c, i)
	c.segment = pick(r, []string{"particulier", "particulier", "particulier", "pro", "senior"})
	c.emailDate, c.addressDate = day(r), day(r)
	w.flags(&c, r)
	if r.in(10) {
		// In the directory by name alone: nothing to write to.
		c.email, c.phone, c.address, c.postcode, c.city = "", "", [5]string{}, "", ""
	}
	return c
}

func (w *world) name(c *customer, r *source) {
	switch {
	case r.in(40):
		c.company = pick(r, w.firm)
		if r.in(500) {
			c.first, c.last = pick(r, w.men), pick(r, w.last)
		}
		return
	case r.in(480):
		c.title, c.first = "Mme", pick(r, w.women)
	case r.in(900):
		c.title, c.first = "M.", pick(r, w.men)
	case r.in(300):
		c.title, c.first = "M. et Mme", pick(r, w.men)
	default:
		c.first = pick(r, w.women) // no title on file
	}
	c.last = pick(r, w.last)
	switch {
	case r.in(150):
		c.first, c.last = strings.ToUpper(c.first), strings.ToUpper(c.last)
	case r.in(60):
		c.last += "-" + pick(r, w.last)
	case r.in(6):
		c.last = pick(r, w.awkward)
	}
}

func (w *world) place(c *customer, r *source) {
	n := 1 + r.n(180)
	if c.company != "" && r.in(500) {
		p := pick(r, w.cedex)
		c.address[0], c.address[1] = fmt.Sprintf("%d %s", n, pick(r, w.street)), fmt.Sprintf("BP %d", 10000+r.n(80000))
		c.postcode, c.city = p.postcode, p.city
		return
	}
	if r.in(45) {
		a := pick(r, w.abroad)
		p := pick(r, a.places)
		c.country, c.locale, c.postcode, c.city = a.country, a.locale, p.postcode, p.city
		c.address[0] = fmt.Sprintf(pick(r, a.streets), n)
		return
	}
	p := pick(r, w.french)
	c.postcode, c.city = p.postcode, p.city
	if strings.HasPrefix(c.postcode, "0") && r.in(50) {
		c.postcode = c.postcode[1:] // a spreadsheet ate the zero
	}
	suffix := pick(r, []string{"", "", "", "", " bis", " ter"})
	c.address[0] = fmt.Sprintf("%d%s %s", n, suffix, pick(r, w.street))
	if r.in(250) {
		c.address[1] = fmt.Sprintf("Appartement %d, escalier %s", 1+r.n(60), pick(r, []string{"A", "B", "C"}))
	}
	if r.in(40) {
		c.address[0] = "" // nobody knows the street
		c.address[1] = ""
	}
	if r.in(100) {
		c.locale = "en"
	}
}

func (w *world) reach(c *customer, r *source, i int) {
	if !r.in(120) {
		local := ascii(c.first + "." + c.last)
		if c.company != "" {
			local = "contact." + ascii(c.company)
		}
		c.email = fmt.Sprintf("%s%d@%s", strings.Trim(cutTo(local, 40), "."), i%1000, pick(r, w.domain))
		switch {
		case r.in(4):
			c.email = "nomail@" + pick(r, w.domain)
		case r.in(4):
			c.email = strings.Replace(c.email, "@", "@@", 1)
		case r.in(3):
			c.email = "service.client@telecom-exemple.example"
		case r.in(3):
			c.email = strings.Split(c.email, "@")[0] + "@bücher.example"
		case r.in(100):
			c.email = strings.ToUpper(c.email[:1]) + c.email[1:]
		}
	}
	if r.in(850) {
		c.phone = pick(r, []string{"06 39 98 %02d %02d", "01.99.00.%02d.%02d", "+33639980%02d%d", "0033 6 39 98 %02d %02d"})
		c.phone = fmt.Sprintf(c.phone, r.n(100), 10+r.n(89))
		if strings.HasPrefix(c.phone, "+33639980") {
			c.phone = c.phone[:12]
		}
	}
}

// family gives some neighbours one household: name, address and e-mail.
func (w *world) family(c *customer, i int) {
	g := at(w.seed^0xFA311, uint64(i/family))
	size := 2 + g.n(5)
	if !g.in(60) || i%family >= size || c.company != "" {
		return
	}
	head := at(w.seed^0xFA312, uint64(i/family))
	c.last = pick(head, w.last)
	p := pick(head, w.french)
	c.country, c.postcode, c.city = "FR", p.postcode, p.city
	c.address = [5]string{fmt.Sprintf("%d %s", 1+head.n(90), pick(head, w.street))}
	c.email = fmt.Sprintf("famille.%s%d@famille.example", ascii(c.last), i/family)
}

func (w *world) flags(c *customer, r *source) {
	c.format = "standard"
	var flags []string
	for _, f := range []struct {
		name     string
		perMille int
	}{{"vip", 4}, {"press", 1}, {"employee", 5}, {"minor", 3}, {"protected-adult", 2}, {"protected-address", 1}, {"deceased", 4}, {"litigation", 2}, {"no-email", 6}, {"no-post", 2}} {
		if !r.in(f.perMille) {
			continue
		}
		flags = append(flags, f.name)
		if f.name == "minor" && r.in(700) {
			c.representative = pick(r, w.women) + " " + c.last
		}
	}
	c.flags = strings.Join(flags, "|")
	switch {
	case r.in(8):
		c.format = "large-print"
	case r.in(2):
		c.format = "braille"
	case r.in(1):
		c.format = "audio"
	}
}

func day(r *source) string {
	return fmt.Sprintf("20%02d-%02d-%02d", 18+r.n(8), 1+r.n(12), 1+r.n(28))
}

// ascii makes a local part of a name.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case c == ' ' || c == '.' || c == '-' || c == '\'':
			if n := b.Len(); n > 0 && b.String()[n-1] != '.' {
				b.WriteByte('.')
			}
		case c == 'œ':
			b.WriteString("oe")
		}
	}
	if b.Len() == 0 {
		return "client"
	}
	return b.String()
}

func cutTo(s string, n int) string { return s[:min(len(s), n)] }
