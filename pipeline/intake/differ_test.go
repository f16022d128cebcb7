package intake

import (
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestAddressesOfOneNumber: rows of one customer number whose addresses differ say which
// row is taken and which is not; a newer date decides, else a person does. What is only
// written in another way is the same, and another number of the same person is another
// matter.
func TestAddressesOfOneNumber(t *testing.T) {
	t.Parallel()
	const other = "amelie@free.example"
	for name, c := range map[string]struct {
		rows  []cells
		held  string
		finds []string // row,column,code
		email string
	}{
		"e-mails, undecided": {[]cells{good("C1", nil), good("C1", cells{"email": other})}, "emails-differ", []string{"2,,emails-differ", "3,email,email-not-taken"}, ""},
		"e-mails, by date":   {[]cells{good("C1", cells{"email_date": "2019-01-01"}), good("C1", cells{"email": other, "email_date": "2025-01-01"})}, "", []string{"2,email,email-not-taken"}, other},
		"one without a date": {[]cells{good("C1", nil), good("C1", cells{"email": other, "email_date": "2025-01-01"})}, "", []string{"2,email,email-not-taken"}, other},
		"addresses":          {[]cells{good("C1", nil), good("C1", cells{"address_1": "99 rue du Port"})}, "addresses-differ", []string{"2,,addresses-differ", "3,address_1,address-not-taken"}, ""},
		"three rows":         {[]cells{good("C1", nil), good("C1", cells{"postcode": "69001"}), good("C1", cells{"address_1": "99 rue du Port"})}, "addresses-differ", []string{"3,address_1,address-not-taken", "4,address_1,address-not-taken"}, ""},
		"written otherwise":  {[]cells{good("C1", nil), good("C1", cells{"email": "C1@Orange.Example", "city": strings.ToUpper(good("C1", nil)["city"])})}, "", nil, ""},
		"one has none":       {[]cells{good("C1", nil), good("C1", cells{"email": "", "address_1": "", "postcode": "", "city": ""})}, "", nil, ""},
		"another number":     {[]cells{good("C1", cells{"person_id": "P"}), good("C2", cells{"person_id": "P", "email": other, "address_1": "99 rue du Port"})}, "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.config.Campaign.ID = 1
			b.must(list(t, roleCustomers, c.rows...), list(t, roleImpact, cells{"customer_id": "C1", "data_kinds": "identity"}))
			n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
			if held := n.State == pipeline.Held; held != (c.held != "") || held && !slices.Contains(n.Defects, c.held) {
				t.Errorf("%s %s %v", n.State, n.Reason, n.Defects)
			}
			for _, want := range c.finds {
				if !strings.Contains(b.finds.String(), ","+want+",") {
					t.Errorf("no %s in\n%s", want, b.finds.String())
				}
			}
			if got := strings.Count(b.finds.String(), "not-taken") + strings.Count(b.finds.String(), "s-differ"); got != len(c.finds) && len(c.rows) < 3 {
				t.Errorf("%s", b.finds.String())
			}
			if c.email != "" && p.Email != c.email {
				t.Errorf("%s is taken", p.Email)
			}
			for _, private := range []string{other, "rue du Port"} {
				if strings.Contains(b.finds.String(), private) {
					t.Errorf("a value is listed: %s", b.finds.String())
				}
			}
		})
	}
}
