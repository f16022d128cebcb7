package console

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// Calls is where the cell keeps its calls; package ledger says what each method
// does.
type Calls interface {
	OpenCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error)
	Call(ctx context.Context, id int64) (pipeline.Call, error)
	UpdateCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error)
	AddSteps(ctx context.Context, steps ...pipeline.CallStep) error
	TryAnswer(ctx context.Context, id int64, most int, since time.Time) (pipeline.Call, bool, error)
	ForgetTries(ctx context.Context, id int64) error
	WrongAnswers(ctx context.Context, id int64, since time.Time) ([]pipeline.Call, error)
	CallSteps(ctx context.Context, id int64) ([]pipeline.CallStep, error)
	EachCall(ctx context.Context, f pipeline.CallFilter) iter.Seq2[pipeline.Call, error]
	ToldBefore(ctx context.Context, campaign int64, tokens [][]byte) ([]pipeline.Call, error)

	Propose(ctx context.Context, p pipeline.Proposal, s pipeline.CallStep) (now pipeline.Proposal, replaced []int64, err error)
	Proposal(ctx context.Context, id int64) (pipeline.Proposal, error)
	Proposals(ctx context.Context, s pipeline.ProposalState) ([]pipeline.Proposal, error)
	Unapplied(ctx context.Context) ([]pipeline.Proposal, error)
	Decide(ctx context.Context, p pipeline.Proposal, from pipeline.ProposalState, a pipeline.Audit) error

	Append(ctx context.Context, a pipeline.Audit) error
	AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error)
	AllUsers(ctx context.Context) ([]pipeline.User, error)
	AllTokens(ctx context.Context) ([]pipeline.APIToken, error)
}

// Customers reads what is known about customers. It knows nothing of agents and
// what they may see: the Cell does. Errors are *pipeline.Error, or a condition.
type Customers interface {
	// Seek looks a key up in campaigns, by exact match, in somebody's name.
	Seek(ctx context.Context, actor string, campaigns []pipeline.Campaign, key string) (Sought, error)
	// File is what is known about the customer of a primary notice.
	File(ctx context.Context, c pipeline.Campaign, notice int64) (File, error)
	// Proofs says how callers prove who they are in a campaign, and which columns it asks
	// for; of a customer, if notice is not 0, those that count, and the number.
	Proofs(ctx context.Context, c pipeline.Campaign, notice int64) (Proofs, error)
	// NotConcerned is what is read to somebody who is not concerned as of an import, and
	// when that was published.
	NotConcerned(ctx context.Context, c pipeline.Campaign, importID int64) (sentence map[string]string, at time.Time, err error)
	// Letter is an attempt as it went out.
	Letter(ctx context.Context, c pipeline.Campaign, notice int64, attempt int) (SentLetter, error)

	// HasReference reports whether a text is a reference of the customer.
	HasReference(ctx context.Context, c pipeline.Campaign, notice int64, text string) (bool, error)
	// Knows reports whether values are those of the customer, all of them.
	Knows(ctx context.Context, c pipeline.Campaign, notice int64, values map[string]string) (bool, error)
	// Lives reports whether an address that somebody states is the one on file.
	Lives(ctx context.Context, c pipeline.Campaign, notice int64, a Address) (bool, error)

	// Country is the code of a country that somebody wrote, as a name or a code; of none
	// that of the country where letters go without one. What is not known stays as it is.
	Country(text string) string

	// Seal and Open keep free text under the keys of a campaign (0: of the
	// installation), bound to what aad names.
	Seal(campaign int64, plain, aad []byte) ([]byte, error)
	Open(campaign int64, sealed, aad []byte) ([]byte, error)
	// Found says of each token of the blind index whether it leads to a notice now.
	Found(ctx context.Context, campaign int64, tokens [][]byte) ([]bool, error)
}

// CustomerDeeds changes what becomes of a customer's notices, in somebody's name.
// Each deed is on record with its reason.
type CustomerDeeds interface {
	// Copy sends the letter once more, to an address from before the incident.
	Copy(ctx context.Context, actor string, c pipeline.Campaign, notice int64, o CopyOrder, reason string) (int64, error)
	// ByPost lets what is planned by e-mail go by post.
	ByPost(ctx context.Context, actor string, c pipeline.Campaign, notice int64, reason string) error
	// Judge says what is wrong with an address, before anybody is asked about it.
	Judge(ctx context.Context, c pipeline.Campaign, notice int64, a Address) error
	// Correct gives the customer an address, and writes there. The old one is kept. What
	// was corrected in this way since the decision stays as it is: a repetition changes
	// nothing.
	Correct(ctx context.Context, actor string, c pipeline.Campaign, notice int64, a Address, reason string, decided time.Time) error
	// Mark adds a flag, and stops what can be stopped.
	Mark(ctx context.Context, actor string, c pipeline.Campaign, notice int64, flag, reason string) (Marked, error)
}

// Marked is what became of the letters of a customer who was marked.
type Marked struct {
	Held   int     // that had not left
	Pulled []int64 // print runs that a letter was taken out of
	ByHand []InRun // that lie with the print shop: only hands can stop them
	Gone   int     // that have left
}

// InRun is a letter in a print run.
type InRun struct {
	Run int64
	Seq int
}

// String is the letter as the people of the print shop find it.
func (l InRun) String() string { return fmt.Sprintf("%s letter %d", pipeline.RunName(l.Run), l.Seq) }

// Note counts a notice by the state in which it was marked.
func (m *Marked) Note(n pipeline.Notice, in InRun) {
	switch n.State {
	case pipeline.Due, pipeline.InDoubt, pipeline.Held, pipeline.Queued, pipeline.Sending:
		m.Held++
	case pipeline.Printing:
		if in.Run != 0 && !slices.Contains(m.ByHand, in) {
			m.ByHand = append(m.ByHand, in)
		}
	case pipeline.Accepted, pipeline.Posted, pipeline.Informed:
		m.Gone++
	}
}

// Sought is what a key led to.
type Sought struct {
	Kind    string // of the key that led there, or of what it looks like
	Matches []Match
	Others  []Bystander
	Misread bool             // it has the shape of a reference, and a character is wrong
	Trail   []pipeline.Audit // who looked whom up: to write before anything is said
}

// Match is a customer whom a key leads to.
type Match struct {
	Campaign pipeline.Campaign
	Notice   int64 // the primary one
	Import   int64 // newest in force
	Flags    []string
	Shared   bool // somebody who is not concerned has the same key
}

// Bystander is somebody of the directory who is not concerned.
type Bystander struct {
	Campaign pipeline.Campaign
	Import   int64 // the newest that says so
	At       time.Time
	ByName   bool   // found by name and postcode: it may be somebody else
	Token    []byte // of the key in the index of the campaign
}

// Proofs is how callers of a campaign prove who they are.
type Proofs struct {
	Ways    []pipeline.Verification
	Columns []string // of a campaign: that are asked for; of a customer: that count
	// Labels are what the columns are called: per locale of the pages, by column.
	Labels map[string]map[string]string
	Phone  string // on file, to call back; "" without one
}

// File is what is known about a customer. The Cell masks it.
type File struct {
	Name      string
	Customers []string
	Reference string
	Locale    string
	Flags     []string
	Notices   []pipeline.Notice   // the primary one, its supplements and copies, oldest first
	State     pipeline.State      // of the primary notice
	Sentences []map[string]string // to read aloud, per locale; of the primary notice first
	Impacts   []Impact
	Timeline  []Happening
	Next      Next
	Letters   []LetterOf
	Locales   []string                  // in which the campaign writes
	Reach     map[pipeline.Channel]bool // where a copy may go: an address from before the incident
	OnFile    map[pipeline.Channel]bool // an address is on file, to compare with
	Cannot    map[string]string         // deed → code of why it cannot be done now
	Address   Address                   // on file; for the second pair of eyes alone
	Tokens    [][]byte                  // of all keys of the customer
}

// Deeds that a caller may ask for, and that are not always possible: keys of
// File.Cannot.
const (
	DeedCopyEmail = "copy-email"
	DeedCopyPost  = "copy-post"
	DeedByPost    = "by-post"
	DeedCompare   = "compare"
)

// Impact is what was exposed through one contract, or of the person.
type Impact struct {
	Contract string // "" of the person
	Label    string
	Kinds    map[string]string   // without a label: what its kind is called, per locale of the pages
	Data     []string            // codes
	Names    map[string][]string // per locale
}

// Happening is a line of the timeline.
type Happening struct {
	At      time.Time
	Notice  int64
	Role    pipeline.Role
	Attempt int
	Kind    pipeline.EventKind
	Outcome pipeline.Outcome
	Channel pipeline.Channel
	Code    string
	Detail  string
	Actor   string
}

// Next is what happens next, and when.
type Next struct {
	State    pipeline.State
	Channel  pipeline.Channel
	Reason   string
	Campaign pipeline.CampaignState
	At       time.Time // zero: no date
}

// LetterOf is a letter that went out, or began to.
type LetterOf struct {
	Notice  int64
	Role    pipeline.Role
	Attempt int
	Kind    pipeline.AttemptKind
	Channel pipeline.Channel
	At      time.Time
}

// SentLetter is a letter as it went out, made again and compared.
type SentLetter struct {
	Of       LetterOf
	Version  int
	Locale   string // that it is written in
	Subject  string
	Text     string
	HTML     []byte // of an e-mail
	Bytes    []byte // the message, or the pages
	Recorded string // hash of what went out, hex
	Same     bool   // this has the same: the very bytes
	SameText bool   // the words at least

	Campaign pipeline.Campaign // that it belongs to
}

// Address is an address that a caller states.
type Address struct {
	Email    string
	Lines    []string
	Postcode string
	City     string
	Country  string
}

// Channel says whose address it is.
func (a Address) Channel() pipeline.Channel {
	if a.Email != "" {
		return pipeline.Email
	}
	return pipeline.Post
}

// CopyOrder says what copy is wanted.
type CopyOrder struct {
	Channel pipeline.Channel
	Locale  string // "" as before
	Format  string // "" as before
}
