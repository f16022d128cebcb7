package postal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// atlas writes addresses as a country of origin does.
type atlas struct{ origin string }

func newAtlas(origin string) (*atlas, error) {
	if _, ok := countryOf(origin); !ok {
		return nil, &pipeline.Error{Code: "origin-unknown", Sentence: "the country of posting is no ISO 3166 code", Permanent: true, Exit: 2}
	}
	return &atlas{origin}, nil
}

// countryOf finds a country by its code; the table is in order of codes.
func countryOf(code string) (country, bool) {
	i, ok := slices.BinarySearchFunc(countries, code, func(c country, code string) int { return strings.Compare(c.code, code) })
	if !ok {
		return country{}, false
	}
	return countries[i], true
}

// unprintable is the error of an address. It says what is wrong, never with what.
func unprintable(code, sentence string) error {
	return &pipeline.Error{Code: code, Sentence: sentence, Permanent: true}
}

// destination returns the country that a person is written to; an empty country
// is the origin's.
func (a *atlas) destination(p pipeline.Person) (country, error) {
	code := strings.ToUpper(strings.TrimSpace(p.Country))
	switch code {
	case "":
		code = a.origin
	case "UK":
		code = "GB"
	case "EL":
		code = "GR"
	}
	c, ok := countryOf(code)
	if !ok {
		return country{}, unprintable("country-unknown", "the country is no ISO 3166-1 code")
	}
	return c, nil
}

// name is what a country is called on envelopes from here: in French from France,
// else in English. Both are understood everywhere (UPU).
func (a *atlas) name(c country) string {
	if frenchPost(a.origin) {
		return c.fr
	}
	return c.en
}

// maxField is the length in bytes above which a field is no address but an
// accident.
const maxField = 400

// lines writes the address of a person.
func (a *atlas) lines(p pipeline.Person) ([]string, error) {
	to, err := a.destination(p)
	if err != nil {
		return nil, err
	}
	for _, s := range append([]string{p.FirstName, p.LastName, p.Company, p.Representative, p.City, p.Postcode}, p.Address...) {
		if !utf8.ValidString(s) {
			return nil, unprintable("address-not-encodable", "the address is not valid UTF-8")
		}
		if len(s) > maxField {
			return nil, unprintable("address-line-too-long", "a field of the address is longer than any address")
		}
	}
	if placeholder(p) {
		return nil, unprintable("address-invalid", "the address says that there is none")
	}
	var lines []string
	switch {
	case frenchPost(to.code):
		lines, err = frenchLines(p, to)
	case to.code == a.origin:
		lines, err = plainLines(p, to, false)
	default:
		lines, err = plainLines(p, to, true)
	}
	if err != nil {
		return nil, err
	}
	most := maxLines
	if to.code != a.origin && (!frenchPost(to.code) || !frenchPost(a.origin)) {
		most++
		lines = append(lines, a.name(to))
	}
	if len(lines) > most {
		return nil, unprintable("address-too-many-lines", "the address has more lines than the norm allows")
	}
	for _, l := range lines {
		if utf8.RuneCountInString(l) > maxLine {
			return nil, unprintable("address-line-too-long", "a line of the address has more than 38 characters, abbreviations included")
		}
	}
	return lines, nil
}

// postcode normalises a postcode as its country writes it; "" if there is none.
func (a *atlas) postcode(p pipeline.Person) string {
	c, err := a.destination(p)
	code, _ := tidy(p.Postcode)
	if err == nil && frenchPost(c.code) {
		if fr, ok := frenchPostcode(code); ok {
			return fr
		}
	}
	return strings.ToUpper(code)
}

// noAddress are lines of directories that say that there is none.
var noAddress = []string{"SDF", "SANS DOMICILE FIXE", "NO FIXED ABODE", "NO FIXED ADDRESS", "NFA", "NPAI", "PND", "ADRESSE INCONNUE",
	"INCONNU", "INCONNUE", "UNKNOWN", "ADDRESS UNKNOWN", "NULL", "NONE", "N A", "NA", "NEANT", "XXX", "XXXX", "TEST", "SANS ADRESSE",
	"N HABITE PAS A L ADRESSE INDIQUEE", "N HABITE PLUS A L ADRESSE INDIQUEE"}

// placeholder reports addresses that say in words that there is none.
func placeholder(p pipeline.Person) bool {
	says := func(s string) bool {
		if len(s) > 50 || strings.ContainsAny(s, "0123456789") {
			return false
		}
		line, _ := placeLine(s)
		return slices.Contains(noAddress, line)
	}
	return slices.ContainsFunc(p.Address, says) || says(p.City)
}

// recipient returns the company and the person to write on the envelope. A
// representative stands for the customer; that somebody is represented is
// nobody's business on an envelope.
func recipient(p pipeline.Person) (company, title, first, last string) {
	tidied := func(s string) string { s, _ = tidy(s); return s }
	company, title, first, last = tidied(p.Company), tidied(p.Title), tidied(p.FirstName), tidied(p.LastName)
	if r := tidied(p.Representative); r != "" {
		return company, "", "", r
	}
	if last == "" && first == "" {
		title = ""
	}
	return company, title, first, last
}
