package pipeline

import (
	"fmt"
	"time"
)

// RunState says where a print run stands. The ledger repeats the list as a CHECK
// constraint.
type RunState string

const (
	RunFilling   RunState = "filling"   // members are being added, some at a time; whoever cuts it makes it RunCut, or whoever finds it later
	RunCut       RunState = "cut"       // members are committed; the file is being drawn, or redrawn after a crash
	RunAssembled RunState = "assembled" // the file exists and its hash is recorded; a person releases or voids
	RunReleased  RunState = "released"  // handed to the print shop; only a recall brings it back
	RunDeposited RunState = "deposited" // the print shop acknowledged the deposit
	RunVoided    RunState = "voided"    // taken back before the release
	RunRecalled  RunState = "recalled"  // the print shop acknowledged a recall
)

// Run is a print run: a batch of letters of one class in one PDF with its
// manifest.
type Run struct {
	ID                                int64
	Campaign                          int64
	State                             RunState
	Profile                           string // envelope profile
	Class                             string // "standard", "large-print": one class of sheets and envelope
	Sheets                            int    // per letter, the same for all
	Letters                           int
	Pages                             int // with blank pages
	Version                           int // of the letters
	CutAt                             time.Time
	LetterDate                        time.Time
	File                              string // base name, in DIR/print-runs
	SHA256                            string // hex, of the file as handed over (encrypted, if it is)
	AssembledAt, ReleasedAt, ClosedAt time.Time
	Deposit                           Deposit
}

// A run is drawn in memory, some 55 kB a letter of two pages; within these bounds
// that stays under 256 MB.
const (
	MostRunLetters = 4000
	MostRunPages   = 8000 // with blank backs: long letters make smaller runs
)

// RunSlice is how many letters of a run the ledger moves in one transaction: an
// agent's entry in the audit trail waits for it.
const RunSlice = 100

// Name is the run as people and files know it: "R000042".
func (r Run) Name() string { return RunName(r.ID) }

// RunName formats the number of a run.
func RunName(id int64) string { return fmt.Sprintf("R%06d", id) }

// SlipMark stands in the Detail of an event between the run and the number of the
// deposit slip.
const SlipMark = ", slip "

// Deposit is what a print shop acknowledges.
type Deposit struct {
	On      Date   `json:"on"`
	Place   string `json:"place"`
	Product string `json:"product"`
	Slip    string `json:"slip"` // number of the deposit slip
	Count   int    `json:"count"`
	// Parts are the deposits one by one, in the order in which they were
	// acknowledged, where the letters of a run went to the post in more than one. The
	// fields above are then those of the last, and Count is the sum.
	Parts []DepositPart `json:"parts,omitempty"`
}

// DepositPart is one of several deposits of a run.
type DepositPart struct {
	On      Date   `json:"on"`
	Place   string `json:"place"`
	Product string `json:"product"`
	Slip    string `json:"slip"`
	Count   int    `json:"count"`
	Letters string `json:"letters"` // positions in the run: "1-500 502"
}

// RunItem is one letter of a run.
type RunItem struct {
	Run       int64
	Seq       int // from 1
	Notice    int64
	Attempt   int
	FirstPage int // in the PDF, from 1
	Pages     int // with the blank back
	State     RunItemState
}

// Drawn is what the drawing says about one letter of a run.
type Drawn struct {
	Ticket           // the notice as it was drawn
	Seq       int    // of its item
	FirstPage int    // in the PDF, from 1
	Pages     int    // with the blank back
	Bytes     []byte // SHA-256, for its attempt
}

// RunItemState is what became of one letter of a run.
type RunItemState string

const (
	ItemIn       RunItemState = "in"       // part of the run
	ItemPosted   RunItemState = "posted"   // deposited
	ItemRejected RunItemState = "rejected" // spoiled or refused by the print shop
	ItemOut      RunItemState = "out"      // taken out: voided, recalled
)
