package postal

import (
	"io"

	"github.com/art34/art34/pipeline"
)

// Status of a row of an acknowledgement.
const (
	AckDeposited = "deposited" // the run was handed to the post; count, date, place, product, slip
	AckRejected  = "rejected"  // one letter was spoiled or refused; seq, letter_ref, reason
	AckRecalled  = "recalled"  // the run was stopped before the deposit
)

// Ack is what a print shop says about one print run.
type Ack struct {
	Run      int64
	Deposit  *pipeline.Deposit // nil: no row "deposited"
	Rejected []AckItem         // in order of Seq
	Recalled bool
	Hash     string // SHA-256 of the normalised rows, hex: the same content is no news
}

// AckItem is one rejected letter.
type AckItem struct {
	Seq       int
	Reference pipeline.Reference
	Reason    string // code or short text of the print shop
}

// ParseAck reads an acknowledgement file: CSV (comma, semicolon or tab) with the
// head line
//
//	run_id,status,seq,letter_ref,date,place,product,slip,count,reason
//
// in any order of columns, one row "deposited" or "recalled" per run and one row
// "rejected" per spoiled letter. A run's deposited count is without the rejected
// ones. Unknown columns, unknown statuses, contradictions and repetitions are
// errors that name the row; then nothing of the file is returned. Runs come in
// order of their number.
func ParseAck(r io.Reader) ([]Ack, error) { panic("postal: not built yet") }

// Check holds an acknowledgement against the run it speaks of: the control total
// (deposited + rejected = letters in the run), and for every rejected letter that
// position and reference belong together. refs gives the reference at a position,
// "" for none.
func (a Ack) Check(letters int, refs func(seq int) pipeline.Reference) error {
	panic("postal: not built yet")
}
