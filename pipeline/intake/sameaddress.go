package intake

import (
	"slices"
	"strings"
	"unicode"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/fold"
)

// This file compares an address that somebody says on the phone with the one on file.
// How it is written does not matter: case, accents, punctuation, what people abbreviate
// and in which order the lines come. A number is never guessed: another house, another
// flat or another postcode is another address.

// shortened are words of French, British and American addresses in one spelling. Where
// one abbreviation stands for two words (st: saint, street) both have that spelling: in
// one street of one postcode nothing hangs on it.
var shortened = map[string]string{
	"avenue": "av", "ave": "av", "aven": "av", "boulevard": "bd", "boul": "bd", "bld": "bd", "blvd": "bd", "bvd": "bd",
	"saint": "st", "street": "st", "str": "st", "sainte": "ste", "suite": "ste", "road": "rd", "lane": "ln", "court": "ct", "drive": "dr", "docteur": "dr", "doctor": "dr",
	"place": "pl", "plaza": "plz", "square": "sq", "terrace": "ter", "crescent": "cres", "gardens": "gdns", "highway": "hwy", "parkway": "pkwy", "circle": "cir",
	"allee": "all", "allees": "all", "chemin": "che", "chem": "che", "ch": "che", "cours": "crs", "faubourg": "fg", "fbg": "fg", "hameau": "ham", "impasse": "imp",
	"lotissement": "lot", "passage": "pas", "quai": "q", "quartier": "qua", "residence": "res", "route": "rte", "sentier": "sen", "traverse": "tra", "village": "vlge",
	"general": "gal", "gen": "gal", "marechal": "mal", "colonel": "col", "capitaine": "cne", "commandant": "cdt", "president": "pdt", "professeur": "pr", "monseigneur": "mgr",
	"north": "n", "south": "s", "east": "e", "west": "w",
	"appartement": "apt", "appart": "apt", "appt": "apt", "app": "apt", "apartment": "apt", "flat": "apt", "unit": "apt", "logement": "apt", "lgt": "apt",
	"batiment": "bat", "bt": "bat", "building": "bat", "bldg": "bat", "immeuble": "bat", "imm": "bat", "escalier": "esc", "stairs": "esc", "entree": "ent",
	"etage": "etg", "floor": "etg", "fl": "etg", "porte": "pte", "door": "pte",
}

// insides are words with a number or a letter of their own, that say where in a house.
var insides = []string{"apt", "bat", "esc", "ent", "etg", "pte", "ste"}

// asSpoken is an address as it is compared: the words of its lines, and apart from them
// what stands for a place within the house.
type asSpoken struct {
	lines  [][]string
	inside map[string]string
}

// SameAddress reports whether somebody who states an address means the one on file:
// lines of it, with the house and its number, and the postcode or the town.
func SameAddress(p pipeline.Person, line, postcode, city string) bool {
	if foldText(postcode) == "" && foldText(city) == "" {
		return false // also of one that is a dash
	}
	if foldText(postcode) != "" && !samePostcode(postcode, p.Postcode) || foldText(city) != "" && town(city) != town(p.City) {
		return false
	}
	said, ours := spokenLines([]string{line}), spokenLines(p.Address)
	for where, n := range said.inside {
		if have, there := ours.inside[where]; there && have != n {
			return false
		}
	}
	return len(said.lines) == 1 && composed(said.lines[0], ours.lines, make([]bool, len(ours.lines)))
}

// composed reports whether words are lines of an address one after the other, in any
// order, each once, and among them all that begin with the number of a house.
func composed(words []string, lines [][]string, used []bool) bool {
	if len(words) == 0 {
		return complete(lines, used)
	}
	for i, l := range lines {
		if used[i] || len(l) > len(words) || !slices.Equal(l, words[:len(l)]) {
			continue
		}
		used[i] = true
		if composed(words[len(l):], lines, used) {
			return true
		}
		used[i] = false
	}
	return false
}

// complete reports whether the lines that were used tell a house: those with its
// number, and a word.
func complete(lines [][]string, used []bool) bool {
	word := false
	for i, l := range lines {
		house := unicode.IsDigit([]rune(l[0])[0])
		if house && !used[i] {
			return false
		}
		word = word || used[i] && slices.ContainsFunc(l, func(w string) bool { return len(w) > 1 && !numeral(w) })
	}
	return word
}

func numeral(s string) bool { return strings.Trim(s, "0123456789") == "" }

// spokenLines takes lines apart.
func spokenLines(lines []string) asSpoken {
	a := asSpoken{inside: map[string]string{}}
	for _, l := range lines {
		if words := a.take(spokenWords(l)); len(words) > 0 {
			a.lines = append(a.lines, words)
		}
	}
	return a
}

// spokenWords are the words of a line in one spelling: 12bis is 12 b, 3ème is 3e.
func spokenWords(line string) (list []string) {
	words := strings.Fields(fold.Words(strings.NewReplacer("#", " apt ", "n°", " ", "N°", " ", "№", " ").Replace(line)))
	for i, w := range words {
		n := len(w) - len(strings.TrimLeft(w, "0123456789"))
		rest := w[n:]
		switch {
		case n == 0 && i+1 < len(words) && numeral(words[i+1]) && (w == "no" || w == "num" || w == "numero"):
		case n == 0 && len(list) > 0 && numeral(list[len(list)-1]) && (w == "bis" || w == "ter" || w == "quater"):
			list = append(list, w[:1])
		case n == 0:
			if s, ok := shortened[w]; ok {
				w = s
			}
			list = append(list, w)
		case rest == "":
			list = append(list, unpadded(w))
		case slices.Contains([]string{"e", "er", "re", "eme", "ieme", "th", "nd", "rd"}, rest), rest == "st" && i > 0:
			list = append(list, unpadded(w[:n])+"e")
		case len(list) > 0 && slices.Contains(insides, list[len(list)-1]):
			list = append(list, unpadded(w[:n])+rest)
		case rest == "bis" || rest == "ter" || rest == "quater" || len(rest) == 1:
			list = append(list, unpadded(w[:n]), rest[:1])
		default:
			list = append(list, unpadded(w[:n])+rest)
		}
	}
	return list
}

func unpadded(n string) string {
	if t := strings.TrimLeft(n, "0"); t != "" {
		return t
	}
	return "0"
}

// take puts what says where in a house apart, and returns the other words. A floor may
// have its number before it.
func (a asSpoken) take(words []string) (rest []string) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		switch {
		case slices.Contains(insides, w) && next == w: // apt #5
		case next == "etg" && len(w) > 1 && numeral(strings.TrimSuffix(w, "e")):
			a.inside["etg"] = strings.TrimSuffix(w, "e")
			i++
		case slices.Contains(insides, w) && next != "" && (len(next) == 1 || unicode.IsDigit(rune(next[0]))):
			a.inside[w] = strings.TrimSuffix(next, "e")
			i++
			if i+1 < len(words) && numeral(next) && len(words[i+1]) == 1 && !numeral(words[i+1]) && i+2 == len(words) {
				a.inside[w] += words[i+1] // 12 B
				i++
			}
		default:
			rest = append(rest, w)
		}
	}
	return rest
}

// samePostcode compares postcodes: spaces and a French prefix do not matter, and who
// says five digits of an American one says it.
func samePostcode(a, b string) bool {
	zip := func(s string) (five, four string) {
		s = strings.TrimSpace(s)
		for _, prefix := range []string{"F-", "FR-", "f-", "fr-"} {
			s = strings.TrimPrefix(s, prefix)
		}
		if head, tail, ok := strings.Cut(s, "-"); ok && len(head) == 5 && len(tail) == 4 && numeral(head) && numeral(tail) {
			return head, tail
		}
		return foldText(s), ""
	}
	x, more := zip(a)
	y, ours := zip(b)
	return x == y && (more == ours || more == "" || ours == "")
}

// town is a town as it is compared: without CEDEX, and without the district that Paris,
// Lyon and Marseille have after their name, which the postcode says.
func town(s string) string {
	var list []string
	for _, w := range strings.Fields(fold.Words(s)) {
		if w == "cedex" {
			break
		}
		if short, ok := shortened[w]; ok && (w == "saint" || w == "sainte") {
			w = short
		}
		list = append(list, w)
	}
	if len(list) > 1 && slices.Contains([]string{"paris", "lyon", "marseille"}, list[0]) && unicode.IsDigit(rune(list[1][0])) {
		list = list[:1]
	}
	return strings.Join(list, "")
}
