// Package ledger is the contract of the durable truth: what must not be lost.
// Two engines keep it, ledger/sqlite and ledger/postgres, and one conformance
// suite, ledger/ledgertest, runs over both.
//
// Every method that writes is durable when it returns. Every method may fail with
// an error that is pipeline.ErrAway when the engine cannot be reached now; the
// caller waits and tries again, nothing was written. Errors hold no personal
// data. Methods are safe for concurrent use, also by several processes.
//
// Readers see published imports only: a notice of an import that is staged,
// discarded or replaced does not exist for any method but those of Importer.
//
// Times are kept to the microsecond, in UTC; the zero time means never. Lists of
// codes are sorted and hold no '|'. Iterators read page by page, each page from a
// snapshot of its own, so that a long one stands in nobody's way; a notice that
// moves meanwhile is seen once, as it was when its page was read.
package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/art34/art34/pipeline"
)

// Ledger is everything an engine does. Consumers declare the few methods that
// they need.
type Ledger interface {
	Campaigns
	Importer
	Mover
	Printer
	Keeper
	Reader
	Watcher
	Listener
	Corrector
	Inbox
	Users
	Access
	Calls
	Floor
	Writer

	// Meta reads and sets small facts of the installation: key check value, epoch
	// of the queue. Meta returns "" for an unknown key. SetMeta with if-empty only
	// sets a key that is not there, and returns the value in force.
	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error)
	// SwapMeta sets a fact that is still what it was read as ("" for an unknown key),
	// else pipeline.ErrConflict.
	SwapMeta(ctx context.Context, key, was, value string) error
	// Ping reports whether the engine answers.
	Ping(ctx context.Context) error
	Close() error
}

// Campaigns keeps campaigns, their versions, breakers and the audit trail.
type Campaigns interface {
	// CreateCampaign stores a draft. A name that is taken is pipeline.ErrExists.
	CreateCampaign(ctx context.Context, c pipeline.Campaign) (pipeline.Campaign, error)
	Campaign(ctx context.Context, name string) (pipeline.Campaign, error)
	AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error)
	// UpdateCampaign writes c if the campaign is in one of the states from, and
	// appends the audit entry in the same transaction; else pipeline.ErrConflict.
	// Name, Version and CreatedAt stay as they are: AddVersion sets the version, so
	// that who resumes with an old copy in hand does not bring back old letters.
	UpdateCampaign(ctx context.Context, c pipeline.Campaign, from []pipeline.CampaignState, a pipeline.Audit) error

	// AddVersion stores an approval as the next version (v.N is given by the
	// ledger), points the campaign to it and appends the audit entry. state is the
	// campaign's new state; from is the campaign as whoever approves has found it. If
	// its state or version is another by now, nothing is stored and the error is
	// pipeline.ErrConflict: an approval takes back no pause, and counts once.
	AddVersion(ctx context.Context, v pipeline.Version, from pipeline.Campaign, state pipeline.CampaignState, a pipeline.Audit) (pipeline.Version, error)
	Version(ctx context.Context, campaign int64, n int) (pipeline.Version, error)
	Versions(ctx context.Context, campaign int64) ([]pipeline.Version, error) // without Content, oldest first

	// OpenBreaker stores a breaker; one that is open in the same scope is replaced.
	OpenBreaker(ctx context.Context, b pipeline.Breaker) error
	// CloseBreaker removes a breaker and appends the audit entry. One that is closed
	// already is no error, and leaves no entry.
	CloseBreaker(ctx context.Context, campaign int64, scope string, a pipeline.Audit) error
	Breakers(ctx context.Context, campaign int64) ([]pipeline.Breaker, error)

	Append(ctx context.Context, a pipeline.Audit) error
	// AuditTrail yields the entries of a campaign; campaign 0 those of the
	// installation.
	AuditTrail(ctx context.Context, campaign int64) iter.Seq2[pipeline.Audit, error] // oldest first
	// LastAudits returns the newest entries, newest first.
	LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error)
	// Actions returns what was ever done in a campaign, and LastDeeds the newest entries
	// of some of that, newest first, however many others there are since.
	Actions(ctx context.Context, campaign int64) ([]string, error)
	LastDeeds(ctx context.Context, campaign int64, actions []string, limit int) ([]pipeline.Audit, error)
	// ByHand returns the entries of pipeline.ActionPullByHand, oldest first.
	ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error)
}

// Importer stages an import in short transactions and publishes it in one.
type Importer interface {
	// BeginImport stores an unpublished import. One with the same content that is
	// published and in force in this campaign is returned with pipeline.ErrExists.
	// ID is given by the ledger; what publishing sets is ignored.
	BeginImport(ctx context.Context, i pipeline.Import) (pipeline.Import, error)
	// ReserveIDs returns the first of n fresh notice ids in a row.
	ReserveIDs(ctx context.Context, n int) (first int64, err error)
	// Stage adds notices of an unpublished import. They come in order of ID; it is
	// fastest if Notice.Person ascends with it. One with an ID that is there already
	// is an error. Published imports take no more: pipeline.ErrConflict.
	Stage(ctx context.Context, importID int64, batch []pipeline.Staged) error
	// StageTokens adds tokens of an unpublished import. They come sorted by Hash,
	// then Notice, over the whole import; a repetition is no error.
	StageTokens(ctx context.Context, importID int64, batch []pipeline.Token) error
	// Publish makes the import visible at once, together with its manifest. With
	// replace, all other imports of the campaign end to be visible in the same
	// transaction; a campaign that was launched refuses that with pipeline.ErrConflict.
	// a.At becomes PublishedAt. An import that is published already is
	// pipeline.ErrConflict; one whose content was published meanwhile by somebody
	// else, and is in force, pipeline.ErrExists.
	Publish(ctx context.Context, importID int64, m pipeline.Manifest, replace bool, a pipeline.Audit) error
	// Discard removes an unpublished import with all that was staged, in short
	// transactions. Sweep does the same for imports that were replaced, and for
	// unpublished ones staged before a time (their process died). The row of a
	// replaced import stays for the record, that of a discarded one goes. A published
	// import is not discarded: pipeline.ErrConflict.
	Discard(ctx context.Context, importID int64) error
	Sweep(ctx context.Context, campaign int64, stagedBefore time.Time) error

	// People returns the primary notices of persons, by Notice.Person, that are in
	// force. Persons that are not there are missing from the map.
	People(ctx context.Context, campaign int64, persons [][]byte) (map[string]pipeline.Job, error)
	// Siblings returns the supplements in force of a primary notice, oldest first.
	Siblings(ctx context.Context, parent int64) ([]pipeline.Job, error)
	// Unmerged returns up to limit supplements of a published import, with ID above
	// after, in order; and Merged ends the absorption of the import: only then the
	// dispatcher may take its supplements.
	Unmerged(ctx context.Context, importID, after int64, limit int) ([]pipeline.Job, error)
	Merged(ctx context.Context, importID int64, at time.Time) error
	// Absorb gives the parent the sealed person of the change and removes the
	// supplement, in one transaction and by compare-and-set on both; tokens of the
	// supplement go to the parent; Import.Absorbed counts one. It reports false
	// when either has moved on, or when the two do not belong together (MayAbsorb:
	// the parent may be an older supplement that has not left yet).
	Absorb(ctx context.Context, parent pipeline.Change, supplement pipeline.Notice) (bool, error)

	// Imports returns all imports of a campaign, oldest first, replaced and
	// unpublished ones included.
	Imports(ctx context.Context, campaign int64) ([]pipeline.Import, error)
}

// Mover moves notices.
type Mover interface {
	// TakeDue moves up to t.Limit notices from Due to Queued, oldest DueAt first,
	// and returns their tickets. Two callers never get the same notice.
	// Supplements of imports that are not merged stay where they are.
	TakeDue(ctx context.Context, t pipeline.Take) ([]pipeline.Ticket, error)
	// PeekDue returns, without moving them, up to limit due notices of a channel
	// and format in order of country, area and ID, after the given position
	// (country, area, ID); the print role chooses from them.
	PeekDue(ctx context.Context, campaign int64, ch pipeline.Channel, format string, now time.Time, after pipeline.PeekPosition, limit int) ([]pipeline.Job, error)
	// Load returns the jobs of those tickets whose notice is still Queued in that
	// generation.
	Load(ctx context.Context, tickets []pipeline.Ticket) ([]pipeline.Job, error)
	// Requeue moves those notices that are still Queued in that generation back to
	// Due, and returns how many. now becomes MovedAt, by the real clock.
	Requeue(ctx context.Context, tickets []pipeline.Ticket, now time.Time) (int, error)
	// Commit applies each change by compare-and-set on (From.ID, From.Gen) and
	// reports which ones applied. Changes are independent of each other; all are
	// durable on return. Concurrent calls share transactions (group commit). A
	// change that CheckChange refuses fails the call; nothing is written then. Keep
	// batches to some hundreds: the others wait for a large one.
	//
	// A change writes the fields of To up to MovedAt; the rest (Provider to Defects,
	// not Born) only together with Sealed. Event.Into and Event.Channel are To's.
	// Attempt.Tries is the ledger's: 1, and one more each time the attempt starts
	// again (see Starts). With EvAccepted only Attempt.QueueID is stored, the rest
	// was fixed when the attempt started.
	Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error)
	// Record appends events that move nothing; Into and Channel are those of the
	// notice as it stands. An event that is a repetition (same notice, attempt, kind,
	// code and non-empty Detail) is stored once. One of a notice that is not there is
	// pipeline.ErrNotFound, and nothing of the call is stored.
	Record(ctx context.Context, events []pipeline.Event) error
}

// Printer keeps print runs.
type Printer interface {
	// CutRun stores a run with its members and moves them into Printing, all in one
	// transaction: if one member has moved on nothing is written and the error is
	// pipeline.ErrStale. items and members are parallel. The run's ID is given by
	// the ledger and set in the items and, with Seq, in the attempts of the members;
	// an EvCut without Detail gets the name of the run.
	//
	// A run of more than pipeline.RunSlice letters begins as RunFilling: AddToRun adds
	// members to it in the same way, as long as it is that, else pipeline.ErrConflict;
	// CloseRun makes it RunCut, with the letters that it has. Closing a run that is not
	// RunFilling changes nothing.
	CutRun(ctx context.Context, r pipeline.Run, items []pipeline.RunItem, members []pipeline.Change) (pipeline.Run, error)
	AddToRun(ctx context.Context, id int64, items []pipeline.RunItem, members []pipeline.Change) error
	CloseRun(ctx context.Context, id int64) error
	Run(ctx context.Context, id int64) (pipeline.Run, error)
	Runs(ctx context.Context, campaign int64) ([]pipeline.Run, error) // oldest first; campaign 0: all
	RunItems(ctx context.Context, id int64) ([]pipeline.RunItem, error)
	// RunJobs returns the members of a run in order of Seq, with their sealed
	// persons, whatever their state.
	RunJobs(ctx context.Context, id int64) ([]pipeline.Job, error)
	// UpdateRun writes r if it is in one of the states from, else pipeline.ErrConflict;
	// items and members change with it in one transaction (members by
	// compare-and-set; one that has moved on: pipeline.ErrStale).
	UpdateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error
	// DrawRun notes what the drawing says about some letters of a run in RunCut, else
	// pipeline.ErrConflict. If one is no longer Printing as it was drawn nothing is
	// written and the error is pipeline.ErrStale. Repeating it changes nothing: a run
	// is drawn in one way.
	DrawRun(ctx context.Context, id int64, letters []pipeline.Drawn) error
	// AssembleRun is UpdateRun for a run in RunCut; drawn are the letters in its file,
	// of which none may have moved on since they were drawn (pipeline.ErrStale).
	AssembleRun(ctx context.Context, r pipeline.Run, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error
}

// Keeper runs leases and finds what somebody left behind. Times are the
// database's where it is shared, the machine's where it is embedded.
type Keeper interface {
	// Lease takes or renews a named lease for an owner and reports whether the
	// owner has it. Other owners get it after ttl without renewal.
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, owner string) error
	// Orphans returns up to limit notices in Sending whose owner holds no live
	// lease named "courier/"+owner.
	Orphans(ctx context.Context, limit int) ([]pipeline.Notice, error)
	// StaleQueued returns tickets of up to limit notices that have been Queued
	// since before a time by the real clock.
	StaleQueued(ctx context.Context, movedBefore time.Time, limit int) ([]pipeline.Ticket, error)
	// RequeueAll returns every Queued notice to Due: the queue was wiped.
	RequeueAll(ctx context.Context, now time.Time) (int64, error)
	// Expired returns up to limit notices of a campaign in a state whose DueAt is
	// not after now: doubts to resolve, windows that have closed.
	Expired(ctx context.Context, campaign int64, s pipeline.State, now time.Time, limit int) ([]pipeline.Notice, error)
}

// Reader answers questions. Its reads are short and never block the writer.
type Reader interface {
	// Tally counts the notices of a campaign that are in force. It is kept up to date
	// by every move and costs next to nothing.
	Tally(ctx context.Context, campaign int64) ([]pipeline.Tally, error)
	// Recount is Tally counted from the rows themselves, which takes a second or so
	// a million: for the audit. The two differ only if the ledger is broken.
	Recount(ctx context.Context, campaign int64) ([]pipeline.Tally, error)
	// Counters returns what was ever counted: attempts (tries), doubts, again
	// (sent again out of doubt).
	Counters(ctx context.Context, campaign int64) (pipeline.Counters, error)
	// NextDue returns the earliest DueAt of a campaign in Due, per channel; zero
	// where there is none. Supplements of imports that are not merged do not count.
	NextDue(ctx context.Context, campaign int64) (map[pipeline.Channel]time.Time, error)
	// CountDue counts what is Due by now, per channel and provider, up to cap each,
	// in order of both; Reason stays empty. It counts what TakeDue would take, on the
	// channels given or, without any, on all.
	CountDue(ctx context.Context, campaign int64, now time.Time, cap int, on ...pipeline.Channel) ([]pipeline.DueCount, error)
	// PerVersion counts the attempts per version of the letters, each attempt once
	// however often it was tried.
	PerVersion(ctx context.Context, campaign int64) (map[int]int64, error)
	// Reasons counts the notices of a state by reason.
	Reasons(ctx context.Context, campaign int64, s pipeline.State) (map[string]int64, error)

	// Search returns the notices that a token of the blind index leads to, newest
	// first, at most limit; and whether the token belongs to somebody of the
	// directory who is not concerned, with the newest import that says so (0: no).
	Search(ctx context.Context, campaign int64, token [16]byte, limit int) (ids []int64, bystanderOf int64, err error)
	// Concerned returns those of the tokens that lead to a notice, however many are
	// asked for at once.
	Concerned(ctx context.Context, campaign int64, tokens [][16]byte) (map[[16]byte]bool, error)
	Notice(ctx context.Context, id int64) (pipeline.Job, error)
	Events(ctx context.Context, notice int64) ([]pipeline.Event, error)     // oldest first
	Attempts(ctx context.Context, notice int64) ([]pipeline.Attempt, error) // oldest first
	// Each yields the notices in force that match, in order of ID.
	Each(ctx context.Context, f pipeline.Filter) iter.Seq2[pipeline.Job, error]
	// EventsByNotice yields the events of a campaign in order of notice, then ID.
	EventsByNotice(ctx context.Context, campaign int64) iter.Seq2[pipeline.Event, error]
}
