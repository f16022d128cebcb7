package pipeline

// Message is an e-mail ready to be handed over: rendered to bytes before the
// first command is sent, so that nothing can fail in the middle of DATA.
type Message struct {
	From  string // signed return path (VERP), RFC 5321 MAIL FROM
	To    string // one recipient, domain in ASCII
	ID    string // Message-ID with angle brackets: a function of notice and attempt
	EnvID string // RFC 3461 ENVID, no personal data
	Body  []byte // RFC 5322 message, CRLF line ends, not dot-stuffed
	// Letter is the hash of the block tree, see Letter.Hash.
	Letter [32]byte
	// Told is the newest import whose impacts the letter tells, and Renderer the
	// version of what made the bytes; both are recorded with the attempt.
	Told     int64
	Renderer string
}

// Phase says how far a hand-over got.
type Phase string

const (
	PhaseAccepted Phase = "accepted" // 250 to the final dot
	PhaseRefused  Phase = "refused"  // the relay answered no for this recipient or message; Outcome says what it means
	PhaseUnsent   Phase = "unsent"   // nothing was taken, through no fault of the notice (connection, greeting, TLS, AUTH, 421, write error before the dot)
	PhaseDoubtful Phase = "doubtful" // the dot was sent and no answer came
)

// Answer is what became of one hand-over.
type Answer struct {
	Phase    Phase
	Outcome  Outcome // of PhaseRefused
	Code     int     // SMTP reply code, 0 without one
	Enhanced string  // RFC 3463 status code, "" without one
	Reply    string  // text of the reply with addresses taken out, at most 200 bytes
	QueueID  string  // the relay's queue id, if it gave one
	// Broken says that the connection must not be used again.
	Broken bool
	// Policy says that the whole relay refuses us (authentication, MAIL FROM):
	// the breaker for the relay, not for a provider.
	Policy bool
}
