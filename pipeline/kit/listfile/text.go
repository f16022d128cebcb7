package listfile

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// decode finds out the encoding: UTF-8, UTF-16 by its mark or by its zeros, and
// what is neither is Windows-1252, as Excel in Western Europe writes CSV.
func decode(data []byte) (text, encoding string, err error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "", "", ErrEmpty
	case archive(data):
		return "", "", ErrSheet
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return wide(data[2:], binary.LittleEndian), "utf-16", nil
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return wide(data[2:], binary.BigEndian), "utf-16", nil
	}
	head := data[:min(len(data), 512)]
	if zeros := bytes.Count(head, []byte{0}); zeros*3 > len(head) {
		even, odd := 0, 0
		for i, b := range head {
			if b == 0 && i%2 == 0 {
				even++
			} else if b == 0 {
				odd++
			}
		}
		switch {
		case odd*10 > zeros*9:
			return wide(data, binary.LittleEndian), "utf-16", nil
		case even*10 > zeros*9:
			return wide(data, binary.BigEndian), "utf-16", nil
		}
		return "", "", ErrBinary
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return string(data), "utf-8", nil
	}
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		b.WriteRune(western(c))
	}
	return b.String(), "windows-1252", nil
}

func wide(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// western is a byte of Windows-1252.
func western(c byte) rune {
	const high = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	if c < 0x80 || c >= 0xa0 {
		return rune(c)
	}
	n := 0
	for _, r := range high {
		if n == int(c-0x80) {
			return r
		}
		n++
	}
	return unicode.ReplacementChar
}

// Fold is a text as it is compared: small letters without accents and digits,
// everything else one space. "Défaut d'accès" and "DEFAUT D ACCES" are the same.
func Fold(s string) string {
	var b strings.Builder
	blank := true
	for _, r := range strings.ToLower(s) {
		if unicode.Is(unicode.Mn, r) {
			continue // an accent that stands by itself
		}
		plain := letters(r)
		if plain == "" {
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		}
		b.WriteString(plain)
		blank = false
	}
	return strings.TrimRight(b.String(), " ")
}

// letters is a letter without its accent; "" for what is neither letter nor digit.
func letters(r rune) string {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return string(r)
	case strings.ContainsRune("àáâãäå", r):
		return "a"
	case strings.ContainsRune("èéêë", r):
		return "e"
	case strings.ContainsRune("ìíîï", r):
		return "i"
	case strings.ContainsRune("òóôõöø", r):
		return "o"
	case strings.ContainsRune("ùúûü", r):
		return "u"
	case r == 'ç':
		return "c"
	case r == 'ñ':
		return "n"
	case r == 'ý' || r == 'ÿ':
		return "y"
	case r == 'œ':
		return "oe"
	case r == 'æ':
		return "ae"
	case r == 'ß':
		return "ss"
	case r >= 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		return string(r)
	}
	return ""
}

// Columns finds the columns of a head line. names lists for each meaning the
// spellings, folded; a meaning that two columns claim is in twice, and the numbers
// of columns that mean nothing, from 1, in unknown.
func Columns(head []string, names map[string][]string) (at map[string]int, unknown []int, twice []string) {
	meaning := map[string]string{}
	for m, spellings := range names {
		for _, s := range spellings {
			meaning[s] = m
		}
	}
	at = map[string]int{}
	for i, h := range head {
		m, ok := meaning[Fold(h)]
		if !ok {
			unknown = append(unknown, i+1)
			continue
		}
		if _, there := at[m]; there {
			twice = append(twice, m)
			continue
		}
		at[m] = i
	}
	return at, unknown, twice
}
