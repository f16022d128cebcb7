package intake

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// cells is one row by column.
type cells map[string]string

// list writes rows as CSV with the columns of a role.
func list(t testing.TB, role string, rows ...cells) string {
	t.Helper()
	names := newSchema(role).names
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(names); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		line := make([]string, len(names))
		for k, v := range r {
			i := slices.Index(names, k)
			if i < 0 {
				t.Fatalf("no column %s", k)
			}
			line[i] = v
		}
		if err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return b.String()
}

// good is a customer with nothing wrong, and what is changed in him.
func good(id string, change cells) cells {
	c := cells{"customer_id": id, "first_name": "Amélie", "last_name": "Dubreuil", "email": strings.ToLower(id) + "@orange.example", "phone": "06 39 98 10 01",
		"address_1": "12 rue des Lilas", "postcode": "35000", "city": "RENNES", "country": "FR", "locale": "fr"}
	for k, v := range change {
		c[k] = v
	}
	return c
}

// TestCodes triggers every code of the table, and looks at what it does.
func TestCodes(t *testing.T) {
	t.Parallel()
	one := cells{"customer_id": "C1", "data_kinds": "identity"}
	with := func(change cells) []cells { return []cells{good("C1", change)} }
	also := func(change cells) []cells { return []cells{good("C1", nil), good("C2", change)} }
	told := func(change cells) []cells {
		c := cells{"customer_id": "C1", "contract_id": "M1", "data_kinds": "identity"}
		for k, v := range change {
			c[k] = v
		}
		return []cells{one, c}
	}
	type scenario struct {
		customers, impacts []cells
		raw                string // in place of customers
	}
	raw := func(s string) scenario { return scenario{raw: list(t, roleCustomers, good("C1", nil)) + s} }
	email := func(s string) scenario { return scenario{customers: with(cells{"email": s})} }
	var shared []cells
	for _, id := range []string{"C1", "C2", "C3", "C4"} {
		shared = append(shared, good(id, cells{"email": "famille@free.example"}))
	}
	var many []cells
	for i := range 12 {
		many = append(many, good("C1", cells{"segment": strings.Repeat("x", i+1)}))
	}
	scenarios := map[code]scenario{
		badQuotes: raw("C9,\"never closed\n"), fewCells: raw("C9,x\n"), manyCells: raw("C9" + strings.Repeat(",x", 40) + "\n"),
		longRow: raw("C9," + strings.Repeat("x", 300<<10) + "\n"), longField: raw("C9," + strings.Repeat("x", 20<<10) + strings.Repeat(",", 21) + "\n"),
		nulByte: raw("C9,\x00" + strings.Repeat(",", 21) + "\n"), badEncoding: {raw: list(t, roleCustomers, good("C1", nil), good("C9", cells{"last_name": "Dubreuil\xff"}))},
		emptyRow:  {raw: list(t, roleCustomers, good("C1", nil)) + "\n" + strings.SplitAfter(list(t, roleCustomers, good("C2", nil)), "\n")[1]},
		totalsRow: raw("TOTAL,1\n"), repeatedHeader: raw(strings.SplitAfter(list(t, roleCustomers), "\n")[0]), badJSON: {raw: `{"customer_id":"C1","last_name":"Dubreuil","email":"a@orange.example"}` + "\n{broken\n"},
		badShape: {raw: `{"customer_id":"C1","last_name":"Dubreuil","email":"a@orange.example"}` + "\n" + `{"customer_id":"C9","last_name":{"a":1}}` + "\n"},
		noID:     {customers: also(cells{"customer_id": " "})}, mangledID: {customers: also(cells{"customer_id": "6.12E+08"})}, dateID: {customers: also(cells{"customer_id": "2026-01-12 00:00:00"})},
		badID: {customers: also(cells{"customer_id": strings.Repeat("9", 65)})}, noName: {customers: also(cells{"first_name": "-", "last_name": "NULL"})},
		noKinds: {impacts: told(cells{"data_kinds": " | "})}, unknownKinds: {impacts: told(cells{"data_kinds": "shoe-size"})},
		mangledContract: {impacts: told(cells{"contract_id": "1,23E+11"})}, dateContract: {impacts: told(cells{"contract_id": "12-janv"})}, badContract: {impacts: told(cells{"contract_id": strings.Repeat("M", 65)})},

		namesDiffer:       {customers: []cells{good("C1", nil), good("C1", cells{"first_name": "Jean"})}},
		personNamesDiffer: {customers: []cells{good("C1", cells{"person_id": "P"}), good("C2", cells{"person_id": "P", "first_name": "Jean"})}},
		personIDsDiffer:   {customers: []cells{good("C1", cells{"person_id": "P"}), good("C1", cells{"person_id": "Q"})}},
		idCollision:       {customers: []cells{good("C1", nil), good("c1", nil)}},
		unknownFlag:       {customers: with(cells{"flags": "no-post|vips"})}, unknownFormat: {customers: with(cells{"format": "papyrus"})},
		unknownKind: {impacts: told(cells{"data_kinds": "identity|shoe-size"})}, unknownCertainty: {impacts: told(cells{"certainty": "perhaps"})},
		damagedText: {customers: with(cells{"last_name": "Dubr\ufffdil"})}, suspectName: {customers: with(cells{"last_name": "Dubreuil www.gain.example"})}, rowRejected: {impacts: told(cells{"data_kinds": ""})},
		contractDiffers: {impacts: append(told(cells{"contract_kind": "internet"}), told(cells{"contract_kind": "mobile"})...)}, tooMany: {customers: many},
		emailsDiffer:    {customers: []cells{good("C1", nil), good("C1", cells{"email": "amelie@free.example"})}},
		addressesDiffer: {customers: []cells{good("C1", nil), good("C1", cells{"address_1": "99 rue du Port"})}},

		emailSyntax: email("amelie.orange.example"), emailSpace: email("amelie dubreuil@orange.example"), emailLong: email(strings.Repeat("a", 65) + "@orange.example"),
		emailDots: email("amelie..d@orange.example"), emailDomain: email("amelie@orange"), emailNonASCII: email("amélie@orange.example"), emailQuoted: email(`"amelie d"@orange.example`),
		emailLiteral: email("amelie@[192.0.2.1]"), emailSeveral: email("amelie@orange.example; jean@orange.example"), emailPlaceholder: email("no.mail@orange.example"),
		emailOwnDomain: email("counter@paris.telecom.example.fr"), emailShared: {customers: shared},

		unknownCountry: {customers: with(cells{"country": "Atlantis"})}, badPostcode: {customers: with(cells{"postcode": "350"})}, unprintable: {customers: with(cells{"address_1": ""})},

		badPhone: {customers: with(cells{"phone": "call me"})}, mangledPhone: {customers: with(cells{"phone": "6.39E+08"})}, badDate: {customers: with(cells{"email_date": "13/13/2026"})},
		badLocale: {customers: with(cells{"locale": "français de France"})}, badPersonID: {customers: with(cells{"person_id": "1.2E+20"})},

		nullText: {customers: with(cells{"company": "N/A"})}, excelQuoted: {customers: with(cells{"postcode": `="35000"`})}, decimalID: {customers: []cells{good("C1", nil), good("1002.0", nil)}},
		trimmedID: {customers: with(cells{"customer_id": " C1 "})}, otherCaseID: {impacts: []cells{{"customer_id": "c1", "data_kinds": "identity"}}}, postcodeZero: {customers: with(cells{"postcode": "1000"})},
		phoneZero: {customers: with(cells{"phone": "639981001"})}, phoneSeveral: {customers: with(cells{"phone": "06 39 98 10 01 / 01 99 00 10 01"})}, emailTidied: email("mailto:amelie@orange.example"),
		emailName: email("Amélie Dubreuil <amelie@orange.example>"), mojibake: {customers: with(cells{"last_name": "RÃ©mi"})},
		customerRepeated: {customers: []cells{good("C1", nil), good("C1", nil)}}, otherLocale: {customers: with(cells{"locale": "de"})},
		emailPassed:   {customers: []cells{good("C1", cells{"email_date": "2026-01-02"}), good("C1", cells{"email": "amelie@free.example", "email_date": "2019-01-02"})}},
		addressPassed: {customers: []cells{good("C1", cells{"address_date": "2019-01-02", "address_1": "99 rue du Port"}), good("C1", cells{"address_date": "2026-01-02"})}},
		unmatchedID:   {impacts: []cells{one, {"customer_id": "C9", "data_kinds": "identity"}}},
	}
	if len(scenarios) != len(Codes()) {
		t.Errorf("%d scenarios for %d codes", len(scenarios), len(Codes()))
	}
	for code, s := range scenarios {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.config.Limits.Records = 10
			b.config.Campaign.ID, b.config.MaxUnmatched = 1, 1
			customers := s.raw
			if customers == "" {
				if s.customers == nil {
					s.customers = with(nil)
				}
				customers = list(t, roleCustomers, s.customers...)
			}
			if s.impacts == nil {
				s.impacts = []cells{one}
			}
			r := b.must(customers, list(t, roleImpact, s.impacts...))
			m := r.Import.Manifest
			if m.Defects[code.String()] == 0 {
				t.Fatalf("not found; found %v", m.Defects)
			}
			reports := b.rejects.String()
			if inReport := strings.Contains(reports, ","+code.String()+","); inReport != (code.effect() == Reject) {
				t.Errorf("rejects: %s", reports)
			}
			reports += b.finds.String()
			for found, n := range m.Defects {
				if got := strings.Count(reports, ","+found+","); int64(got) < n {
					t.Errorf("%s is counted %d times and listed %d times in\n%s", found, n, got, reports)
				}
			}
			if strings.Contains(reports, ",0,") || strings.Contains(b.finds.String(), "\n,") {
				t.Errorf("a finding without its row in\n%s", reports)
			}
			n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
			check(t, code, n, p)
		})
	}
}

// check looks at what a code did to the notice of C1.
func check(t *testing.T, c code, n pipeline.Job, p pipeline.Person) {
	t.Helper()
	listed := slices.Contains(n.Defects, c.String())
	switch effect := c.effect(); {
	case c == noKinds, c == unknownKinds, c == mangledContract, c == dateContract, c == badContract:
		// One of two rows of C1 was rejected: the other alone would be half the truth.
		if n.State != pipeline.Held || n.Reason != "row-rejected" {
			t.Errorf("%s, %s", n.State, n.Reason)
		}
	case effect == Hold:
		if n.State != pipeline.Held || !listed {
			t.Errorf("not held: %s %s %v", n.State, n.Reason, n.Defects)
		}
	case effect == NoEmail:
		if n.Channel != pipeline.Post || n.Reach.Has(pipeline.ByEmail) || !listed || c != emailShared && p.Email != "" {
			t.Errorf("not to post: %s %v", n.Channel, n.Defects)
		}
	case effect == NoPost:
		if n.Channel != pipeline.Email || n.Reach.Has(pipeline.ByPost) || !listed {
			t.Errorf("still by post: %v %v", n.Reach, n.Defects)
		}
	default:
		if n.State != pipeline.Due || n.Channel != pipeline.Email || len(n.Defects) > 0 && effect != Reject {
			t.Errorf("%s by %s with %v", n.State, n.Channel, n.Defects)
		}
	}
}

// TestCodeTable looks at the table itself.
func TestCodeTable(t *testing.T) {
	t.Parallel()
	all := Codes()
	if len(all) != int(codeCount)-1 {
		t.Errorf("%d codes of %d have a text", len(all), codeCount-1)
	}
	order := []Effect{Reject, Hold, NoEmail, NoPost, Drop, Note}
	seen, last := map[string]bool{}, 0
	for _, c := range all {
		at := slices.Index(order, c.Effect)
		switch {
		case at < last:
			t.Errorf("%s is out of order", c.Code)
		case seen[c.Code]:
			t.Errorf("%s is there twice", c.Code)
		case strings.HasSuffix(c.Sentence, ".") || len(c.Sentence) < 20 || strings.Contains(c.Code, "|"):
			t.Errorf("%s: %q", c.Code, c.Sentence)
		}
		seen[c.Code], last = true, at
	}
}
