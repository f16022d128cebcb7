package letter

import (
	"io/fs"
	"time"

	"github.com/art34/art34/pipeline"
)

// Renderer is the version of everything in this package that can be seen in a
// letter. It is recorded with every attempt; raise it when the same input gives
// other bytes.
const Renderer = "letter/1"

// Set holds the letters of a campaign, parsed. It is safe for concurrent use.
type Set struct{}

// Load reads all letters of a campaign: the template that spec names, the
// supplement where there can be one, in every locale of the campaign. fsys holds
// the files named in the package comment. The error is a *LoadError that lists
// every fault with its file and line.
func Load(fsys fs.FS, spec *pipeline.Spec) (*Set, error) { panic("letter: not built yet") }

// Kinds lists the codes of the data kinds that the catalogue and the campaign
// know, in the order of the catalogue.
func (s *Set) Kinds() []string { panic("letter: not built yet") }

// Request asks for one letter.
type Request struct {
	Notice  pipeline.Notice // Role, Locale, Format and Sender matter
	Person  pipeline.Person // with its Reference
	Kind    pipeline.AttemptKind
	Channel pipeline.Channel
	Date    time.Time // of the letter; its calendar day counts, in its own location
	// FirstWritten is the day of the earlier message that a fallback or a copy
	// repeats and a supplement completes; zero if unknown: the letter then says so
	// without a date.
	FirstWritten time.Time
}

// Render writes the letter of a notice. It fails with a *pipeline.Error that
// concerns this customer alone (no name, nothing exposed, a data kind without
// wording, too long); errors hold no personal data.
func (s *Set) Render(r Request) (*pipeline.Letter, error) { panic("letter: not built yet") }

// Text is the letter as text/plain: UTF-8, lines of at most 76 columns that end in
// LF. A word is never broken, so a longer word makes a longer line.
func Text(l *pipeline.Letter) []byte { panic("letter: not built yet") }

// HTML is the letter as one HTML document: inline styles, one column, nothing
// that is fetched, no script.
func HTML(l *pipeline.Letter) []byte { panic("letter: not built yet") }
