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

// shortened is a word of a French, British or American address in one spelling, or ""
// for one that has no other. Where one abbreviation stands for two words (st: saint,
// street) both have that spelling: in one street of one postcode nothing hangs on it.
func shortened(word string) string {
	switch word {
	case "avenue", "ave", "aven":
		return "av"
	case "boulevard", "boul", "bld", "blvd", "bvd":
		return "bd"
	case "saint", "street", "str":
		return "st"
	case "sainte", "suite":
		return "ste"
	case "road":
		return "rd"
	case "lane":
		return "ln"
	case "court":
		return "ct"
	case "drive", "docteur", "doctor":
		return "dr"
	case "place":
		return "pl"
	case "plaza":
		return "plz"
	case "square":
		return "sq"
	case "terrace":
		return "ter"
	case "crescent":
		return "cres"
	case "gardens":
		return "gdns"
	case "highway":
		return "hwy"
	case "parkway":
		return "pkwy"
	case "circle":
		return "cir"
	case "allee", "allees":
		return "all"
	case "chemin", "chem", "ch":
		return "che"
	case "cours":
		return "crs"
	case "faubourg", "fbg":
		return "fg"
	case "hameau":
		return "ham"
	case "impasse":
		return "imp"
	case "lotissement":
		return "lot"
	case "passage":
		return "pas"
	case "quai":
		return "q"
	case "quartier":
		return "qua"
	case "residence":
		return "res"
	case "route":
		return "rte"
	case "sentier":
		return "sen"
	case "traverse":
		return "tra"
	case "village":
		return "vlge"
	case "general", "gen":
		return "gal"
	case "marechal":
		return "mal"
	case "colonel":
		return "col"
	case "capitaine":
		return "cne"
	case "commandant":
		return "cdt"
	case "president":
		return "pdt"
	case "professeur":
		return "pr"
	case "monseigneur":
		return "mgr"
	case "north":
		return "n"
	case "south":
		return "s"
	case "east":
		return "e"
	case "west":
		return "w"
	case "appartement", "appart", "appt", "app", "apartment", "flat", "unit", "logement", "lgt":
		return "apt"
	case "batiment", "bt", "building", "bldg", "immeuble", "imm":
		return "bat"
	case "escalier", "stairs":
		return "esc"
	case "entree":
		return "ent"
	case "etage", "floor", "fl":
		return "etg"
	case "porte", "door":
		return "pte"
	}
	return ""
}

// inside reports whether a word has a number or a letter of its own, and says with it
// where in a house.
func inside(word string) bool {
	return slices.Contains([]string{"apt", "bat", "esc", "ent", "etg", "pte", "ste"}, word)
}

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
			if s := shortened(w); s != "" {
				w = s
			}
			list = append(list, w)
		case rest == "":
			list = append(list, unpadded(w))
		case slices.Contains([]string{"e", "er", "re", "eme", "ieme", "th", "nd", "rd"}, rest), rest == "st" && i > 0:
			list = append(list, unpadded(w[:n])+"e")
		case len(list) > 0 && inside(list[len(list)-1]):
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
		case inside(w) && next == w: // apt #5
		case next == "etg" && len(w) > 1 && numeral(strings.TrimSuffix(w, "e")):
			a.inside["etg"] = strings.TrimSuffix(w, "e")
			i++
		case inside(w) && next != "" && (len(next) == 1 || unicode.IsDigit(rune(next[0]))):
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
		if w == "saint" || w == "sainte" {
			w = shortened(w)
		}
		list = append(list, w)
	}
	if len(list) > 1 && slices.Contains([]string{"paris", "lyon", "marseille"}, list[0]) && unicode.IsDigit(rune(list[1][0])) {
		list = list[:1]
	}
	return strings.Join(list, "")
}
