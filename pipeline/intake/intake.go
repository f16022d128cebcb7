package intake

import (
	"context"
	"io"
	"time"

	"github.com/art34/art34/pipeline"
)

// Sink is where an import goes: the part of the ledger that stages and
// publishes. See ledger.Importer for what each method promises.
type Sink interface {
	Known
	Imports(ctx context.Context, campaign int64) ([]pipeline.Import, error)
	BeginImport(ctx context.Context, i pipeline.Import) (pipeline.Import, error)
	ReserveIDs(ctx context.Context, n int) (first int64, err error)
	Stage(ctx context.Context, importID int64, batch []pipeline.Staged) error
	StageTokens(ctx context.Context, importID int64, batch []pipeline.Token) error
	Publish(ctx context.Context, importID int64, m pipeline.Manifest, replace bool, a pipeline.Audit) error
	Discard(ctx context.Context, importID int64) error
}

// Known answers what earlier imports said about a person.
type Known interface {
	People(ctx context.Context, campaign int64, persons [][]byte) (map[string]pipeline.Job, error)
	Siblings(ctx context.Context, parent int64) ([]pipeline.Job, error)
	Search(ctx context.Context, campaign int64, token [16]byte, limit int) (ids []int64, bystanderOf int64, err error)
	Notice(ctx context.Context, id int64) (pipeline.Job, error)
}

// Keys are the keys of the campaign, as kit/seal makes them.
type Keys interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
	Token(kind, normalised string) [16]byte
	MAC(label string, parts ...[]byte) [32]byte
}

// Config is one import.
type Config struct {
	Campaign  pipeline.Campaign
	Spec      *pipeline.Spec
	Customers []Source // the directory; may be empty in a later import
	Impacts   []Source // empty in an awareness campaign
	Sink      Sink
	Keys      Keys
	// Printable says whether the address of a person fits the envelope profile of
	// the campaign; nil: nobody can be written to by post.
	Printable func(pipeline.Person) error
	// KnownKinds are the data kinds that the campaign's catalogue explains.
	KnownKinds []string
	// OwnDomains are mail domains of the company itself: an address there belongs
	// to an agent or a counter, not to the customer. Subdomains are included.
	OwnDomains []string
	Region     string // ISO 3166-1 alpha-2 of what gives no country; "": FR
	TempDir    string // for spill files; "": the system's
	// Rejects gets the rejected rows as CSV, Findings what was found in accepted
	// ones; both hold rows, columns and codes, never values. nil: nowhere.
	Rejects, Findings io.Writer
	// MaxUnmatched allows so many impact customers without a directory entry. Up to
	// one per cent needs no allowance.
	MaxUnmatched int64
	// Replace makes a new version of the population: everything staged is new and
	// all earlier imports end with the publication. Before launch only.
	Replace  bool
	Actor    string
	Now      func() time.Time
	Progress func(Progress) // may be nil; called often, from one goroutine at a time
	Limits   Limits         // zero fields: defaults
}

// Progress says how far an import is.
type Progress struct {
	Phase string // reading, joining, staging, indexing
	File  string // base name, while reading
	Rows  int64  // in this phase and file
	Bytes int64  // of the file as it lies on disk, while reading
	Total int64  // bytes of the file, or rows of the phase; 0: unknown
}

// Limits bound what an input may be. All are stated in the documentation.
type Limits struct {
	Field     int   // bytes of one cell: 16 KiB
	Row       int   // bytes of one row: 256 KiB
	Ratio     int64 // decompressed ÷ compressed bytes: 200
	Expanded  int64 // decompressed bytes of one file: 16 GiB
	Sheet     int64 // bytes of an XLSX file, unzipped: 256 MiB
	SheetRows int64 // rows of an XLSX sheet: 200,000
	Contracts int   // of one person: 2,000; more of them hold the notice
	Buffer    int   // bytes sorted in memory at a time: 24 MiB
}

// Result is what an import did.
type Result struct {
	Import pipeline.Import // with its ID and Manifest, published
	// NoChange says that this content is in force already. Import is that import.
	NoChange bool
}

// Run reads, checks, merges and publishes one import, or leaves nothing behind.
// Errors are *pipeline.Error where a person can do something about them. A
// cancelled ctx discards what was staged.
//
// After the publication the caller runs Merge if Manifest.Supplements is above 0.
func Run(ctx context.Context, c Config) (Result, error) {
	panic("not yet")
}

// Merger is the part of the ledger that takes new impacts into notices that have
// not left the house.
type Merger interface {
	Known
	Unmerged(ctx context.Context, importID, after int64, limit int) ([]pipeline.Job, error)
	Merged(ctx context.Context, importID int64, at time.Time) error
	Absorb(ctx context.Context, parent pipeline.Change, supplement pipeline.Notice) (bool, error)
}

// MergeConfig is the absorption of one published import.
type MergeConfig struct {
	Campaign int64
	Spec     *pipeline.Spec
	Import   int64
	Sink     Merger
	Keys     Keys
	Actor    string
	Now      func() time.Time
}

// Merge takes the supplements of a published import into their notices where
// those have not been queued yet, and then lets the dispatcher have the others.
// It returns how many were absorbed. It may be repeated after a failure.
func Merge(ctx context.Context, c MergeConfig) (absorbed int64, err error) {
	panic("not yet")
}
