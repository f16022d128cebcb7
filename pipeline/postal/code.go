package postal

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/datamatrix"

	"github.com/art34/art34/pipeline"
)

// Code is what the DataMatrix on a page says: which letter, which attempt, which
// page. It is opaque to everybody else.
type Code struct {
	Reference pipeline.Reference
	Attempt   int // 1 … 99
	Page      int // from 1
	Pages     int // at most 99
}

// codePrefix tells our codes from others on the same envelope: franking marks,
// the label of undeliverable mail.
const codePrefix = "A34"

// codeLen is the length of the text: prefix, reference, three times two digits,
// check character.
const codeLen = len(codePrefix) + 12 + 6 + 1

// String is the text of the symbol: "A34", the reference, two digits each of
// attempt, page and pages, and a check character (ISO 7064 MOD 37,36).
func (c Code) String() string {
	s := fmt.Sprintf("%s%s%02d%02d%02d", codePrefix, c.Reference.Compact(), c.Attempt, c.Page, c.Pages)
	check, err := mod3736(s)
	if err != nil {
		return ""
	}
	return s + string(check)
}

// errCode says that a scanned text is none of ours.
var errCode = &pipeline.Error{Code: "code-foreign", Sentence: "this is no code of a letter of ours",
	Hint: "scan the symbol printed on the letter itself, not the one on the envelope", Permanent: true}

// ParseCode reads a scanned text. Other people's codes on the same envelope
// (franking, undeliverable mail) are refused.
func ParseCode(s string) (Code, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != codeLen || !strings.HasPrefix(s, codePrefix) {
		return Code{}, errCode
	}
	body := s[:codeLen-1]
	if check, err := mod3736(body); err != nil || check != s[codeLen-1] {
		return Code{}, errCode
	}
	ref, err := pipeline.ParseReference(body[len(codePrefix) : len(codePrefix)+12])
	if err != nil {
		return Code{}, errCode
	}
	c := Code{Reference: ref}
	for i, n := range []*int{&c.Attempt, &c.Page, &c.Pages} {
		at := len(codePrefix) + 12 + 2*i
		tens, ones := body[at]-'0', body[at+1]-'0'
		if tens > 9 || ones > 9 {
			return Code{}, errCode
		}
		*n = int(tens)*10 + int(ones)
	}
	return c, nil
}

// mod3736 is the check character of ISO/IEC 7064, MOD 37,36: it catches every
// single wrong character and nearly every swap of neighbours, in texts of capitals
// and digits.
func mod3736(s string) (byte, error) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	p := 36
	for i := range len(s) {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return 0, errCode
		}
		p = (p + v) % 36
		if p == 0 {
			p = 36
		}
		p = p * 2 % 37
	}
	return alphabet[(37-p)%36], nil
}

// Sizes of the printed symbol. A module of six dots at 300 dpi is read by every
// hand scanner and, in a page scan, from 100 dpi on.
const (
	module  = 0.508 // mm
	modules = 18    // per side at most: 18 code words, which the longest code takes
	symbol  = module * modules
	quiet   = 1.0 // mm of white round it; the standard asks for one module
)

// bar is a horizontal run of dark modules.
type bar struct{ x, y, n int }

// symbolBars encodes a text as a DataMatrix (ECC 200). A reference of digits only,
// one in a million, makes a smaller symbol.
func symbolBars(text string) ([]bar, error) {
	code, err := datamatrix.Encode(text)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	side := code.Bounds().Dx()
	if side > modules {
		return nil, fmt.Errorf("code: %d modules wide, more than %d", side, modules)
	}
	var bars []bar
	for y := range side {
		for x := 0; x < side; x++ {
			n := 0
			for x+n < side {
				if r, _, _, _ := code.At(x+n, y).RGBA(); r != 0 {
					break
				}
				n++
			}
			if n > 0 {
				bars = append(bars, bar{x, y, n})
				x += n
			}
		}
	}
	return bars, nil
}
