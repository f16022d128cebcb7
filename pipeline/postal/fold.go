package postal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letters that no decomposition takes apart into a Latin base letter.
var ligatures = strings.NewReplacer(
	"Œ", "OE", "Æ", "AE", "ẞ", "SS", "ß", "SS", "Ø", "O", "Ł", "L", "Đ", "D", "Ð", "D",
	"Þ", "TH", "Ħ", "H", "Ŧ", "T", "Ŋ", "N", "ĸ", "K", "Ə", "A", "İ", "I", "ı", "I",
	"Ƶ", "Z", "Ɖ", "D", "Ŀ", "L", "Ĳ", "IJ", "Ŀ", "L", "ſ", "S",
	// Not letters, but read as such.
	"’", "'", "‘", "'", "ʼ", "'", "´", "'", "`", "'", "′", "'", "＇", "'",
	"‐", "-", "‑", "-", "–", "-", "—", "-", "−", "-", "‒", "-",
	"€", "EUR", "№", "N", "°", "", "º", "", "ª", "",
	"«", "", "»", "", "“", "", "”", "", "„", "", "\"", "",
)

// tidy makes one line of a text: valid UTF-8 in NFC, one blank between words,
// nothing invisible. It reports whether the text was valid.
func tidy(s string) (string, bool) {
	if ascii(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && !unicode.IsSpace(r) || r == 0x7F }) {
		return strings.Join(strings.Fields(s), " "), true
	}
	ok := utf8.ValidString(s)
	s = norm.NFC.String(strings.ToValidUTF8(s, ""))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || r == '\u00a0' || r == '\u202f':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " "), ok
}

// capitals writes a text in unaccented capitals, as NF Z10-011 and La Poste ask
// for. Letters without a Latin form (Greek, Cyrillic, …) stay as they are; the
// caller refuses them.
func capitals(s string) string {
	if ascii(s) {
		s = strings.ToUpper(s)
		if strings.ContainsAny(s, "`\"") {
			s = ligatures.Replace(s)
		}
		return s
	}
	s = strings.ToUpper(norm.NFKC.String(s))
	s = ligatures.Replace(s)
	// Two passes: a ligature may have carried an accent (Ǽ, Ǿ).
	s = norm.NFD.String(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
	return ligatures.Replace(s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// nameLine is a line for people, companies and parts of a building (lines 1 to 3
// of NF Z10-011): hyphens, apostrophes and a few signs of company names stay.
func nameLine(s string) (string, bool) {
	s = capitals(strings.ReplaceAll(s, ".", ". "))
	s = initials(strings.Fields(s))
	return keep(s, "-'&/+@")
}

// initials joins dotted abbreviations: S. A. R. L. becomes SARL, J. P. becomes JP;
// the point goes.
func initials(words []string) string {
	var out []string
	joined := false // the last word of out is made of initials
	for _, w := range words {
		bare := strings.TrimRight(w, ".")
		single := len(bare) == 1 && len(w) > 1 && bare >= "A" && bare <= "Z"
		if single && joined {
			out[len(out)-1] += bare
			continue
		}
		if bare != "" {
			out = append(out, bare)
			joined = single
		}
	}
	return strings.Join(out, " ")
}

// placeLine is a line from the fourth on: letters, digits and blanks only.
func placeLine(s string) (string, bool) { return keep(capitals(s), "") }

// keep replaces everything but capitals, digits and the signs of also by blanks.
// It reports whether a letter was met that is not Latin: that would be lost.
func keep(s, also string) (string, bool) {
	ok := true
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < utf8.RuneSelf && strings.ContainsRune(also, r):
			return r
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r > 0xFFFF:
			ok = false
		}
		return ' '
	}, s)
	return strings.Join(strings.Fields(s), " "), ok
}
