package letter

import "github.com/art34/art34/pipeline"

// Severity says what a finding stops.
type Severity string

const (
	Block Severity = "block" // the campaign: a letter or the campaign's texts are at fault
	Hold  Severity = "hold"  // this notice: its own data are at fault
	Warn  Severity = "warn"  // nothing; a person should look
)

// Finding is one thing that a rule has found. It holds no personal data.
type Finding struct {
	Code     string // of the rule: "L05"; stable, for scripts
	Severity Severity
	File     string // of the letters, or "campaign.yaml"; "" where there is none
	Line     int    // from 1; 0 where there is none
	Sentence string // what is wrong, without a full stop
	Hint     string // what to do about it
}

// Lint checks letters, catalogue and the campaign's texts, without customers.
// Findings come in order of file, line, code.
func (s *Set) Lint() []Finding { panic("letter: not built yet") }

// LintLetter checks one rendered letter against the notice that it was made from,
// and its text and HTML against each other.
func (s *Set) LintLetter(r Request, l *pipeline.Letter) []Finding { panic("letter: not built yet") }
