package pipeline

import "time"

// CampaignState says what a campaign is doing. The ledger repeats the list as a
// CHECK constraint.
type CampaignState string

const (
	Draft     CampaignState = "draft"     // letters and lists may change
	Approved  CampaignState = "approved"  // frozen as a version; launch comes next
	Running   CampaignState = "running"   // launched; LaunchAt may still be ahead
	Paused    CampaignState = "paused"    // by a person, or after the canary
	Withdrawn CampaignState = "cancelled" // what was not sent never will be
)

// Campaign is one communication about an incident to one population.
type Campaign struct {
	ID        int64
	Name      string // as in commands; also its directory
	CodeName  string
	Kind      string // breach | awareness
	State     CampaignState
	Version   int         // approved version in force, 0: none
	LaunchAt  time.Time   // zero: not launched
	Canary    int         // stop for resume after so many accepted; 0: none
	PausedFor string      // code of the reason: "operator", "canary"
	Email     EmailPolicy // pacing in force; may be changed while running
	CreatedAt time.Time
}

// Version is what an approval freezes: letters, catalogue, senders and policy, by
// hash, with the list as it stood.
type Version struct {
	Campaign   int64
	N          int
	Hash       string // SHA-256 of Content, hex
	Content    []byte // canonical JSON: file name → text, with the Spec
	Diff       string // against the version before
	AuthoredBy string
	ApprovedBy string
	ApprovedAt time.Time
	Population int64 // at the time of the approval
	Imports    []int64
}

// Import is one delivery of an impact list, with its directory.
type Import struct {
	ID          int64
	Campaign    int64
	Content     string // SHA-256 over the files, hex: the same content is no change
	StagedAt    time.Time
	PublishedAt time.Time // zero: not visible to any reader
	ReplacedAt  time.Time // zero: in force
	MergedAt    time.Time // zero: its supplements still wait for the absorption
	Absorbed    int64     // supplements that a notice not yet queued took in
	Copied      int64     // copies that the cell asked for since
	Actor       string
	Manifest    Manifest
}

// Manifest is what an import declares. Rows = Accepted + Rejected for each file.
type Manifest struct {
	Files       []FileCount      `json:"files"`
	Population  int64            `json:"population"`  // new customers with at least one impact, or all customers of an awareness campaign
	Supplements int64            `json:"supplements"` // customers known from an earlier import with something new to be told
	Copies      int64            `json:"copies"`      // paper twins
	Unchanged   int64            `json:"unchanged"`   // customers with nothing new
	Bystanders  int64            `json:"bystanders"`  // in the directory, not concerned
	Unmatched   int64            `json:"unmatched"`   // impacts' customers without a directory entry
	Impacts     int64            `json:"impacts"`     // contract × data kind, without repetitions
	Duplicates  int64            `json:"duplicates"`  // impacts that were listed more than once
	States      map[State]int64  `json:"states"`      // where the new notices start
	Defects     map[string]int64 `json:"defects"`     // code → records
	Ignored     []string         `json:"ignored"`     // columns ignored on purpose (marketing opt-out)
	// Settings is a hash of what in campaign.yaml and catalogue the import depended
	// on: with others the same lists make another population. "" in old manifests.
	Settings string `json:"settings,omitempty"`
}

// FileCount is the account of one input file.
type FileCount struct {
	Name      string `json:"name"`
	Role      string `json:"role"` // customers | impact
	SHA256    string `json:"sha256"`
	Format    string `json:"format"`    // csv, ndjson, xlsx, …
	Encoding  string `json:"encoding"`  // utf-8, windows-1252
	Delimiter string `json:"delimiter"` // of CSV
	Rows      int64  `json:"rows"`
	Accepted  int64  `json:"accepted"`
	Rejected  int64  `json:"rejected"`
}

// Staged is a notice on its way into the ledger, with its sealed person.
type Staged struct {
	Notice Notice
	Sealed []byte
}

// Token is one entry of the blind index: a keyed hash of a normalised search key.
// Notice 0 marks a person of the directory who is not concerned.
type Token struct {
	Hash   [16]byte
	Notice int64
}

// Breaker stops a campaign, or one provider in it, until it is released.
type Breaker struct {
	Campaign int64
	Scope    string    // "relay", or "provider:NAME"
	Reason   string    // code
	Detail   string    // reply without addresses
	Since    time.Time // by the real clock
	Until    time.Time // when to try again by itself; zero: when a person releases it
}

// Audit is one entry of the record of what people and the program decided.
type Audit struct {
	ID       int64
	Campaign int64
	At       time.Time
	Actor    string
	Action   string
	Reason   string
	Detail   string
}

// ActionPullByHand is the action of an entry about a letter that lies with the print
// shop and has to be pulled by hand; its detail is "R000041 letter 17".
const ActionPullByHand = "pull-by-hand"
