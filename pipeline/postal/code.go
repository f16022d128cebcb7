package postal

import "github.com/art34/art34/pipeline"

// Code is what the DataMatrix on a page says: which letter, which attempt, which
// page. It is opaque to everybody else.
type Code struct {
	Reference pipeline.Reference
	Attempt   int // 1 … 99
	Page      int // from 1
	Pages     int
}

// String is the text of the symbol: "A34", the reference, two digits each of
// attempt, page and pages, and a check character (ISO 7064 MOD 37,36).
func (c Code) String() string { panic("postal: not built yet") }

// ParseCode reads a scanned text. Other people's codes on the same envelope
// (franking, undeliverable mail) are refused.
func ParseCode(s string) (Code, error) { panic("postal: not built yet") }
