package intake

// Effect says what a finding does.
type Effect string

const (
	Reject  Effect = "reject"   // the row is not taken
	Hold    Effect = "hold"     // a person has to look at the notice
	NoEmail Effect = "no-email" // the e-mail address is not used
	NoPost  Effect = "no-post"  // the postal address is not used
	Drop    Effect = "drop"     // this value is not used
	Note    Effect = "note"     // repaired, or only counted
)

// Code is one thing that can be wrong with a row or a record.
type Code struct {
	Code     string
	Effect   Effect
	Sentence string
}

// Codes returns the table of everything that intake finds, in order of effect.
func Codes() []Code { panic("not yet") }
