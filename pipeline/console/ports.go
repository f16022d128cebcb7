package console

import (
	"context"
	"io"
	"time"

	"github.com/art34/art34/pipeline"
)

// Users is where accounts and logins are kept; package ledger says what each method
// does.
type Users interface {
	Access
	CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error)
	UpdateUser(ctx context.Context, u pipeline.User, a ...pipeline.Audit) (pipeline.User, error)
	User(ctx context.Context, login string) (pipeline.User, error)
	UserOf(ctx context.Context, source, subject string) (pipeline.User, error)
	AllUsers(ctx context.Context) ([]pipeline.User, error)
	Append(ctx context.Context, a pipeline.Audit) error
	SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error)
}

// Access is where embargoes and the tokens of programs are kept; package ledger says
// what each method does.
type Access interface {
	Embargoes(ctx context.Context) ([]pipeline.Embargo, error)
	SetEmbargo(ctx context.Context, e pipeline.Embargo, a pipeline.Audit) (pipeline.Embargo, error)
	CreateToken(ctx context.Context, t pipeline.APIToken, a pipeline.Audit) (pipeline.APIToken, error)
	AllTokens(ctx context.Context) ([]pipeline.APIToken, error)
	RevokeToken(ctx context.Context, name string, at time.Time, a pipeline.Audit) error
}

// Answers is what programs have asked, and were told.
type Answers interface {
	TokenOf(ctx context.Context, hash [32]byte) (pipeline.APIToken, error)
	TouchToken(ctx context.Context, id int64, at time.Time) error
	Remember(ctx context.Context, r pipeline.Remembered) (pipeline.Remembered, bool, error)
	Recall(ctx context.Context, token int64, key [32]byte) (pipeline.Remembered, error)
	Answered(ctx context.Context, r pipeline.Remembered) error
	Forget(ctx context.Context, r pipeline.Remembered) error
	ForgetAnswers(ctx context.Context, before time.Time) error
}

// Ledger is what the console reads and keeps by itself.
type Ledger interface {
	Users
	Answers
	Trail
	FloorLedger
	AddSession(ctx context.Context, s pipeline.Session) error
	Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error)
	TouchSession(ctx context.Context, s pipeline.Session) error
	EndSession(ctx context.Context, hash [32]byte) error
	SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error

	Meta(ctx context.Context, key string) (string, error)

	Campaign(ctx context.Context, name string) (pipeline.Campaign, error)
	AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error)
}

// Sealer keeps secrets of the installation, bound to what aad names.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
	// MAC is a keyed hash of parts that a label sets apart from all others.
	MAC(label string, parts ...[]byte) [32]byte
}

// Company is the identity provider of the company: it vouches for people, and says
// in which groups they are.
type Company interface {
	// Name is the source of its accounts: the issuer.
	Name() string
	// Begin returns the address at the provider where somebody logs in.
	Begin(ctx context.Context, f Flow) (string, error)
	// Finish makes an identity of what the provider sent back. A reply that does not
	// belong to the flow, or that does not verify, is a *pipeline.Error "oidc-refused";
	// a provider that does not answer is one with pipeline.ErrAway as cause.
	Finish(ctx context.Context, f Flow, r Reply) (Identity, error)
	// End returns the address where a login ends at the provider too, "" without one.
	End(ctx context.Context, back string) string
}

// Flow is a login on its way through the provider. The browser carries it, sealed.
type Flow struct {
	State, Nonce, Verifier string
	Fresh                  bool // the provider has to ask for the password again
	Began                  time.Time
	Next                   string   // where to go afterwards
	User                   int64    // of Fresh: who has to come back
	Session                [32]byte // hash of the login that ends; zero: none
}

// Reply is what the provider sends back by way of the browser.
type Reply struct{ State, Code, Issuer, Error string }

// Identity is somebody for whom the provider vouches.
type Identity struct {
	Subject string // who they are there, for ever
	Login   string // as they are called there; a wish
	Name    string
	Groups  []string
	Strong  bool // it saw a second factor
}

// Board reads what is known about a campaign.
type Board interface {
	// Figures are read by cheap queries, whatever the size of the campaign.
	Figures(ctx context.Context, c pipeline.Campaign) (Figures, error)
	// Planned counts what is planned, by day; it takes a second or so a million.
	Planned(ctx context.Context, c pipeline.Campaign) ([]pipeline.Planned, error)
	// Zone is the time zone in which a campaign dates and sends its letters, and
	// Planned its days; nil: not known.
	Zone(ctx context.Context, c pipeline.Campaign) *time.Location
}

// Figures are a campaign at one moment. The states sum to the population.
type Figures struct {
	Balance     pipeline.Balance
	Counters    pipeline.Counters
	PerSecond   float64   // attempts, lately; 0: nothing moves or nobody works
	ExpectedEnd time.Time // of the e-mails; zero: cannot be said
	Due         []pipeline.DueCount
	Coming      map[pipeline.Channel]int64 // due within the next day, and not yet
	CutOff      time.Time                  // of the next print run; zero: as letters come
	Answers     []pipeline.Answers
	Blocked     []Blockage
	Missing     []string // ledger, queue, relay, or service: what is not there
	Breakers    []pipeline.Breaker
	Versions    []pipeline.Version // without content, oldest first
	Held        map[string]int64   // reason → notices
	Unreachable map[string]int64
	Runs        []pipeline.Run

	Paces    map[string]Pace // by channel, and by "provider:NAME"
	Outside  pipeline.Outside
	WayBack  []WayBack
	Attempts map[int]int64 // version → attempts
	Imports  []ImportDone
	Latest   []pipeline.Audit // newest first
}

// ImportDone is an import in force.
type ImportDone struct {
	pipeline.Import
	Rejected int64  // rows
	List     string // name of their list, for Inspection.Rejects
}

// Pace is how fast something goes. Done counts since the beginning.
type Pace struct {
	Left, Done int64
	PerSecond  float64   // lately; 0: nothing moves, or it was not looked at for long enough
	Limit      float64   // a second; 0: none of its own
	End        time.Time // zero: cannot be said
}

// WayBack says whether what comes back from a domain of return paths reaches us.
type WayBack struct {
	Domain           string
	Proven           bool
	LoopAt, BounceAt time.Time // a message to ourselves, and a bounce, last came back
	Code, Why        string    // what is missing: nobody, unsent, relay, loop, refused, bounce
}

// Blockage says why notices that are due do not go. Code is as in `art34 status`:
// "paused", "hours", "breaker:provider:orange", …
type Blockage struct {
	Code    string
	Notices int64
}

// Desk does what people decide, in their name.
type Desk interface {
	As(actor string) Operations
}

// Operations is everything that changes campaigns. Errors are *pipeline.Error;
// each deed is on record with its reason.
type Operations interface {
	Controls
	Printing
	Preparation
	Writing
	Inspection
	Returning
	Rehearsing
}

// Controls lets a campaign go, and stops it.
type Controls interface {
	// Launch starts an approved campaign at a time (zero: now); with canary above 0
	// it pauses after so many were accepted.
	Launch(ctx context.Context, campaign string, at time.Time, canary int, reason string) error
	Pause(ctx context.Context, campaign, reason string) error
	Resume(ctx context.Context, campaign, reason string) error
	Cancel(ctx context.Context, campaign, reason string) (Moved, error)
	SetPacing(ctx context.Context, campaign string, p pipeline.EmailPolicy, reason string) error
	// PaceOutlook says how long what is left would take with a pacing, if the relay
	// keeps up.
	PaceOutlook(ctx context.Context, campaign string, p pipeline.EmailPolicy) (PaceOutlook, error)
	// ReleaseBreaker closes "relay", "provider:NAME", ….
	ReleaseBreaker(ctx context.Context, campaign, scope, reason string) error
	// Resolve decides about all doubts: send again, or hold.
	Resolve(ctx context.Context, campaign string, send bool, reason string) (Moved, error)
	// Cohort holds, releases or excludes customers.
	Cohort(ctx context.Context, campaign string, verb Verb, c Cohort, reason string) (Moved, error)
}

// Verb is what is done to a cohort.
type Verb string

// The verbs.
const (
	Hold    Verb = "hold"
	Release Verb = "release"
	Exclude Verb = "exclude"
)

// Cohort is customers by their numbers, or all with a flag.
type Cohort struct {
	Customers []string
	Flag      string
}

// Moved counts what came of it.
type Moved struct {
	Moved    int64
	Skipped  int64    // in a state that does not allow it, or so already
	NotFound []string // customer numbers that nobody in the campaign has
}

// Printing moves print runs.
type Printing interface {
	ReleaseRun(ctx context.Context, id int64, reason string) error
	// Acknowledge records a deposit; rejected says which positions were spoiled, and
	// by which code.
	Acknowledge(ctx context.Context, id int64, d pipeline.Deposit, rejected map[int]string) error
	// TakeBack voids a run before its release, and recalls it afterwards.
	TakeBack(ctx context.Context, id int64, reason string) error
	// OpenRun opens the file of a run as it was assembled; its hash was compared.
	OpenRun(ctx context.Context, id int64) (RunFile, error)
}

// RunFile is the file of a print run.
type RunFile struct {
	Name    string
	Size    int64
	Content io.ReadCloser
}

// Preparation brings a campaign from nothing to its approval.
type Preparation interface {
	// New makes a draft of a campaign.yaml and the logos that it names.
	New(ctx context.Context, name string, campaignYAML []byte, logos map[string][]byte) error
	// Import reads lists that were put down with Receive, and removes them. unmatched is
	// how many customers may be in no directory.
	Import(ctx context.Context, campaign string, lists []List, replace bool, unmatched int64) (Imported, error)
	// Receive puts a list that somebody sends down for Import, under a name that only
	// this installation can read.
	Receive(ctx context.Context, role, name string, from io.Reader) (List, error)
	// Discard removes lists that were received and that no import will read.
	Discard(lists []List) error
	Check(ctx context.Context, campaign string) (Checked, error)
	// LastCheck is the verdict of the last check, also of one that this console did not
	// make.
	LastCheck(ctx context.Context, campaign string) (Verdict, error)
	// Samples returns notices that differ in what shows in a letter, and Proof one of
	// them as it would go out.
	Samples(ctx context.Context, campaign string, n int) ([]Sample, error)
	Proof(ctx context.Context, campaign string, notice int64) (Proof, error)
	// Submit says that the campaign is ready to be approved, as it is now.
	Submit(ctx context.Context, campaign, reason string) error
	// Approve freezes what was submitted, if it is what the approver has seen, as
	// Submission.Now said it then. It is refused to whoever had a hand in it.
	Approve(ctx context.Context, campaign, seen, reason string) error
}

// List is a list that was received.
type List struct {
	Role string // customers | impact
	Name string // as its sender called it
	Path string
}

// Imported is what an import did.
type Imported struct {
	NoChange bool
	Refused  string // why nothing was published; ""
	Missing  int64  // refused because so many customers are in no directory
	Manifest pipeline.Manifest
	Rejects  []Reject // the first of them
	List     string   // name of the list of all of them, for Inspection.Rejects
	Findings string   // the same for what was found in the other rows
	Kinds    []string // the campaign's catalogue, where the lists have data kinds that it does not
}

// Reject is a row that was not taken. It names no value.
type Reject struct{ File, Row, Column, Code, Sentence string }

// Checked is what a check found.
type Checked struct {
	Notices, Rendered int64
	Blocks, Warnings  []Finding
	// States and Roles count all notices, each once: both sum to Notices. Held and
	// Waiting say why notices are held: because of a defect, or of a person's flag.
	States               map[pipeline.State]int64
	Roles                map[pipeline.Role]int64
	Held, Waiting, Found map[string]int64
	Emails, Letters      int64
	EmailTime            time.Duration
	Sheets, Runs         int64
}

// Verdict is what is kept of a check.
type Verdict struct {
	Done   bool
	At     time.Time // zero: not known
	Blocks int
	Same   bool // it is of the texts and lists as they are now
}

// Finding is what a rule found.
type Finding struct {
	Code, File     string
	Line           int
	Sentence, Hint string
	Count          int64
	Excerpt        string // the line itself, where it is at hand
}

// Sample is a notice worth a look. Why says what is special about it: "longest",
// "large-print", "supplement", "copy", "abroad", "sender", "locale", "post", "represented".
type Sample struct {
	pipeline.Notice
	Why   []string
	Names map[string][]string // of its data kinds, per locale of the pages
	Held  map[string][]string // what its contracts are called, per locale of the pages
}

// Proof is one message as it would go out. Where a notice may go either way, both
// are there.
type Proof struct {
	Notice  pipeline.Notice
	Subject string
	From    string
	Text    string
	HTML    []byte // of the e-mail
	PDF     []byte // of the letter on paper
	Pages   int
	Paper   string // why there is no letter on paper; ""
}
