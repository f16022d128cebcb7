package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
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

// Result is what an import did.
type Result struct {
	Import pipeline.Import // with its ID and Manifest, published
	// NoChange says that this content is in force already. Import is that import.
	NoChange bool
}

// Run reads, checks, merges and publishes one import, or leaves nothing behind.
// Errors are *pipeline.Error where a person can do something about them; with
// "nothing-accepted", "too-many-unmatched" and "directory-needed" the Result says what was read, in a
// manifest without an import. A cancelled ctx discards what was staged.
//
// After the publication the caller runs Merge if Manifest.Supplements is above 0.
func Run(ctx context.Context, c Config) (r Result, err error) {
	im, err := newImporter(&c)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, im.close()) }()
	if known, err := im.begin(ctx); err != nil || known.ID != 0 {
		return Result{Import: known, NoChange: known.ID != 0}, err
	}
	if err := im.readAll(ctx, newSchema(roleCustomers), c.Customers); err != nil {
		return Result{}, err
	}
	if err := im.readAll(ctx, newSchema(roleImpact), c.Impacts); err != nil {
		return Result{}, err
	}
	if err := im.rejects.close(); err != nil {
		return Result{}, fmt.Errorf("rejects: %w", err)
	}
	return im.publish(ctx)
}

// importer is one running import.
type importer struct {
	c         *Config
	limits    Limits
	now       time.Time
	awareness bool
	check     *checker
	earlier   earlier
	inForce   []pipeline.Import

	byCustomer, byEmail, byPerson, byToken *sorter
	enc                                    encoder
	customer                               customer
	impacts                                []impact

	attributes  []string
	attributeOf map[string]int
	ignored     []string
	counts      [codeCount]int64
	impacted    int64 // customers with impacts
	former      int64 // … who are known by the blind index of an earlier directory only
	manifest    pipeline.Manifest

	rejects, findings *report
}

func newImporter(c *Config) (*importer, error) {
	im := &importer{
		c: c, limits: c.Limits.orDefault(), awareness: c.Spec.Kind == "awareness", attributeOf: map[string]int{},
		manifest: pipeline.Manifest{States: map[pipeline.State]int64{}, Defects: map[string]int64{}},
	}
	switch {
	case im.awareness && len(c.Impacts) > 0:
		return nil, wrongUse("an awareness campaign goes to everybody of the directory and takes no impact list", "leave --impact away, or make a campaign of kind breach")
	case im.awareness && len(c.Customers) == 0, !im.awareness && len(c.Impacts) == 0:
		return nil, wrongUse("there is nothing to import", "name the customer directory with --customers and the impact list with --impact")
	}
	im.c.Limits = im.limits
	var err error
	if im.manifest.Settings, err = settings(c); err != nil {
		return nil, err
	}
	im.check = newChecker(c)
	im.now = c.Now()
	spill, dir, limit := seal.NewSpill(), c.TempDir, im.limits.Buffer
	im.byCustomer = newSorter(dir, spill, recKey, limit)
	im.byEmail = newSorter(dir, spill, 2*len(key{}), limit/4)
	im.byPerson = newSorter(dir, spill, recKey, limit)
	im.byToken = newSorter(dir, spill, 24, limit/2)
	im.earlier = earlier{ledger: c.Sink, keys: c.Keys, campaign: c.Campaign.ID}
	if im.rejects, err = newReport(c.Rejects); err != nil {
		return nil, fmt.Errorf("rejects: %w", err)
	}
	if im.findings, err = newReport(c.Findings); err != nil {
		return nil, fmt.Errorf("findings: %w", err)
	}
	return im, nil
}

func wrongUse(sentence, hint string) error {
	return &pipeline.Error{Code: "wrong-use", Sentence: sentence, Hint: hint, Permanent: true, Exit: 2}
}

func (im *importer) close() error {
	return errors.Join(im.byCustomer.Close(), im.byEmail.Close(), im.byPerson.Close(), im.byToken.Close())
}

func (im *importer) progress(p Progress) {
	if im.c.Progress != nil {
		im.c.Progress(p)
	}
}

// begin looks at what is in force, and returns the import that has this content
// already, if there is one: a gigabyte is hashed in a second, reading it takes
// longer.
func (im *importer) begin(ctx context.Context) (known pipeline.Import, err error) {
	all, err := im.c.Sink.Imports(ctx, im.c.Campaign.ID)
	if err != nil {
		return known, err
	}
	for _, i := range all {
		if !i.PublishedAt.IsZero() && i.ReplacedAt.IsZero() {
			im.inForce = append(im.inForce, i)
		}
	}
	im.earlier.active = len(im.inForce) > 0 && !im.c.Replace
	if len(im.inForce) == 0 {
		return known, nil
	}
	var files []pipeline.FileCount
	for role, sources := range map[string][]Source{roleCustomers: im.c.Customers, roleImpact: im.c.Impacts} {
		for _, s := range sources {
			sum, err := s.sum(ctx)
			if err != nil {
				return known, err
			}
			files = append(files, pipeline.FileCount{Role: role, SHA256: sum})
		}
	}
	hash := content(files)
	for _, i := range im.inForce {
		if holds(i, hash) && (!im.c.Replace || im.alone(hash) && i.Manifest.Settings == im.manifest.Settings) {
			return i, nil
		}
	}
	return known, nil
}

// publish stages what was read and makes it visible.
func (im *importer) publish(ctx context.Context) (r Result, err error) {
	if err := im.join(ctx); err != nil {
		return r, err
	}
	if err := im.refuse(); err != nil {
		im.finish()
		return Result{Import: pipeline.Import{Campaign: im.c.Campaign.ID, Manifest: im.manifest}}, errors.Join(err, im.findings.close())
	}
	stage := pipeline.Import{Campaign: im.c.Campaign.ID, Content: content(im.manifest.Files), StagedAt: im.now, Actor: im.c.Actor}
	if im.c.Replace {
		stage.Content = im.replacing(stage.Content)
	}
	i, err := im.c.Sink.BeginImport(ctx, stage)
	if errors.Is(err, pipeline.ErrExists) {
		return Result{Import: i, NoChange: true}, nil
	}
	if err != nil {
		return r, err
	}
	defer func() {
		if err == nil && !r.NoChange {
			return
		}
		// Also when ctx has ended: nothing of a failed import stays.
		if e := im.c.Sink.Discard(context.WithoutCancel(ctx), i.ID); e != nil {
			err = errors.Join(err, fmt.Errorf("import %d stays staged until the next sweep: %w", i.ID, e))
		}
	}()
	if err := im.stage(ctx, i.ID); err != nil {
		return r, err
	}
	if err := im.index(ctx, i.ID); err != nil {
		return r, err
	}
	if err := im.findings.close(); err != nil {
		return r, fmt.Errorf("findings: %w", err)
	}
	im.finish()
	err = im.c.Sink.Publish(ctx, i.ID, im.manifest, im.c.Replace, pipeline.Audit{
		Campaign: im.c.Campaign.ID, At: im.now, Actor: im.c.Actor, Action: "import",
		Detail: fmt.Sprintf("import %d: population %d, supplements %d, unchanged %d, rejected rows %d", i.ID, im.manifest.Population, im.manifest.Supplements, im.manifest.Unchanged, im.rejected()),
	})
	if errors.Is(err, pipeline.ErrExists) {
		return Result{Import: im.same(ctx, stage.Content), NoChange: true}, nil
	}
	if err != nil {
		return r, err
	}
	i.Manifest, i.PublishedAt = im.manifest, im.now
	return Result{Import: i}, nil
}

// finish completes the manifest.
func (im *importer) finish() {
	for c, n := range im.counts {
		if n > 0 {
			im.manifest.Defects[code(c).String()] = n
		}
	}
	im.manifest.Ignored = pipeline.Set(im.ignored)
}

func (im *importer) rejected() (n int64) {
	for _, f := range im.manifest.Files {
		n += f.Rejected
	}
	return n
}

// alone reports whether an import of this content is the only one in force:
// replacing it by itself changes nothing, if the settings are the same.
func (im *importer) alone(content string) bool {
	return len(im.inForce) == 1 && holds(im.inForce[0], content)
}

// holds reports whether an import was made of the files that hash to content; one
// that replaced itself has another Content.
func holds(i pipeline.Import, hash string) bool {
	return i.Content == hash || len(i.Manifest.Files) > 0 && content(i.Manifest.Files) == hash
}

// settings hashes what the import depends on beside the lists.
func settings(c *Config) (string, error) {
	s := c.Spec
	data, err := json.Marshal([]any{
		s.Kind, s.SenderOf, s.Letters.Locales, s.Letters.FallbackLocale, s.Letters.AllowLinks, s.Channels, s.Flags, s.Schedule.EmailFrom,
		pipeline.Set(slices.Clone(c.KnownKinds)), pipeline.Set(slices.Clone(c.OwnDomains)),
	})
	if err != nil {
		return "", err
	}
	if len(s.Cell.Values) > 0 { // what is kept of these columns is not what the list says
		values, err := json.Marshal(s.Cell.Values)
		if err != nil {
			return "", err
		}
		data = append(data, values...)
	}
	sum := sha256.Sum256(append([]byte("art34/settings/1\n"), data...))
	return hex.EncodeToString(sum[:]), nil
}

// replacing is the content of an import that replaces others, of which one may
// have the same files: that one must not stand in its way.
func (im *importer) replacing(content string) string {
	for _, i := range im.inForce {
		if i.Content == content {
			sum := sha256.Sum256(fmt.Appendf(nil, "art34/replace/1\n%s\n%d", content, i.ID))
			return hex.EncodeToString(sum[:])
		}
	}
	return content
}

// same returns the import in force that has this content.
func (im *importer) same(ctx context.Context, content string) pipeline.Import {
	all, err := im.c.Sink.Imports(ctx, im.c.Campaign.ID)
	if err != nil {
		return pipeline.Import{Campaign: im.c.Campaign.ID, Content: content}
	}
	for _, i := range all {
		if i.Content == content && !i.PublishedAt.IsZero() && i.ReplacedAt.IsZero() {
			return i
		}
	}
	return pipeline.Import{Campaign: im.c.Campaign.ID, Content: content}
}
