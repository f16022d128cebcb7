package pipeline

import (
	"slices"
	"strings"
	"testing"
)

func TestCellPolicy(t *testing.T) {
	t.Parallel()
	if got := (CellPolicy{}).Verifications(); !slices.Equal(got, []Verification{ByCRM, ByReference, ByCallback}) {
		t.Errorf("%v", got)
	}
	c := CellPolicy{Verify: []string{"values", "reference"}, Values: map[string]string{"pin": "secret", "birth_date": "identity", "plan": "subscription"}}
	if got := c.Verifications(); !slices.Equal(got, []Verification{ByReference, ByValues}) {
		t.Errorf("%v", got)
	}
	stolen := []string{"contact", "identity"}
	if burnt, asked := c.Burnt(stolen), c.Asked(stolen); !slices.Equal(burnt, []string{"birth_date"}) || !slices.Equal(asked, []string{"pin", "plan"}) {
		t.Errorf("%v, %v", burnt, asked)
	}
}

func TestCellPolicyValidates(t *testing.T) {
	t.Parallel()
	for fault, c := range map[string]CellPolicy{
		"":                   {Verify: []string{"crm", "values"}, Values: map[string]string{"pin": "secret"}},
		`there is no "sms"`:  {Verify: []string{"sms"}},
		"go together":        {Verify: []string{"values"}},
		"cell.verify and":    {Values: map[string]string{"pin": "secret"}},
		"proves nothing":     {Verify: []string{"values"}, Values: map[string]string{"phone": "contact"}},
		"no name of a colum": {Verify: []string{"values"}, Values: map[string]string{"Pin code": "secret"}},
		"which data kind":    {Verify: []string{"values"}, Values: map[string]string{"pin": ""}},
	} {
		v := validator{}
		v.cell(c)
		if got := strings.Join(v, "\n"); fault == "" && got != "" || !strings.Contains(got, fault) {
			t.Errorf("%+v: %q, want %q", c, got, fault)
		}
	}
}
