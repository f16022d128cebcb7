package pipeline

import (
	"slices"
	"time"
)

// Call is one caller with one agent of the cell, from the look-up to its outcome. It
// holds no person: whom it is about is a notice, and what was typed to find them is
// kept as a token of the blind index at most.
type Call struct {
	ID       int64
	Campaign int64  // 0: nobody was found in any
	Notice   int64  // the primary notice of the one who was found; 0 without one
	Import   int64  // newest import in force at the look-up; of who is not concerned, the one that says so
	Agent    string // as events name people: "user:LOGIN"
	Source   string // "console", or the name of what asked through the API
	OpenedAt time.Time
	ClosedAt time.Time // zero: under way

	Key   string // kind of what was asked with: "reference", "customer", …; never the key itself
	Token []byte // of the key in the index of the campaign, 16 bytes; empty if it led to a notice
	Found Finding

	Verified   Verification // how the caller proved who they are; "" until then
	VerifiedAt time.Time
	Tries      int // answers that did not match

	// Told is what the caller was told: the state of the notice at that moment, or one
	// of ToldNotConcerned, ToldNotFound, ToldGeneral; "" until then.
	Told    string
	Cause   string // why they called, one of CallCauses
	Outcome string // one of CallOutcomes

	Escalated   string // one of Escalations, "" if it was not passed on
	EscalatedAt time.Time
	HandledBy   string // who took it from the queue, "" if it waits
	HandledAt   time.Time

	Gen int64 // for compare-and-set
}

// Open reports whether the call is under way.
func (c Call) Open() bool { return c.ClosedAt.IsZero() }

// Waiting reports whether the call waits in the queue of the lead.
func (c Call) Waiting() bool { return c.Escalated != "" && c.HandledAt.IsZero() }

// Finding is what a look-up came to.
type Finding string

// The findings. Whoever is found and not written to yet is told so by the state of
// the notice.
const (
	FoundNotice    Finding = "notice"        // a customer of the population
	FoundBystander Finding = "not-concerned" // in the directory, not in the population as of an import
	FoundNobody    Finding = "nobody"        // nobody has this key
	FoundMany      Finding = "many"          // several customers share it: another key is needed
	FoundReserved  Finding = "reserved"      // a customer whom only few may see
	FoundRefused   Finding = "refused"       // too many look-ups: nothing was looked up
)

// Verification is how a caller proves who they are. A campaign chooses which of them
// count.
type Verification string

// The verifications. None asks for data that was stolen.
const (
	ByCRM       Verification = "crm"       // verified in the company's own system
	ByReference Verification = "reference" // read out the reference of a letter
	ByCallback  Verification = "callback"  // answered at the number on file
	ByValues    Verification = "values"    // knew values of the directory that were not stolen
)

// Verifications lists them in the order in which they are offered.
func Verifications() []Verification {
	return []Verification{ByCRM, ByReference, ByCallback, ByValues}
}

// What somebody was told who is not to be told a state.
const (
	ToldNotConcerned = "not-concerned" // as of the import of the call
	ToldNotFound     = "not-found"
	ToldGeneral      = "general" // the caller was not verified
)

// CallCauses are the reasons to call, as the floor counts them.
func CallCauses() []string {
	return []string{"concerned", "data", "genuine", "not-received", "advice", "correction", "complaint", "phishing", "rights", "press", "other"}
}

// CallOutcomes are what a call ends with.
func CallOutcomes() []string {
	return []string{"answered", "general", "written", "passed-on", "call-back", "hung-up"}
}

// Escalations are why a call waits for the lead. The last ones are the program's.
func Escalations() []string {
	return []string{"vip", "press", "lawyer", "vulnerable", "deceased", "other", EscalatedWritten, EscalatedLocked, EscalatedQuota}
}

// Escalations that nobody chooses.
const (
	EscalatedWritten = "written" // an answer in writing that the company's own system has to send
	EscalatedLocked  = "locked"  // too many wrong answers about one customer
	EscalatedQuota   = "quota"   // an agent has looked up more than calls explain
	EscalatedRecall  = "recall"  // who was told that they are not concerned was called back
)

// CallStep is something that happened in a call. Steps are appended and never
// changed.
type CallStep struct {
	ID     int64
	Call   int64
	At     time.Time
	Agent  string
	Kind   string // one of the Step constants, or one of another part of the console
	Code   string // a short code: of what, with what result
	Detail string // ids and codes; nothing personal
	Sealed []byte // free text, sealed under the keys of the campaign: CallSealContext
}

// Kinds of steps.
const (
	StepLookUp    = "look-up"   // Code: the Finding, Detail: the kind of key
	StepChoice    = "choice"    // one customer in several campaigns; Detail: which, ids and tokens
	StepChosen    = "chosen"    // one of several campaigns was chosen; Code: the Finding, Detail: the campaign
	StepVerified  = "verified"  // Code: the Verification
	StepMismatch  = "mismatch"  // Code: the Verification that did not match
	StepLetter    = "letter"    // the letter of an attempt was shown or fetched
	StepUnmasked  = "unmasked"  // Code: what was shown in full
	StepCompared  = "compared"  // an address that the caller stated; Code: email or post, Detail: match or no-match
	StepCopy      = "copy"      // Code: the channel, Detail: the notice
	StepRerouted  = "rerouted"  // what is planned goes by post
	StepProposed  = "proposed"  // a correction waits for a second person; Detail: its number
	StepMarked    = "marked"    // Code: the flag
	StepPulled    = "pulled"    // a letter was taken out of a print run; Code: which
	StepByHand    = "by-hand"   // a letter has to be pulled by hand; Code: print run and position
	StepGone      = "gone"      // letters had left; Code: how many
	StepEscalated = "escalated" // Code: why
	StepHandled   = "handled"   // the lead took it; Sealed: what came of it
	StepNote      = "note"      // Sealed
	StepWritten   = "written"   // an answer in writing to the address on file
	StepAnswer    = "answer"    // an answer of the questions and answers was given; Code: which, Detail: its version
	StepGenuine   = "genuine"   // what somebody received was compared with what was sent; Code: the result
	StepClosed    = "closed"    // Code: the outcome
)

// CallSealContext is the associated data of what is sealed in a step of a call.
func CallSealContext(call int64) []byte {
	b := append(make([]byte, 0, 32), "art34/call/1\x00"...)
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(call>>shift))
	}
	return b
}

// Quota bounds what an agent looks up, by whichever way they come: on the pages and
// through any program (LoginOf). Zero is no bound.
type Quota struct {
	Hour, Day int
	Now       time.Time
	// Shared bounds all agents of one program together, whose names begin so up to
	// their first slash: "token:crm/". "" bounds nobody.
	Shared     string
	SharedHour int
}

// LongestCall is how long a call that nobody ends can be looked at, and looked up in.
const LongestCall = 4 * time.Hour

// Bound is how many look-ups there may be within a time.
type Bound struct {
	Most   int
	Over   time.Duration
	Shared bool // counted of all whose names begin with Quota.Shared
}

// Bounds are those that a quota sets.
func (q Quota) Bounds() []Bound {
	all := []Bound{{q.Hour, time.Hour, false}, {q.Day, 24 * time.Hour, false}}
	if q.Shared != "" {
		all = append(all, Bound{q.SharedHour, time.Hour, true})
	}
	return slices.DeleteFunc(all, func(b Bound) bool { return b.Most <= 0 })
}

// CallFilter selects calls. Zero fields select everything.
type CallFilter struct {
	Campaign int64
	Agent    string
	Notice   int64
	Told     string
	Waiting  bool // in the queue of the lead
	Open     bool
	Since    time.Time // opened then or later
}

// CallCount counts calls that were opened in an hour.
type CallCount struct {
	Hour    time.Time // its beginning
	Cause   string    // "" of calls that say none yet
	Outcome string    // "" of calls under way
	Count   int64
}

// CallTold counts calls that were opened in an hour by what they came to.
type CallTold struct {
	Hour  time.Time
	Told  string // as Call.Told; of a call in which nobody was found, the Finding
	Count int64
}

// Proposal is a corrected address that waits for a second pair of eyes.
type Proposal struct {
	ID        int64
	Call      int64
	Campaign  int64
	Notice    int64
	What      Channel // whose address: Email or Post
	Sealed    []byte  // the new address; associated data: ProposalSealContext
	Reason    string
	AskedBy   string
	AskedAt   time.Time
	State     ProposalState
	DecidedBy string
	DecidedAt time.Time
	Note      string    // why it was refused, or what kept it from being applied
	AppliedAt time.Time // of an accepted one: since when it is in force; zero: not yet
}

// ProposalState says where a proposal stands. The ledger repeats the list as a CHECK
// constraint.
type ProposalState string

// The states of a proposal.
const (
	ProposalWaiting  ProposalState = "waiting"  // somebody else decides
	ProposalAccepted ProposalState = "accepted" // in force since AppliedAt; the console applies what is not yet
	ProposalRefused  ProposalState = "refused"
	ProposalFailed   ProposalState = "failed" // accepted, and could not be applied; or a later one took its place
)

// ProposalReplaced is the note of a proposal that failed because another for the same
// address was asked for before anybody decided: of two only the later is right.
const ProposalReplaced = "replaced"

// ProposalSealContext is the associated data of the address of a proposal, which has
// no number yet when it is sealed.
func ProposalSealContext(call int64, at time.Time) []byte {
	b := append(make([]byte, 0, 40), "art34/proposal/1\x00"...)
	for _, v := range []int64{call, at.UnixMicro()} {
		for shift := 56; shift >= 0; shift -= 8 {
			b = append(b, byte(v>>shift))
		}
	}
	return b
}
