package intake

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/art34/art34/pipeline"
)

// date returns a date as 2006-01-02, or "" with a finding. Day and month are
// never guessed: 03/04/2026 is the third of April, as in the lists of Europe, and
// 04/13/2026 is none.
func (k *checker) date(raw []byte, column string) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	if k.spreadsheet && len(s) >= 5 && digits(strings.Replace(s, ".", "", 1)) {
		if d, ok := serialDate(s); ok {
			return d
		}
	}
	t, ok := parseDate(s)
	if !ok {
		k.f.add(badDate, column)
		return ""
	}
	return t
}

// parseDate reads 2026-01-31, 31/01/2026, 31.01.2026, 31-01-2026, 20260131, each
// with a time after it or not.
func parseDate(s string) (string, bool) {
	if len(s) < 8 || len(s) > 35 {
		return "", false
	}
	day := s
	if i := strings.IndexAny(s, "T "); i > 0 {
		day = s[:i]
	}
	var layout string
	switch {
	case len(day) == 10 && day[4] == '-':
		layout = time.DateOnly
	case len(day) == 10 && day[2] == '/':
		layout = "02/01/2006"
	case len(day) == 10 && day[2] == '.':
		layout = "02.01.2006"
	case len(day) == 10 && day[2] == '-':
		layout = "02-01-2006"
	case len(day) == 10 && day[4] == '/':
		layout = "2006/01/02"
	case len(day) == 8:
		layout = "20060102"
	default:
		return "", false
	}
	t, err := time.Parse(layout, day)
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return "", false
	}
	if layout == time.DateOnly {
		return day, true
	}
	return t.Format(time.DateOnly), true
}

// serialDate reads the day number of a spreadsheet: 1 is the first of January
// 1900, and there was a 29th of February that year (ECMA-376, 18.17.4.1).
func serialDate(s string) (string, bool) {
	whole, _, _ := strings.Cut(s, ".")
	n := 0
	for i := range len(whole) {
		n = n*10 + int(whole[i]-'0')
		if n > 100_000 {
			return "", false
		}
	}
	if n < 10_000 {
		return "", false
	}
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly), true
}

// locale returns a language tag in lower case, or "".
func (k *checker) locale(raw []byte, column string) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	tag := strings.ToLower(strings.ReplaceAll(s, "_", "-"))
	for i, part := range strings.Split(tag, "-") {
		if len(part) < 2 || len(part) > 8 || i == 0 && len(part) > 3 || strings.ContainsFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			k.f.add(badLocale, column)
			return ""
		}
	}
	lang, _, _ := strings.Cut(tag, "-")
	if got := k.spec.Locale(tag); got != tag && got != lang {
		k.f.add(otherLocale, column)
	}
	return tag
}

// format returns one of the formats of a letter.
func (k *checker) format(raw []byte, column string) string {
	s := codeOf(k.clean(raw, column, false))
	switch s {
	case "", pipeline.FormatStandard, "normal":
		return ""
	case pipeline.FormatLargePrint, "largeprint", "large", "gros-caracteres", "gros-caractères":
		return pipeline.FormatLargePrint
	case pipeline.FormatBraille, pipeline.FormatAudio:
		return s
	}
	k.f.add(unknownFormat, column)
	return ""
}

// codeOf writes a code as all codes are: lower case, hyphens.
func codeOf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "-"), " ", "-")
}

// codesOf splits a list of codes.
func codesOf(s string) []string {
	if s == "" {
		return nil
	}
	list := strings.FieldsFunc(s, func(r rune) bool { return r == '|' || r == ',' || r == ';' })
	for i := range list {
		list[i] = codeOf(list[i])
	}
	return list
}

// flags returns the known flags of a cell, sorted and joined by "|".
func (k *checker) flags(raw []byte, column string) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	list := codesOf(s)
	known := list[:0]
	for _, f := range list {
		switch {
		case f == "":
		case k.knownFlags[f]:
			known = append(known, f)
		default:
			k.f.add(unknownFlag, column)
		}
	}
	slices.Sort(known)
	return strings.Join(slices.Compact(known), "|")
}

// country returns an ISO 3166-1 alpha-2 code, "" where the cell is empty or, with
// a finding, unknown.
func (k *checker) country(raw []byte, column string) string {
	if string(raw) == "FR" {
		return "FR"
	}
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	if c, ok := k.countries[foldText(s)]; ok {
		return c
	}
	k.f.add(unknownCountry, column)
	return ""
}

// countryNames maps codes (two and three letters) and names in five languages to
// the code of two letters.
func countryNames() map[string]string {
	m := map[string]string{"uk": "GB", "angleterre": "GB", "england": "GB", "ecosse": "GB", "scotland": "GB", "usa": "US", "etatsunisdamerique": "US", "hollande": "NL",
		"lareunion": "RE", "reunion": "RE", "guyane": "GF", "fx": "FR", "francemetropolitaine": "FR", "principautedemonaco": "MC", "grandebretagne": "GB", "coree": "KR"}
	namers := []display.Namer{
		display.Regions(language.French), display.Regions(language.English), display.Regions(language.German),
		display.Regions(language.Spanish), display.Regions(language.Italian),
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			r, err := language.ParseRegion(string([]rune{a, b}))
			if err != nil || !r.IsCountry() || r.Canonicalize() != r { // UK, DD and the like are not codes of today
				continue
			}
			code := r.String()
			m[foldText(code)] = code
			m[foldText(r.ISO3())] = code
			for _, n := range namers {
				if name := n.Name(r); name != "" {
					if _, taken := m[foldText(name)]; !taken {
						m[foldText(name)] = code
					}
				}
			}
		}
	}
	return m
}

// french reports whether the post of a country is the French domestic one: the
// overseas departments and collectivities, and Monaco.
func french(country string) bool {
	switch country {
	case "FR", "MC", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "WF", "PF", "NC", "TF":
		return true
	}
	return false
}

// postcode returns a postcode; French ones have five digits.
func (k *checker) postcode(raw []byte, column, country string) string {
	if len(raw) == 5 && digits(string(raw)) {
		return string(raw)
	}
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	if t := unquote(s); t != s {
		k.f.add(excelQuoted, column)
		s = t
	}
	if t, ok := strings.CutSuffix(s, ".0"); ok && digits(t) {
		k.f.add(decimalID, column)
		s = t
	}
	if country == "" {
		country = k.region
	}
	if !french(country) {
		return s
	}
	t := strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(s, "FR-"), "F-"), " ", "")
	switch {
	case len(t) == 4 && digits(t):
		k.f.add(postcodeZero, column)
		return "0" + t
	case len(t) == 5 && digits(t):
		return t
	}
	k.f.add(badPostcode, column)
	return s
}

// area returns the first two digits of a French postcode: the department, or 97
// and 98 overseas.
func area(country, postcode string) string {
	if french(country) && len(postcode) == 5 && digits(postcode) {
		return postcode[:2]
	}
	return ""
}
