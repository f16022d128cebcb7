package postal

import (
	"fmt"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/encoding/charmap"
)

// plateRanges lists the characters of each plate beyond Windows-1252. Scripts
// that need shaping or are written from right to left are not among them: set
// letter by letter they would be wrong, and a wrong name is worse than a letter
// that a person looks at.
var plateRanges = [plateCount][][2]rune{
	plateLatin:      {{0x0100, 0x017F}, {0x018F, 0x0192}, {0x01CD, 0x01DC}, {0x01E6, 0x01E7}, {0x01FA, 0x021B}, {0x0259, 0x0259}, {0x1E80, 0x1E85}, {0x1E9E, 0x1E9E}, {0x1EF2, 0x1EF3}},
	plateVietnamese: {{0x01A0, 0x01A1}, {0x01AF, 0x01B0}, {0x1EA0, 0x1EF1}, {0x1EF4, 0x1EF9}},
	plateGreek:      {{0x0384, 0x03CE}, {0x03D1, 0x03D6}},
	plateCyrillic:   {{0x0400, 0x045F}, {0x0490, 0x0491}, {0x04D8, 0x04D9}},
	plateSigns: {{0x02C7, 0x02DD}, {0x2015, 0x2017}, {0x201B, 0x201B}, {0x2032, 0x2033}, {0x203C, 0x203C}, {0x2044, 0x2044}, {0x2070, 0x208E}, {0x20A3, 0x20B5}, {0x2105, 0x2126},
		{0x2153, 0x215E}, {0x2190, 0x2195}, {0x2202, 0x2265}},
}

// windows1252 decodes a code of plate 0. The soft hyphen is none of its
// characters: it would be printed.
func windows1252(code byte) (rune, bool) {
	r := charmap.Windows1252.DecodeByte(code)
	if r == '\u00ad' || r == '\ufffd' || r >= 0x7F && r < 0xA0 || r < 0x20 {
		return 0, false
	}
	return r, true
}

// glyphName is the name of a character in the Adobe Glyph List, by which a PDF
// reader finds the glyph in a TrueType font and the text behind it. The font's own
// names are those of the list but for Cyrillic and a few signs.
func glyphName(p *sfnt.Font, b *sfnt.Buffer, g sfnt.GlyphIndex, r rune) (string, error) {
	switch {
	case r >= 0x0410 && r <= 0x0415:
		return fmt.Sprintf("afii%05d", 10017+r-0x0410), nil
	case r >= 0x0416 && r <= 0x042F:
		return fmt.Sprintf("afii%05d", 10024+r-0x0416), nil
	case r >= 0x0430 && r <= 0x0435:
		return fmt.Sprintf("afii%05d", 10065+r-0x0430), nil
	case r >= 0x0436 && r <= 0x044F:
		return fmt.Sprintf("afii%05d", 10072+r-0x0436), nil
	case r >= 0x0402 && r <= 0x040C:
		return fmt.Sprintf("afii%05d", 10051+r-0x0402), nil
	case r >= 0x0452 && r <= 0x045C:
		return fmt.Sprintf("afii%05d", 10099+r-0x0452), nil
	}
	switch r {
	case 0x0401:
		return "afii10023", nil
	case 0x0451:
		return "afii10071", nil
	case 0x040E:
		return "afii10062", nil
	case 0x040F:
		return "afii10145", nil
	case 0x045E:
		return "afii10110", nil
	case 0x045F:
		return "afii10193", nil
	case 0x0490:
		return "afii10050", nil
	case 0x0491:
		return "afii10098", nil
	case 0x2015:
		return "afii00208", nil
	case 0x2105:
		return "afii61248", nil
	case 0x2113:
		return "afii61289", nil
	case 0x2116:
		return "afii61352", nil
	}
	name, err := p.GlyphName(b, g)
	if err != nil || name == "" {
		return fmt.Sprintf("uni%04X", r), err
	}
	return name, nil
}
