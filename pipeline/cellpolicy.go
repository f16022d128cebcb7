package pipeline

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// CellPolicy says how the cell makes sure who is calling.
type CellPolicy struct {
	Verify []string `yaml:"verify"` // crm, reference, callback, values; none: the first three
	// Values are columns of the directory which a caller may be asked for: column → the
	// data kind that it belongs to. They are kept as keyed hashes only. None of a kind
	// that was stolen counts.
	Values map[string]string `yaml:"values"`
	// Labels are what agents ask for, per locale: column → "the year of birth".
	Labels map[string]Texts `yaml:"labels"`
}

// Label returns what a column of Values is called in a locale; the name of the column
// in words where nothing is said.
func (c CellPolicy) Label(column, locale string) string {
	return c.Labels[column].In(locale, strings.ReplaceAll(column, "_", " "))
}

// Verifications are those that count in the campaign, in the order in which they
// are offered.
func (c CellPolicy) Verifications() []Verification {
	if len(c.Verify) == 0 {
		return []Verification{ByCRM, ByReference, ByCallback}
	}
	return slices.DeleteFunc(Verifications(), func(v Verification) bool { return !slices.Contains(c.Verify, string(v)) })
}

// Burnt are the columns of Values whose data kind is among the stolen ones, sorted.
func (c CellPolicy) Burnt(stolen []string) (columns []string) {
	for _, column := range slices.Sorted(maps.Keys(c.Values)) {
		if slices.Contains(stolen, c.Values[column]) {
			columns = append(columns, column)
		}
	}
	return columns
}

// Asked are the columns that a caller may be asked for, given what was stolen,
// sorted.
func (c CellPolicy) Asked(stolen []string) []string {
	burnt := c.Burnt(stolen)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.Values)), func(column string) bool { return slices.Contains(burnt, column) })
}

// columnName is how a further column of the directory may be called.
var columnName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// knownColumns are columns that are in clear, printed or searched for: they prove
// nothing.
var knownColumns = []string{
	"customer_id", "person_id", "title", "first_name", "last_name", "company", "email", "phone", "address_1", "address_2", "address_3", "address_4", "address_5",
	"postcode", "city", "country", "locale", "format", "flags", "representative_name", "email_date", "address_date", "segment",
}

func (v *validator) cell(c CellPolicy) {
	for _, m := range c.Verify {
		if !slices.Contains(Verifications(), Verification(m)) {
			v.fault("cell.verify: there is no %q; there are crm, reference, callback and values", m)
		}
	}
	if slices.Contains(c.Verify, string(ByValues)) != (len(c.Values) > 0) {
		v.fault("cell.verify and cell.values go together: values names the columns that the cell compares")
	}
	for _, column := range slices.Sorted(maps.Keys(c.Values)) {
		switch kind := c.Values[column]; {
		case !columnName.MatchString(column):
			v.fault("cell.values: %q is no name of a column: small letters, digits and _", column)
		case slices.Contains(knownColumns, column):
			v.fault("cell.values: %s proves nothing: it is printed on letters, or searched for", column)
		case !kindCode.MatchString(kind):
			v.fault("cell.values: %s: say to which data kind it belongs, as in the catalogue", column)
		}
	}
	for _, column := range slices.Sorted(maps.Keys(c.Labels)) {
		if _, ok := c.Values[column]; !ok {
			v.fault("cell.labels.%s: values has no such column", column)
		}
		v.labels("cell.labels."+column, c.Labels[column])
	}
	if len(c.Values) > 10 {
		v.fault("cell.values: at most 10 columns: %s", strings.Join(slices.Sorted(maps.Keys(c.Values)), ", "))
	}
}
