package console

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/fold"
)

// AddressRow is one part of an address, as it is on file and as it was corrected.
type AddressRow struct {
	Part      string // "email", "lines", "postcode", "city", "country"
	Old, New  string
	Different bool // to who hears it, not only to who reads it
}

// addressRows lays two addresses side by side, with the parts that what is about.
// countryOf says by which code a country goes.
func addressRows(old, fresh Address, what pipeline.Channel, countryOf func(string) string) (list []AddressRow) {
	row := func(part, a, b string) {
		if a != "" || b != "" {
			list = append(list, AddressRow{part, a, b, fold.Words(a) != fold.Words(b)})
		}
	}
	if what == pipeline.Email {
		row("email", old.Email, fresh.Email)
		return list
	}
	for i := range max(len(old.Lines), len(fresh.Lines)) {
		line := func(a Address) string {
			if i < len(a.Lines) {
				return a.Lines[i]
			}
			return ""
		}
		row("lines", line(old), line(fresh))
	}
	row("postcode", old.Postcode, fresh.Postcode)
	row("city", old.City, fresh.City)
	if old.Country != "" || fresh.Country != "" {
		list = append(list, countryRow(old, fresh, countryOf))
	}
	return list
}

// countryRow compares countries by their codes: a name is no other country than its
// code, and an address without one is at home.
func countryRow(old, fresh Address, countryOf func(string) string) AddressRow {
	code := func(a Address) string {
		if a.Country == "" && len(a.Lines) == 0 {
			return "" // no address
		}
		return countryOf(a.Country)
	}
	was, is := code(old), code(fresh)
	return AddressRow{"country", cmp.Or(old.Country, was), cmp.Or(fresh.Country, is), was != is}
}

// mask leaves what lets somebody judge without reading the address: the beginnings of
// its words.
func (r *AddressRow) mask() {
	if r.Part == "country" {
		return
	}
	r.Old, r.New = maskAddress(r.Old), maskAddress(r.New)
}

// maskAddress keeps the first letter of each word, of a number nothing, and what is
// neither.
func maskAddress(s string) string {
	var b strings.Builder
	inside := false
	for _, r := range s {
		switch word := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r); {
		case !word:
			b.WriteRune(r)
			inside = false
		case !inside:
			if unicode.IsLetter(r) {
				b.WriteRune(r)
			}
			b.WriteString(dots)
			inside = true
		}
	}
	return b.String()
}
