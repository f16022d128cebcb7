package intake

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// checker judges rows, one at a time. It is not safe for concurrent use.
type checker struct {
	spec       *pipeline.Spec
	region     string
	countries  map[string]string
	ownDomains map[string]bool
	knownFlags map[string]bool
	knownKinds map[string]bool
	allowed    map[string]bool // hosts that letters may link to
	limits     Limits

	spreadsheet bool // dates may be day numbers, and numbers hold 15 digits
	f           findings
}

func newChecker(c *Config) *checker {
	k := &checker{
		spec: c.Spec, region: c.Region, countries: countryNames(), limits: c.Limits,
		ownDomains: map[string]bool{}, knownFlags: map[string]bool{}, knownKinds: map[string]bool{},
		allowed: map[string]bool{},
	}
	for _, host := range c.Spec.Letters.AllowLinks {
		k.allowed[strings.ToLower(host)] = true
	}
	if k.region == "" {
		k.region = "FR"
	}
	for _, d := range c.OwnDomains {
		k.ownDomains[strings.ToLower(strings.TrimSuffix(d, "."))] = true
	}
	for f := range pipeline.DefaultFlagRules() {
		k.knownFlags[f] = true
	}
	for _, x := range c.KnownKinds {
		k.knownKinds[x] = true
	}
	return k
}

var (
	customerNumber = idCodes{mangledID, dateID, badID}
	personNumber   = idCodes{badPersonID, badPersonID, badPersonID}
	contractNumber = idCodes{mangledContract, dateContract, badContract}
)

// customer checks a row of the directory. The findings are in k.f; if one of them
// rejects the row, c is incomplete.
func (k *checker) customer(r *row, c *customer) {
	k.f.reset()
	if k.problem(r) {
		return
	}
	c.row, c.codes, c.attrs = r.n, c.codes[:0], c.attrs[:0]
	clear(c.f[:])
	c.f[cCustomerID] = k.customerID(r.cells[cCustomerID])
	if c.f[cPersonID] = k.number(r.cells[cPersonID], "person_id", personNumber); k.has(badPersonID) {
		c.f[cPersonID] = ""
	}
	k.name(r, c)
	if k.totals(r) {
		return
	}
	k.address(r, c)
	c.f[cEmail] = k.email(r.cells[cEmail], "email")
	c.f[cPhone] = k.phone(r.cells[cPhone], "phone", c.f[cCountry])
	c.f[cLocale] = k.locale(r.cells[cLocale], "locale")
	c.f[cFormat] = k.format(r.cells[cFormat], "format")
	c.f[cFlags] = k.flags(r.cells[cFlags], "flags")
	c.f[cEmailDate] = k.date(r.cells[cEmailDate], "email_date")
	c.f[cAddressDate] = k.date(r.cells[cAddressDate], "address_date")
	c.f[cSegment] = k.clean(r.cells[cSegment], "segment", false)
}

// problem takes over what the reader found. A short row that says "total" is the
// end of a spreadsheet, not a torn customer.
func (k *checker) problem(r *row) bool {
	switch {
	case r.problem == noCode && !headerWord(r.cells[cCustomerID]):
		return false
	case r.problem == noCode:
		k.f.add(repeatedHeader, "")
	case r.problem == fewCells && len(r.cells) > 0 && totalWord(r.cells[0]):
		k.f.add(totalsRow, "")
	case (r.problem == fewCells || r.problem == manyCells) && len(r.cells) > 0 && headerWord(r.cells[0]):
		k.f.add(repeatedHeader, "")
	default:
		k.f.add(r.problem, r.column)
	}
	return true
}

// customerID checks the number that everything is joined by.
func (k *checker) customerID(raw []byte) string {
	if n := len(raw); n > 0 && (raw[0] == ' ' || raw[n-1] == ' ' || raw[0] == '\t' || raw[n-1] == '\t' || raw[0] == 0xc2) {
		k.f.add(trimmedID, "customer_id")
	}
	id := k.number(raw, "customer_id", customerNumber)
	if id == "" || strings.Trim(id, "0") == "" {
		k.f.add(noID, "customer_id")
	}
	return id
}

func (k *checker) has(c code) bool {
	for _, f := range k.f.list {
		if f.code == c {
			return true
		}
	}
	return false
}

// name checks whom to write to.
func (k *checker) name(r *row, c *customer) {
	for _, x := range []struct {
		col  int
		name string
	}{{cTitle, "title"}, {cFirstName, "first_name"}, {cLastName, "last_name"}, {cCompany, "company"}, {cRepresentative, "representative_name"}} {
		if c.f[x.col] = k.clean(r.cells[x.col], x.name, true); damaged(c.f[x.col]) {
			k.f.add(damagedText, x.name)
		}
		k.suspect(c.f[x.col], x.name)
	}
	if c.f[cFirstName] == "" && c.f[cLastName] == "" && c.f[cCompany] == "" {
		k.f.add(noName, "last_name")
	}
}

func (k *checker) address(r *row, c *customer) {
	c.f[cCountry] = k.country(r.cells[cCountry], "country")
	for i := cAddress1; i <= cAddress5; i++ {
		if r.cells[i] == nil {
			continue
		}
		name := "address_" + string(rune('1'+i-cAddress1))
		if c.f[i] = k.clean(r.cells[i], name, false); damaged(c.f[i]) {
			k.f.add(damagedText, name)
		}
	}
	if c.f[cCity] = k.clean(r.cells[cCity], "city", true); damaged(c.f[cCity]) {
		k.f.add(damagedText, "city")
	}
	c.f[cPostcode] = k.postcode(r.cells[cPostcode], "postcode", c.f[cCountry])
}

// attributes keeps the further columns.
func (k *checker) attributes(r *row, c *customer, names []string, index func(string) int) {
	for i := customerColumns; i < len(r.cells); i++ {
		if r.cells[i] == nil || i-customerColumns >= len(names) {
			continue
		}
		name := names[i-customerColumns]
		if v := k.clean(r.cells[i], name, false); v != "" {
			if n := index(name); n >= 0 {
				c.attrs = append(c.attrs, attribute{n, v})
			}
		}
	}
}

// totals reports whether a row is the sum under a list, and then rejects it as
// that and nothing else.
func (k *checker) totals(r *row) bool {
	if _, bad := k.f.rejected(); !bad && !totalWord(r.cells[cCustomerID]) {
		return false
	}
	for _, cell := range r.cells {
		if totalWord(cell) {
			k.f.reset()
			k.f.add(totalsRow, "")
			return true
		}
	}
	return false
}

// headerWord reports whether a cell in the column of the customer number is the
// name of that column: the header once more.
func headerWord(cell []byte) bool {
	return len(cell) >= len("customerid") && len(cell) <= 32 && foldName(string(cell)) == "customerid"
}

// totalWord reports whether a cell says that a sum follows.
func totalWord(cell []byte) bool {
	if len(cell) < 3 || len(cell) > 24 || !bytes.ContainsAny(cell[:min(len(cell), 8)], "tTsSgG") {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(string(cell)), func(r rune) bool { return strings.ContainsRune(" :.-_=", r) })
	for i, w := range words {
		switch w {
		case "total", "totaux", "totals", "sum", "somme", "subtotal", "soustotal", "summe", "gesamt":
		case "grand", "sous", "sub", "général", "general":
			if len(words) == 1 {
				return false
			}
		default:
			return i > 0 && digits(w) // "Total 20000"
		}
	}
	return len(words) > 0
}

// impacts checks a row of an impact list and returns what it says: one impact, or
// one a contract of nested JSON.
func (k *checker) impacts(r *row, list []impact) []impact {
	k.f.reset()
	list = list[:0]
	if k.problem(r) {
		return list
	}
	id := k.customerID(r.cells[iCustomerID])
	if k.totals(r) {
		return list
	}
	known, unknown := 0, 0
	if r.cells[iDataKinds] != nil || len(r.nested) == 0 {
		i := impact{customer: id}
		i.contract = k.number(r.cells[iContractID], "contract_id", contractNumber)
		i.kind = codeOf(k.clean(r.cells[iContractKind], "contract_kind", false))
		i.label = k.clean(r.cells[iContractLabel], "contract_label", false)
		k.suspect(i.contract, "contract_id")
		k.suspect(i.label, "contract_label")
		k.kinds(&i, codesOf(k.clean(r.cells[iDataKinds], "data_kinds", false)), &known, &unknown)
		i.possible = k.certainty(string(r.cells[iCertainty]))
		i.source = k.clean(r.cells[iSource], "source", false)
		i.observed = k.date(r.cells[iObservedAt], "observed_at")
		list = append(list, i)
	}
	for _, n := range r.nested {
		i := impact{customer: id}
		if !n.own {
			i.contract = k.number([]byte(n.id), "contract_id", contractNumber)
			i.kind = codeOf(k.clean([]byte(n.kind), "contract_kind", false))
			i.label = k.clean([]byte(n.label), "contract_label", false)
			k.suspect(i.contract, "contract_id")
			k.suspect(i.label, "contract_label")
		}
		var texts []string
		for _, s := range n.kinds {
			texts = append(texts, codesOf(k.clean([]byte(s), "data_kinds", false))...)
		}
		k.kinds(&i, texts, &known, &unknown)
		i.possible = k.certainty(n.certainty)
		i.source = k.clean([]byte(n.src), "source", false)
		i.observed = k.date([]byte(n.obs), "observed_at")
		if len(i.kinds) > 0 {
			list = append(list, i)
		}
	}
	switch {
	case known == 0 && unknown == 0:
		k.f.add(noKinds, "data_kinds")
	case known == 0:
		k.f.add(unknownKinds, "data_kinds")
	case unknown > 0:
		k.f.add(unknownKind, "data_kinds")
	}
	return list
}

// kinds sets the data kinds that the catalogue explains and counts the others.
func (k *checker) kinds(i *impact, list []string, known, unknown *int) {
	for _, c := range list {
		switch {
		case c == "":
		case k.knownKinds[c]:
			*known++
			i.kinds = append(i.kinds, c)
		default:
			*unknown++
		}
	}
}

// certainty reports whether an impact is only possible.
func (k *checker) certainty(s string) bool {
	if s == "" {
		return false
	}
	switch codeOf(k.clean([]byte(s), "certainty", false)) {
	case "", "confirmed", "confirme", "confirmé", "certain":
		return false
	case "possible", "suspected", "probable", "presume", "présumé":
		return true
	}
	k.f.add(unknownCertainty, "certainty")
	return false
}

// readable returns the customer number of a rejected row of impacts, if it can be
// trusted to be one.
func (k *checker) readable(r *row) string {
	if len(r.cells) == 0 || len(r.cells[0]) == 0 || len(r.cells[0]) > maxID || !utf8.Valid(r.cells[0]) {
		return ""
	}
	id := unquote(spaces(string(r.cells[0])))
	if strings.ContainsRune(id, '"') || rounded(id) || dated(id) || strings.Trim(id, "0") == "" || isNull(id, false) {
		return ""
	}
	return id
}
