package intake

import (
	"fmt"
	"strings"
	"unicode"
)

// Roles of an input file, as manifests name them.
const (
	roleCustomers = "customers"
	roleImpact    = "impact"
)

// Columns of the customer directory, in the order of the schema.
const (
	cCustomerID = iota
	cPersonID
	cTitle
	cFirstName
	cLastName
	cCompany
	cEmail
	cPhone
	cAddress1
	cAddress2
	cAddress3
	cAddress4
	cAddress5
	cPostcode
	cCity
	cCountry
	cLocale
	cFormat
	cFlags
	cRepresentative
	cEmailDate
	cAddressDate
	cSegment
	customerColumns
)

// Columns of the impact list, in the order of the schema.
const (
	iCustomerID = iota
	iContractID
	iContractKind
	iContractLabel
	iDataKinds
	iCertainty
	iSource
	iObservedAt
	impactColumns
)

// schema is what a file of one role may hold.
type schema struct {
	role     string
	names    []string
	index    map[string]int // folded name → column
	required [][]int        // of each list at least one column
	extra    bool           // further columns are kept as attributes
}

func newSchema(role string) *schema {
	s := &schema{role: role, index: map[string]int{}}
	switch role {
	case roleCustomers:
		s.names = []string{
			"customer_id", "person_id", "title", "first_name", "last_name", "company", "email", "phone",
			"address_1", "address_2", "address_3", "address_4", "address_5", "postcode", "city", "country",
			"locale", "format", "flags", "representative_name", "email_date", "address_date", "segment",
		}
		s.required = [][]int{{cCustomerID}, {cLastName, cFirstName, cCompany}}
		s.extra = true
	default:
		s.names = []string{
			"customer_id", "contract_id", "contract_kind", "contract_label", "data_kinds", "certainty", "source", "observed_at",
		}
		s.required = [][]int{{iCustomerID}, {iDataKinds}}
	}
	for i, n := range s.names {
		s.index[foldName(n)] = i
	}
	return s
}

// foldName makes names of columns comparable: case, spaces, underscores and
// hyphens do not count.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '-' || r == '.' || r == '\ufeff' || r == '\u200b' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// marketing reports whether a folded column name is about marketing. Such
// wishes do not apply to a notice that the law asks for, so the column is
// ignored, and the manifest says so.
func marketing(folded string) bool {
	for _, s := range []string{"optin", "optout", "newsletter", "consent", "marketing", "unsubscribe", "desabonn", "désabonn", "prospection", "sollicitation", "bloctel", "donotcontact", "nepascontacter"} {
		if strings.Contains(folded, s) {
			return true
		}
	}
	return false
}

// header says where the cells of a row belong.
type header struct {
	slot    []int    // of each cell: column; or customerColumns+i for extra[i] (of the schema's width); -1: ignored
	extra   []string // names of further columns
	ignored []string // names of columns that are ignored
}

// match reads the names of the first row.
func (s *schema) match(file string, names []string) (*header, error) {
	h := &header{}
	seen := map[string]bool{}
	known := 0
	// Names are quoted only in a row that is a header beyond doubt: a list without
	// one begins with somebody's data.
	likely := s.fits(names)
	for _, n := range names {
		folded := foldName(n)
		slot := -1
		switch i, ok := s.index[folded]; {
		case folded == "":
			// A column without a name is kept nowhere; spreadsheets like to add some.
		case seen[folded] && !likely:
			slot = -1
		case seen[folded]:
			return nil, fileError(file, "header-twice", fmt.Sprintf("the column %s is there twice", quoteName(n)), "rename or remove one of them", nil)
		case ok:
			slot = i
			known++
		case !s.extra || marketing(folded):
			h.ignored = append(h.ignored, strings.TrimSpace(n))
		default:
			slot = len(s.names) + len(h.extra)
			h.extra = append(h.extra, cleanName(n))
		}
		seen[folded] = true
		h.slot = append(h.slot, slot)
	}
	return h, s.complete(file, names, h, known)
}

// complete checks that the required columns are there. Names are listed only
// when the row is a header beyond doubt: else it may be somebody's data.
func (s *schema) complete(file string, names []string, h *header, known int) error {
	if known == 0 {
		return fileError(file, "header-missing", "the first row names none of the known columns", "the first row must hold the names: "+strings.Join(s.names, ", "), nil)
	}
	var missing []string
	for _, list := range s.required {
		var have bool
		var alternatives []string
		for _, c := range list {
			alternatives = append(alternatives, s.names[c])
			for _, slot := range h.slot {
				have = have || slot == c
			}
		}
		if !have {
			missing = append(missing, strings.Join(alternatives, " or "))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	found := make([]string, 0, len(names))
	for _, n := range names {
		found = append(found, quoteName(n))
	}
	hint := "found: " + strings.Join(found, ", ")
	if known < 2 {
		hint = "the first row must hold the names: " + strings.Join(s.names, ", ")
	}
	if other := newSchema(s.other()); other.fits(names) {
		hint += "; it looks like a file for --" + other.role
	}
	return fileError(file, "header-incomplete", fmt.Sprintf("the %s file has no column %s", s.role, strings.Join(missing, ", ")), hint, nil)
}

func (s *schema) other() string {
	if s.role == roleCustomers {
		return roleImpact
	}
	return roleCustomers
}

// fits reports whether names hold the required columns.
func (s *schema) fits(names []string) bool {
	have := map[int]bool{}
	for _, n := range names {
		if i, ok := s.index[foldName(n)]; ok {
			have[i] = true
		}
	}
	for _, list := range s.required {
		ok := false
		for _, c := range list {
			ok = ok || have[c]
		}
		if !ok {
			return false
		}
	}
	return true
}

// name returns the name of a slot for reports.
func (s *schema) name(slot int, extra []string) string {
	switch {
	case slot >= 0 && slot < len(s.names):
		return s.names[slot]
	case slot >= len(s.names) && slot-len(s.names) < len(extra):
		return extra[slot-len(s.names)]
	}
	return ""
}

const maxName = 60

// cleanName makes a column's name fit to be shown and stored.
func cleanName(n string) string {
	n = strings.Join(strings.FieldsFunc(n, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' }), " ")
	if r := []rune(n); len(r) > maxName {
		n = string(r[:maxName]) + "…"
	}
	return n
}

func quoteName(n string) string { return fmt.Sprintf("%q", cleanName(n)) }
