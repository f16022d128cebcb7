package postal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// frenchPost reports whether La Poste delivers there under the domestic rules:
// metropolitan France, the overseas departments and collectivities, Monaco.
func frenchPost(code string) bool {
	switch code {
	case "FR", "MC", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "WF", "PF", "NC", "TF":
		return true
	}
	return false
}

// frenchLines writes an address by NF Z10-011: at most six lines of 38 unaccented
// capitals, from the addressee down to the locality, without punctuation from the
// fourth on.
func frenchLines(p pipeline.Person, to country) ([]string, error) {
	top, err := frenchNames(p)
	if err != nil {
		return nil, err
	}
	locality, err := frenchLocality(p, to)
	if err != nil {
		return nil, err
	}
	middle, err := frenchPlaces(p.Address)
	if err != nil {
		return nil, err
	}
	if len(middle) == 0 && !strings.Contains(locality, " CEDEX") {
		return nil, unprintable("no-address", "there is no street, place or box")
	}
	middle = merge(middle, maxLines-len(top)-1)
	return append(append(top, middle...), locality), nil
}

// frenchNames writes the first line or, for a company with a contact, the first
// two.
func frenchNames(p pipeline.Person) ([]string, error) {
	company, title, first, last := recipient(p)
	var out []string
	if company != "" {
		line, ok := nameLine(company)
		if !ok {
			return nil, notLatin()
		}
		if line != "" {
			out = append(out, shorten(line, maxLine, companyWords))
		}
	}
	if first+last != "" {
		f, ok1 := nameLine(first)
		l, ok2 := nameLine(last)
		if !ok1 || !ok2 {
			return nil, notLatin()
		}
		if line := shortenName(frenchTitle(title), strings.Fields(f), l); f+l != "" {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return nil, unprintable("no-recipient", "there is neither a name nor a company")
	}
	return slices.Compact(out), nil
}

func notLatin() error {
	return unprintable("address-not-encodable", "the address has letters that have no Latin capital")
}

var titleSigns = strings.NewReplacer("/", " ET ", "&", " ET ", "+", " ET ")

// frenchTitle abbreviates a title; an unknown one stays if it is short.
func frenchTitle(title string) string {
	t, ok := nameLine(title)
	if !ok {
		return ""
	}
	if strings.ContainsAny(t, "/&+") {
		t = titleSigns.Replace(t)
	}
	words := strings.Fields(t)
	for i, w := range words {
		switch w {
		case "MR", "MONSIEUR", "MISTER":
			words[i] = "M"
		case "MADAME", "MRS", "MS":
			words[i] = "MME"
		case "MADEMOISELLE", "MISS":
			words[i] = "MLLE"
		case "MESDAMES":
			words[i] = "MMES"
		case "MESSIEURS":
			words[i] = "MM"
		case "DOCTEUR":
			words[i] = "DR"
		case "MAITRE":
			words[i] = "ME"
		case "PROFESSEUR":
			words[i] = "PR"
		case "OU", "AND":
			words[i] = "ET"
		}
	}
	if t = strings.Join(words, " "); len(t) > 12 || strings.ContainsAny(t, "0123456789") {
		return ""
	}
	switch t {
	case "N A", "NA", "NULL", "X", "INCONNU", "UNKNOWN", "AUTRE", "OTHER":
		return ""
	}
	return t
}

// frenchLocality writes postcode and city.
func frenchLocality(p pipeline.Person, to country) (string, error) {
	given, _ := tidy(p.Postcode)
	city, ok := placeLine(p.City)
	if !ok {
		return "", notLatin()
	}
	if given == "" {
		return "", unprintable("no-postcode", "there is no postcode")
	}
	code, valid := frenchPostcode(given)
	switch {
	case !valid,
		strings.HasPrefix(code, "00") && !slices.Contains(strings.Fields(city), "ARMEES"),
		to.code == "MC" && !strings.HasPrefix(code, "980"):
		return "", unprintable("postcode-invalid", "the postcode is none of the French post")
	}
	// Directories repeat the postcode in the city.
	city = strings.TrimSpace(strings.TrimPrefix(city, code))
	if city == "" || strings.Trim(city, "0123456789 ") == "" {
		return "", unprintable("city-missing", "there is no city")
	}
	city = cedex(swapWord(swapWord(city, "SAINTE", "STE"), "SAINT", "ST"))
	return code + " " + shorten(city, maxLine-len(code)-1, titleWords), nil
}

// cedex writes the number of a CEDEX with two digits: PARIS CEDEX 8 is PARIS
// CEDEX 08.
func cedex(city string) string {
	words := strings.Fields(city)
	if n := len(words); n >= 2 && words[n-2] == "CEDEX" && len(words[n-1]) == 1 && words[n-1] >= "1" && words[n-1] <= "9" {
		words[n-1] = "0" + words[n-1]
	}
	return strings.Join(words, " ")
}

// frenchPostcode brings a postcode into its form of five digits and reports
// whether it can be one: departments 01 to 95 (20 is Corsica; 2A and 2B are not
// used in postcodes), 97x and 98x overseas and Monaco, 00x for the armies. A
// spreadsheet's lost zero is given back. 99xxx are codes of foreign countries in
// the national register and are no postcodes.
func frenchPostcode(s string) (string, bool) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	for _, prefix := range []string{"FR-", "F-", "FR", "F", "MC-", "MC"} {
		s = strings.TrimPrefix(s, prefix)
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s, ".0"), ",0")
	for _, r := range s {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	if len(s) == 4 && s[0] != '0' {
		s = "0" + s
	}
	if len(s) != 5 || s == "00000" {
		return "", false
	}
	switch two := s[:2]; {
	case two == "96" || two == "99":
		return "", false
	case two == "97":
		return s, s[2] >= '1' && s[2] <= '8'
	case two == "98":
		return s, s[2] == '0' || s[2] == '4' || s[2] >= '6' && s[2] <= '8'
	}
	return s, true
}

// frenchPlaces puts the lines of a directory into the order of the norm: inside
// the building (2), building (3), street (4), hamlet or box (5). A line that
// tells nothing of its kind stays on its side of the street.
func frenchPlaces(given []string) ([]string, error) {
	type place struct {
		text string
		rank int
	}
	var places []place
	seenStreet := false
	for _, g := range given {
		clean, _ := tidy(g)
		line, ok := placeLine(clean)
		if !ok {
			return nil, notLatin()
		}
		if line == "" || line == "FRANCE" {
			continue
		}
		rank := placeRank(line)
		switch {
		case rank == rankStreet:
			seenStreet = true
		case rank == rankUnknown && seenStreet:
			rank = rankHamlet
		case rank == rankUnknown:
			rank = rankBuilding
		}
		if rank == rankInside || rank == rankBuilding {
			// Lines 2 and 3 may keep their hyphens and apostrophes.
			line, _ = nameLine(clean)
		}
		places = append(places, place{line, rank})
	}
	slices.SortStableFunc(places, func(a, b place) int { return a.rank - b.rank })
	var out []string
	for _, p := range places {
		switch {
		case p.rank == rankStreet:
			p.text = shortenStreet(p.text)
		default:
			p.text = shorten(p.text, maxLine, insideWords, streetWords, numberWords, titleWords, companyWords)
		}
		if !slices.Contains(out, p.text) {
			out = append(out, p.text)
		}
	}
	return out, nil
}

// Ranks are the lines of the norm.
const (
	rankUnknown = iota
	rankInside
	rankBuilding
	rankStreet
	rankHamlet
)

func placeRank(line string) int {
	words := strings.Fields(line)
	has := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	starts := func(list ...string) bool { return slices.Contains(list, words[0]) }
	street := []string{"RUE", "R", "AVENUE", "AV", "BOULEVARD", "BD", "BVD", "PLACE", "PL", "CHEMIN", "CHE", "ROUTE", "RTE", "ALLEE", "ALL", "ALLEES",
		"IMPASSE", "IMP", "QUAI", "COURS", "CRS", "SQUARE", "SQ", "PASSAGE", "PAS", "SENTIER", "SEN", "FAUBOURG", "FG", "VOIE", "ESPLANADE", "PROMENADE", "MONTEE",
		"RUELLE", "VENELLE", "CHAUSSEE", "TRAVERSE", "CITE", "ROCADE", "COTE", "PARVIS", "MAIL", "RPT"}
	numbered := words[0][0] >= '0' && words[0][0] <= '9'
	switch {
	case starts("BP", "CS", "TSA", "LD", "HAMEAU") || strings.HasPrefix(line, "BOITE POSTALE") || strings.HasPrefix(line, "LIEU DIT") || strings.HasPrefix(line, "POSTE RESTANTE"):
		return rankHamlet
	case numbered && has(street...) || starts(street...) && !has("ETAGE", "ETG", "APT", "APPT", "APPARTEMENT"):
		return rankStreet
	case starts("APT", "APPT", "APPARTEMENT", "ETAGE", "ETG", "ESC", "ESCALIER", "PORTE", "PTE", "CHEZ", "LOGEMENT", "LGT", "CHAMBRE", "CHB", "RDC", "BAL", "COULOIR") ||
		has("APPT", "APT", "APPARTEMENT", "ETAGE", "ETG"):
		return rankInside
	case starts("BAT", "BATIMENT", "RES", "RESIDENCE", "IMM", "IMMEUBLE", "ENTREE", "ENT", "TOUR", "ZI", "ZA", "ZAC", "ZONE", "PARC", "CENTRE", "VILLA", "LOTISSEMENT", "LOT", "CLOS", "DOMAINE", "PAVILLON", "LE", "LA", "LES"):
		return rankBuilding
	case numbered && len(words) > 1:
		return rankStreet
	}
	return rankUnknown
}

// merge joins neighbouring short lines until there are at most so many; parts of
// a building first, which the norm itself allows on one line.
func merge(lines []string, most int) []string {
	for len(lines) > most {
		joined := false
		for i := 0; i+1 < len(lines); i++ {
			if utf8.RuneCountInString(lines[i])+1+utf8.RuneCountInString(lines[i+1]) <= maxLine && placeRank(lines[i+1]) != rankStreet && placeRank(lines[i]) != rankStreet {
				lines[i] += " " + lines[i+1]
				lines = slices.Delete(lines, i+1, i+2)
				joined = true
				break
			}
		}
		if !joined {
			return lines
		}
	}
	return lines
}
