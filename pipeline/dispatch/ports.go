package dispatch

import (
	"context"
	"iter"
	"time"

	"github.com/art34/art34/pipeline"
)

// Ledger is what this package needs of the ledger; ledger.Ledger says what each
// method does.
type Ledger interface {
	CampaignKeeper
	Mover
	RunKeeper
	Finder

	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error)
}

// CampaignKeeper keeps campaigns, breakers and the audit trail.
type CampaignKeeper interface {
	Campaign(ctx context.Context, name string) (pipeline.Campaign, error)
	AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error)
	UpdateCampaign(ctx context.Context, c pipeline.Campaign, from []pipeline.CampaignState, a pipeline.Audit) error
	OpenBreaker(ctx context.Context, b pipeline.Breaker) error
	CloseBreaker(ctx context.Context, campaign int64, scope string, a pipeline.Audit) error
	Breakers(ctx context.Context, campaign int64) ([]pipeline.Breaker, error)
	Append(ctx context.Context, a pipeline.Audit) error
}

// Mover moves notices.
type Mover interface {
	TakeDue(ctx context.Context, t pipeline.Take) ([]pipeline.Ticket, error)
	PeekDue(ctx context.Context, campaign int64, ch pipeline.Channel, format string, now time.Time, after pipeline.PeekPosition, limit int) ([]pipeline.Job, error)
	Load(ctx context.Context, tickets []pipeline.Ticket) ([]pipeline.Job, error)
	Requeue(ctx context.Context, tickets []pipeline.Ticket, now time.Time) (int, error)
	Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error)
	Record(ctx context.Context, events []pipeline.Event) error
}

// RunKeeper keeps print runs.
type RunKeeper interface {
	CutRun(ctx context.Context, r pipeline.Run, items []pipeline.RunItem, members []pipeline.Change) (pipeline.Run, error)
	AddToRun(ctx context.Context, id int64, items []pipeline.RunItem, members []pipeline.Change) error
	CloseRun(ctx context.Context, id int64) error
	Run(ctx context.Context, id int64) (pipeline.Run, error)
	Runs(ctx context.Context, campaign int64) ([]pipeline.Run, error)
	RunItems(ctx context.Context, id int64) ([]pipeline.RunItem, error)
	RunJobs(ctx context.Context, id int64) ([]pipeline.Job, error)
	UpdateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error
	DrawRun(ctx context.Context, id int64, letters []pipeline.Drawn) error
	AssembleRun(ctx context.Context, r pipeline.Run, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error
}

// Finder finds what is left behind and what comes next, and keeps leases.
type Finder interface {
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, owner string) error
	Orphans(ctx context.Context, limit int) ([]pipeline.Notice, error)
	StaleQueued(ctx context.Context, movedBefore time.Time, limit int) ([]pipeline.Ticket, error)
	RequeueAll(ctx context.Context, now time.Time) (int64, error)
	Expired(ctx context.Context, campaign int64, s pipeline.State, now time.Time, limit int) ([]pipeline.Notice, error)
	Tally(ctx context.Context, campaign int64) ([]pipeline.Tally, error)
	NextDue(ctx context.Context, campaign int64) (map[pipeline.Channel]time.Time, error)
	CountDue(ctx context.Context, campaign int64, now time.Time, cap int, on ...pipeline.Channel) ([]pipeline.DueCount, error)
	Reasons(ctx context.Context, campaign int64, s pipeline.State) (map[string]int64, error)
	Answers(ctx context.Context, campaign int64) ([]pipeline.Answers, error)
	Notice(ctx context.Context, id int64) (pipeline.Job, error)
	Attempts(ctx context.Context, notice int64) ([]pipeline.Attempt, error)
	Each(ctx context.Context, f pipeline.Filter) iter.Seq2[pipeline.Job, error]
}

// Queue carries tasks; queue.Queue says what each method does.
type Queue interface {
	Enqueue(ctx context.Context, t pipeline.Task) error
	Unfinished(ctx context.Context, tasks []pipeline.Task) ([]bool, error)
	Backlog(ctx context.Context, kind string) (int, error)
	Epoch(ctx context.Context) (value string, fresh bool, err error)
	Serve(drain, kill context.Context, kind string, concurrency int, h func(ctx context.Context, t pipeline.Task)) error
}

// Specs gives the campaign.yaml of the version in force (c.Version). It is asked
// a few times a second, so it should remember.
type Specs interface {
	Spec(ctx context.Context, c pipeline.Campaign) (*pipeline.Spec, error)
}

// Composer opens, renders and builds the e-mail of a notice, dated at. An error
// that is pipeline.ErrAway or of ctx puts the notice back; any other holds it
// with the code of the error. It is safe for concurrent use.
type Composer interface {
	Compose(ctx context.Context, job pipeline.Job, c pipeline.Campaign, at time.Time) (*pipeline.Message, error)
}

// Relay opens connections. An error whose *pipeline.Error is Permanent means that
// the relay refuses us until somebody changes something; any other that it is
// away.
type Relay interface {
	Dial(ctx context.Context) (Conn, error)
}

// Conn hands over one message after the other. The end of ctx closes the socket.
// next is the message that follows, if it is known: its envelope may travel with
// the content of m. It has to be sent next, or the connection closed.
type Conn interface {
	Send(ctx context.Context, m, next *pipeline.Message) pipeline.Answer
	Close() error
}

// Press lays out and draws letters. It is safe for concurrent use.
type Press interface {
	// Measure renders and lays out one letter dated at, without keeping it. Errors
	// are taken as those of Composer.
	Measure(ctx context.Context, job pipeline.Job, c pipeline.Campaign, at time.Time) (Sheet, error)
	// Draw writes the file of a run and its manifest, named by the run and with the
	// same bytes every time, and returns when both are durable. letters come in order
	// of Seq. A letter that cannot be drawn is left out of the file and listed in
	// Drawn.Unfit.
	Draw(ctx context.Context, run pipeline.Run, c pipeline.Campaign, letters []RunLetter) (Drawn, error)
	// Remove destroys the files of a run, if there are any.
	Remove(ctx context.Context, run pipeline.Run) error
}

// Sheet says what a letter takes.
type Sheet struct {
	Pages, Sheets int
	Class         string // one class of sheets and envelope a run
	Profile       string // envelope profile
	Sort          string // position in a run: country and postcode, then whatever the print shop wants
	Letter        [32]byte
	Told          int64 // newest import whose impacts the letter tells
	Renderer      string
}

// RunLetter is one letter of a run that is to be drawn.
type RunLetter struct {
	Item pipeline.RunItem
	Job  pipeline.Job
}

// Drawn says what is in the file of a run.
type Drawn struct {
	File   string // base name, in DIR/print-runs
	SHA256 string // hex, of the file as it is handed over
	Pages  int    // with blank backs
	Items  []DrawnItem
	Unfit  []Unfit
}

// DrawnItem is the place of one letter in the file.
type DrawnItem struct {
	Seq, FirstPage, Pages int
	Hash                  [32]byte // of what is on its pages: pipeline.Attempt.Bytes
}

// Unfit is a letter that could not be drawn, with the code of the reason.
type Unfit struct {
	Seq  int
	Code string
}
