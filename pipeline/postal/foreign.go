package postal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// plainLines writes an address outside the French post, as its owner wrote it:
// the lines in the order given, the locality as the country of destination
// writes it. abroad makes the locality capitals, as the Universal Postal Union
// asks for; the country's name is the caller's to add.
func plainLines(p pipeline.Person, to country, abroad bool) ([]string, error) {
	company, title, first, last := recipient(p)
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(company)
	name := strings.Join(strings.Fields(first+" "+last), " ")
	if name != "" {
		if full := title + " " + name; title != "" && utf8.RuneCountInString(full) <= maxLine {
			name = full
		}
		add(name)
	}
	if len(out) == 0 {
		return nil, unprintable("no-recipient", "there is neither a name nor a company")
	}
	names := len(out)
	for _, g := range p.Address {
		line, _ := tidy(strings.Trim(g, " ,;"))
		// A printer's rule met with GOV.UK: no line starts with a sign.
		if line = strings.TrimLeft(line, `@()=[]"\/,<>~ `); !isCountry(line, to) {
			add(line)
		}
	}
	code, _ := tidy(p.Postcode)
	code = strings.ToUpper(code)
	city, _ := tidy(p.City)
	if abroad {
		city = strings.ToUpper(city)
	}
	if len(out) == names {
		return nil, unprintable("no-address", "there is no street, place or box")
	}
	if city == "" && !cityState(to.code) {
		return nil, unprintable("city-missing", "there is no city")
	}
	if code == "" && needsCode(to.code) {
		return nil, unprintable("no-postcode", "there is no postcode")
	}
	switch to.form {
	case codeLast:
		add(strings.TrimSpace(city + " " + code))
	case codeBelow:
		add(city)
		add(code)
	default:
		add(strings.TrimSpace(code + " " + city))
	}
	return out, nil
}

// isCountry reports whether a line of the directory is the country's name: it is
// written once, last.
func isCountry(line string, to country) bool {
	c := capitals(line)
	return c == to.fr || c == to.en || c == to.code
}

// cityState reports whether an address needs no city there.
func cityState(code string) bool {
	return slices.Contains([]string{"SG", "HK", "MO", "GI", "VA", "SM", "MC", "LI", "AE", "QA", "BH", "KW"}, code)
}

// needsCode reports whether mail without a postcode comes back from there. The
// list is the European Union's and its neighbours', and the countries that sort by
// it; elsewhere a postcode may not exist.
func needsCode(code string) bool {
	return slices.Contains([]string{"AD", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "GB", "GG", "GR",
		"HR", "HU", "IM", "IN", "IS", "IT", "JE", "JP", "KR", "LI", "LT", "LU", "LV", "MC", "MT", "NL", "NO", "NZ", "PL", "PT", "RO", "RU", "SE",
		"SI", "SK", "SM", "TR", "UA", "US"}, code)
}
