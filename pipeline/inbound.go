package pipeline

import "time"

// Inbound is one message that came back for one recipient, as it is kept: raw and
// sealed, with what became of it. In clear are codes, ids and times only.
type Inbound struct {
	ID int64 // given by the ledger
	// Key is a keyed hash of what makes the message the same one when it comes
	// again, by whatever way: 32 bytes.
	Key    [32]byte
	Source InboundSource
	At     time.Time // of receipt, by the business clock
	Sealed []byte    // message and envelope; not read with lists

	State   InboundState
	Notice  int64 // 0: of nobody we know
	Attempt int
	Kind    string // what sort of message it is: a feedback.Kind
	Outcome Outcome
	Code    string // status code or reason
	// JudgedAt is by the business clock; zero before. Rules is the version of the
	// rules that judged.
	JudgedAt time.Time
	Rules    int
	// ForwardedAt is when the cell got it; it stays when the message is judged again.
	ForwardedAt time.Time
}

// InboundSource says how a message came.
type InboundSource string

const (
	FromLMTP    InboundSource = "lmtp"
	FromSMTP    InboundSource = "smtp"
	FromIMAP    InboundSource = "imap"
	FromMaildir InboundSource = "maildir"
	FromMbox    InboundSource = "mbox"
	FromFile    InboundSource = "file"
	FromSES     InboundSource = "ses"
	FromMailgun InboundSource = "mailgun"
)

// InboundState says what became of a message that came back. The ledger repeats
// the list as a CHECK constraint.
type InboundState string

const (
	// InboundPending waits to be judged; also when its notice is on its way at this
	// moment, or the cell's mailbox cannot be reached.
	InboundPending InboundState = "pending"
	// InboundApplied moved its notice.
	InboundApplied InboundState = "applied"
	// InboundRecorded stands in the timeline of its notice, or says nothing that
	// would have to (an absence, a probe), and moved nothing.
	InboundRecorded InboundState = "recorded"
	// InboundForwarded was recorded and sent on to the cell's mailbox.
	InboundForwarded InboundState = "forwarded"
	// InboundQuarantined claims to be about a notice and is not signed by us: forged
	// or mutilated. It changed nothing.
	InboundQuarantined InboundState = "quarantined"
	// InboundUnmatched carries nothing that says whom it is about.
	InboundUnmatched InboundState = "unmatched"
	// InboundGarbage is ours by its address and says nothing that is understood. A
	// person should look.
	InboundGarbage InboundState = "garbage"
)

// InboundStates lists the states in the order in which they are reported.
func InboundStates() []InboundState {
	return []InboundState{InboundPending, InboundApplied, InboundRecorded, InboundForwarded, InboundQuarantined, InboundUnmatched, InboundGarbage}
}

// InboundFilter selects messages that came back.
type InboundFilter struct {
	States []InboundState // empty: all
	Kinds  []string       // empty: all
	Notice int64          // 0: all
	After  int64          // ID above
	Limit  int            // 0: no limit
	Raw    bool           // with Sealed
}

// InboundCount counts messages that agree in state and kind.
type InboundCount struct {
	State InboundState `json:"state"`
	Kind  string       `json:"kind"`
	Count int64        `json:"count"`
}
