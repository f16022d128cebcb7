package console

import (
	"context"
	"io"
	"time"

	"github.com/art34/art34/pipeline"
)

// Inspection reads what is about single notices. Nothing of it names a person: who
// somebody is shows on the pages of the cell.
type Inspection interface {
	// Notices lists what stands in a state for a reason, a page at a time.
	Notices(ctx context.Context, campaign string, f NoticeFilter) (NoticePage, error)
	// NoticeCSV writes all of them as a table.
	NoticeCSV(ctx context.Context, campaign string, f NoticeFilter, to io.Writer) error
	// NoticeOf is the notice of a customer number, or pipeline.ErrNotFound.
	NoticeOf(ctx context.Context, campaign, customer string) (int64, error)
	// Outlook is what the launch would do, and how long it would take.
	Outlook(ctx context.Context, campaign string) (Outlook, error)
	// Submission is what was handed in for approval since the last one, if anything.
	Submission(ctx context.Context, campaign string) (Submission, error)
	// Rejects opens the list of rows that an import refused, or of what it found in the
	// others.
	Rejects(ctx context.Context, campaign, name string) (io.ReadCloser, error)
}

// NoticeFilter chooses notices. Any is without a reason.
type NoticeFilter struct {
	State  pipeline.State
	Reason string
	Any    bool
	After  int64
	Limit  int
	VIP    bool // customers whom only few may see are named too
}

// NoticeLine is a notice without its person.
type NoticeLine struct {
	ID        int64
	Reference string // "" where the keys are gone, and of a customer whom only few may see
	Role      pipeline.Role
	State     pipeline.State
	Channel   pipeline.Channel
	Provider  string
	Locale    string
	Reason    string
	Attempt   int
	Kind      pipeline.AttemptKind
	Since     time.Time
	Due       time.Time
}

// NoticePage is some of them; Next is where the following page begins, 0 at the end.
type NoticePage struct {
	Lines []NoticeLine
	Next  int64
}

// Outlook is a forecast.
type Outlook struct {
	Emails, Letters, Pages, Sheets, Runs int64
	EmailTime                            time.Duration
	Providers                            []ProviderOutlook // longest first
	Days                                 []int64           // e-mails of the first day, the second, …
	Bounces, Fallbacks, FallbackSheets   int64
	AssumedFailed, AssumedDead           float64
	Hours                                string
	CutOff                               string
	RunSize                              int
}

// ProviderOutlook is the part of one mailbox provider.
type ProviderOutlook struct {
	Provider string
	Emails   int64
	Time     time.Duration // by its own limit; 0: none
}

// PaceOutlook is how long what is left takes with a pacing.
type PaceOutlook struct {
	Emails    int64
	Time      time.Duration     // of all; 0: nothing bounds it but the relay
	Providers []ProviderOutlook // most e-mails first
}

// Submission says that a campaign is ready to be approved.
type Submission struct {
	By     string // "": nothing was handed in
	At     time.Time
	Reason string
	Hash   string
	Now    string // hash of what an approval would freeze now
	Same   bool   // what was handed in is what is there
	Tied   Tied   // why who asks is no second person

	Approved int // the version that has frozen exactly this already; 0: none
}

// Returning takes in letters that came back.
type Returning interface {
	// ReturnReasons lists the codes, those first that mean a bad address.
	ReturnReasons() []string
	// Return records returned mail, or only says what would follow.
	Return(ctx context.Context, campaign string, r Returns) (Returned, error)
}

// Returns are letters that came back: typed or scanned lines, or a list.
type Returns struct {
	Lines   string
	List    []byte // a file of the print shop; nil: Lines
	Reason  string // of lines that give none
	On      string // YYYY-MM-DD; "": now
	Bag     string
	Counted int
	Dry     bool
}

// Returned is what became of them.
type Returned struct {
	Lines, Recorded, Already, Revoked int
	Read, Counted                     int // letters of the bag, and what somebody counted
	Letters                           []ReturnedLetter
	Rejected                          []ReturnedLine
	Notes                             []string
}

// ReturnedLetter is a letter that came back. Result is email, unreachable, recorded
// or already.
type ReturnedLetter struct {
	Reference, Run string
	Seq            int
	Reason, Result string
}

// ReturnedLine is a line that nobody could read.
type ReturnedLine struct {
	Line           int
	Sentence, Hint string
}
