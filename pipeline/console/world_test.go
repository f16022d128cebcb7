package console_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger/sqlite"
	"github.com/art34/art34/templates"
)

// world is a console over a real ledger, with a desk that remembers what it was
// asked to do.
type world struct {
	t        testing.TB
	ledger   *sqlite.Ledger
	accounts *console.Accounts
	console  *console.Console
	server   *httptest.Server
	clock    *clock.Manual
	desk     *desk
	board    *board
	floor    *floor
	crowd    *crowd
	secrets  map[string][]byte // of authenticators
}

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

// password is everybody's.
const password = "quatre mots sans rapport"

func newWorld(t testing.TB, adjust ...func(*console.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	l, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	keyring, err := seal.Create(filepath.Join(dir, "keys.json"), seal.NewMaster(), t0)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Campaign(0)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ledger: l, clock: clock.NewManual(t0), desk: &desk{texts: newTexts()}, board: &board{}, secrets: map[string][]byte{}}
	w.desk.w, w.crowd = w, &crowd{by: map[string]*somebody{}, keys: keys}
	w.floor = &floor{ring: keyring, links: []string{"aide.muguet.example"}, by: map[pipeline.Reference]console.Letters{}, spoken: map[pipeline.Reference]console.Spoken{}}
	random := func(b []byte) { _, _ = rand.Read(b) }
	w.accounts = console.NewAccounts(l, keys, w.clock, random)
	console.CheapHashes(w.accounts)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	cfg := console.Config{
		Files: marked{templates.Console()}, Ledger: l, Accounts: w.accounts, Board: w.board, Desk: w.desk, Floor: w.floor,
		Cell:  console.NewCell(console.CellConfig{Calls: l, Customers: w.crowd, Deeds: w.crowd, Clock: w.clock, Hour: 40, Day: 100}),
		Clock: w.clock, Real: w.clock, Random: random, Log: log, Locale: "en",
	}
	for _, f := range adjust {
		f(&cfg)
	}
	w.console, err = console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.console)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// user makes somebody with these roles who has chosen a password.
func (w *world) user(login string, roles ...console.Role) pipeline.User {
	w.t.Helper()
	var list []string
	for _, r := range roles {
		list = append(list, string(r))
	}
	ctx := context.Background()
	_, _, err := w.accounts.Add(ctx, "user:test", login, strings.ToUpper(login[:1])+login[1:], list, "")
	w.must(err)
	u, err := w.accounts.SetPassword(ctx, login, password)
	w.must(err)
	if console.NeedsCode(list) {
		w.secrets[login] = w.accounts.NewSecret()
		u, err = w.accounts.Enrol(ctx, login, w.secrets[login], console.TOTPCode(w.secrets[login], w.clock.Now()))
		w.must(err)
	}
	return u
}

// campaign makes one in a state.
func (w *world) campaign(name string, s pipeline.CampaignState) pipeline.Campaign {
	w.t.Helper()
	c, err := w.ledger.CreateCampaign(context.Background(), pipeline.Campaign{Name: name, CodeName: strings.ToUpper(name), Kind: "breach", State: s, CreatedAt: t0})
	w.must(err)
	return c
}

// browser keeps cookies and follows no redirect.
type browser struct {
	w    *world
	http *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w, &http.Client{Jar: jar, Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back.
type answer struct {
	status int
	to     string // of a redirect
	body   string
	header http.Header
}

func (b *browser) send(r *http.Request) answer {
	b.w.t.Helper()
	b.w.clock.Advance(300 * time.Millisecond)
	res, err := b.http.Do(r)
	b.w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	b.w.must(err)
	return answer{res.StatusCode, res.Header.Get("Location"), string(body), res.Header}
}

func (b *browser) get(path string) answer {
	b.w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.w.server.URL+path, nil)
	b.w.must(err)
	return b.send(r)
}

// settled is a page once the job that it shows has ended.
func (b *browser) settled(path string) string {
	b.w.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		a := b.get(path)
		if !strings.Contains(a.body, "This is under way") {
			return a.body
		}
		if time.Now().After(end) {
			b.w.t.Fatalf("%s does not end", path)
		}
	}
}

var tokenField = regexp.MustCompile(`name="token" value="([0-9a-f]+)"`)

// token is the form token of a page.
func (b *browser) token(path string) string {
	b.w.t.Helper()
	m := tokenField.FindStringSubmatch(b.get(path).body)
	if m == nil {
		return ""
	}
	return m[1]
}

// post sends a form with the token of a page that everybody may open.
func (b *browser) post(path string, pairs ...string) answer {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	if !form.Has("token") {
		page := "/account"
		if strings.HasPrefix(path, "/login") || strings.HasPrefix(path, "/setup") {
			page = path
		}
		if t := b.token(page); t != "" {
			form.Set("token", t)
		} else {
			form.Set("token", b.token("/login"))
		}
	}
	r, err := http.NewRequest(http.MethodPost, b.w.server.URL+path, strings.NewReader(form.Encode()))
	b.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// code is what somebody's authenticator shows in the next half minute: the last one
// was used.
func (w *world) code(login string) string {
	w.clock.Advance(30 * time.Second)
	return console.TOTPCode(w.secrets[login], w.clock.Now())
}

// as logs somebody in.
func (w *world) as(login string) *browser {
	w.t.Helper()
	w.clock.Advance(20 * time.Second) // there are limits
	b := w.browser()
	a := b.post("/login", "login", login, "password", password, "next", "/account")
	if a.status == http.StatusSeeOther && w.secrets[login] != nil {
		a = b.post("/login/code", "code", w.code(login), "next", "/account")
	}
	if a.status != http.StatusSeeOther {
		w.t.Fatalf("%s cannot log in: %d\n%s", login, a.status, a.body)
	}
	return b
}

// session is the value of the session cookie.
func (b *browser) session() string {
	u, err := url.Parse(b.w.server.URL)
	b.w.must(err)
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "art34-session") {
			return c.Value
		}
	}
	return ""
}

// board shows the same figures for every campaign.
type board struct {
	figures console.Figures
	planned []pipeline.Planned
	zone    *time.Location
}

func (b *board) Figures(context.Context, pipeline.Campaign) (console.Figures, error) {
	return b.figures, nil
}

// Zone is that of the house, unless a test says otherwise.
func (b *board) Zone(context.Context, pipeline.Campaign) *time.Location { return b.zone }

func (b *board) Planned(context.Context, pipeline.Campaign) ([]pipeline.Planned, error) {
	return b.planned, nil
}

// desk remembers what was done.
type desk struct {
	w    *world
	mu   sync.Mutex
	done []string
	fail error

	texts *texts

	rehearsal *console.Rehearsal // nil: one that is done
}

func (d *desk) note(line ...string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.done = append(d.done, strings.Join(line, " | "))
	return nil
}

func (d *desk) last() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.done) == 0 {
		return ""
	}
	return d.done[len(d.done)-1]
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.done)
}

func (d *desk) broken(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *desk) As(actor string) console.Operations { return clerk{d, actor} }

type clerk struct {
	*desk
	actor string
}

func (c clerk) Pause(_ context.Context, campaign, reason string) error {
	return c.note(c.actor, "pause", campaign, reason)
}

func (c clerk) Resume(_ context.Context, campaign, reason string) error {
	return c.note(c.actor, "resume", campaign, reason)
}

func (c clerk) Launch(_ context.Context, campaign string, at time.Time, canary int, reason string) error {
	return c.note(c.actor, "launch", campaign, fmt.Sprint(canary), reason)
}

func (c clerk) Cancel(_ context.Context, campaign, reason string) (console.Moved, error) {
	return console.Moved{}, c.note(c.actor, "cancel", campaign, reason)
}

func (c clerk) SetPacing(_ context.Context, campaign string, p pipeline.EmailPolicy, reason string) error {
	what := fmt.Sprintf("%g %d %s", p.Rate, p.Connections, p.Hours)
	for name, l := range p.Providers.Limits {
		what += fmt.Sprintf("%s %g/%d from %g", name, l.Rate, l.Connections, l.RampFrom)
	}
	return c.note(c.actor, "pacing", campaign, what, reason)
}

func (c clerk) ReleaseBreaker(_ context.Context, campaign, scope, reason string) error {
	return c.note(c.actor, "breaker", campaign, scope, reason)
}

func (c clerk) Resolve(_ context.Context, campaign string, send bool, reason string) (console.Moved, error) {
	return console.Moved{}, c.note(c.actor, "resolve", campaign, fmt.Sprint(send), reason)
}

func (c clerk) Cohort(_ context.Context, campaign string, verb console.Verb, which console.Cohort, reason string) (console.Moved, error) {
	return console.Moved{Moved: 2, Skipped: 1, NotFound: []string{"C9<b>"}}, c.note(c.actor, string(verb), campaign, strings.Join(which.Customers, ","), which.Flag, reason)
}

func (c clerk) ReleaseRun(_ context.Context, id int64, reason string) error {
	return c.note(c.actor, "run-release", fmt.Sprint(id), reason)
}

func (c clerk) Acknowledge(_ context.Context, id int64, d pipeline.Deposit, rejected map[int]string) error {
	return c.note(c.actor, "deposit", fmt.Sprint(id), d.Place, fmt.Sprint(d.Count), fmt.Sprint(rejected))
}

func (c clerk) TakeBack(_ context.Context, id int64, reason string) error {
	return c.note(c.actor, "run-back", fmt.Sprint(id), reason)
}

func (c clerk) OpenRun(context.Context, int64) (console.RunFile, error) {
	return console.RunFile{Name: "R000001\r\nX-Evil: 1.pdf", Size: 3, Content: io.NopCloser(strings.NewReader("pdf"))}, c.note(c.actor, "fetch")
}

func (c clerk) New(_ context.Context, name string, campaignYAML []byte, logos map[string][]byte) error {
	if err := c.note(c.actor, "new", name, string(campaignYAML), fmt.Sprint(len(logos))); err != nil {
		return err
	}
	c.w.campaign(name, pipeline.Draft)
	return nil
}

func (c clerk) Import(_ context.Context, campaign string, lists []console.List, replace bool, unmatched int64) (console.Imported, error) {
	names := []string{}
	for _, l := range lists {
		names = append(names, l.Role+"="+l.Name)
	}
	if unmatched == 0 && len(lists) > 2 {
		return console.Imported{
			Refused: "3 of 80 customers on the impact list are not in the customer directory; nothing was published", Missing: 3,
			Findings: "refused-findings.csv", Manifest: pipeline.Manifest{Defects: map[string]int64{"customer-unmatched": 3}},
		}, nil
	}
	return console.Imported{
		Manifest: pipeline.Manifest{Population: 12, Bystanders: 3, Unmatched: 1, Copies: 2, States: map[pipeline.State]int64{pipeline.Due: 9, pipeline.Held: 2, pipeline.Unreachable: 1}, Ignored: []string{"optin<b>"}, Defects: map[string]int64{"email-shared": 2}, Files: []pipeline.FileCount{{Name: "customers.csv", Rows: 16, Accepted: 15, Rejected: 1}}},
		List:     "I000001-rejects.csv",
		Rejects:  []console.Reject{{File: "customers.csv", Row: "5", Column: "customer_id", Code: "id-missing", Sentence: "<script>alert(1)</script>"}},
	}, c.note(c.actor, "import", campaign, strings.Join(names, ","), fmt.Sprint(replace), fmt.Sprint(unmatched))
}

func (c clerk) Receive(_ context.Context, role, name string, from io.Reader) (console.List, error) {
	_, err := io.Copy(io.Discard, from)
	return console.List{Role: role, Name: name, Path: "somewhere"}, err
}

func (clerk) LastCheck(context.Context, string) (console.Verdict, error) {
	return console.Verdict{Done: true, At: t0, Same: true}, nil
}

func (c clerk) Discard(lists []console.List) error {
	return c.note(c.actor, "discard", fmt.Sprint(len(lists)))
}

func (c clerk) Check(_ context.Context, campaign string) (console.Checked, error) {
	return console.Checked{
		Notices: 14, Rendered: 12, States: map[pipeline.State]int64{pipeline.Due: 10, pipeline.Held: 2, pipeline.Unreachable: 1, pipeline.Excluded: 1},
		Roles: map[pipeline.Role]int64{pipeline.Primary: 13, pipeline.Copy: 1}, Waiting: map[string]int64{"vip": 1},
		Emails: 9, Letters: 3, EmailTime: 70 * time.Second, Sheets: 3, Runs: 1, Held: map[string]int64{"unfit": 1}, Found: map[string]int64{"email-shared": 2},
		Warnings: []console.Finding{{Code: "L30", File: "letters/breach.fr.md", Line: 7, Sentence: "a sentence of 41 words", Hint: "shorter is kinder", Count: 1}},
	}, c.note(c.actor, "check", campaign)
}

func (c clerk) Samples(context.Context, string, int) ([]console.Sample, error) {
	return []console.Sample{{Notice: pipeline.Notice{ID: 7, Channel: pipeline.Email, Locale: "fr", Products: []string{"internet"}, Kinds: []string{"contact", "identity"}}, Why: []string{"longest", "sender"}}, {Notice: pipeline.Notice{ID: 8, Channel: pipeline.Post, Locale: "en"}}, {Notice: pipeline.Notice{ID: 9, Channel: pipeline.Email, Locale: "fr", Flags: []string{pipeline.FlagVIP}}}}, nil
}

func (c clerk) Proof(_ context.Context, _ string, notice int64) (console.Proof, error) {
	p := console.Proof{Notice: pipeline.Notice{ID: notice, Locale: "fr"}, Subject: "Vos données <b>personnelles</b>", Text: "Bonjour O'Neil <script>alert(1)</script>"}
	if notice == 9 {
		p.Notice.Flags = []string{pipeline.FlagVIP}
	}
	if notice == 7 {
		p.From, p.HTML = "Muguet <info@muguet.example>", []byte("<!doctype html><html lang=fr><title>Vos données</title><p style='color:red'>Bonjour</p><script>parent.alert(1)</script>")
	} else {
		p.PDF, p.Pages = paper(), 1
	}
	return p, nil
}

func (c clerk) Submit(_ context.Context, campaign, reason string) error {
	return c.note(c.actor, "submit", campaign, reason)
}

func (c clerk) Approve(_ context.Context, campaign, seen, reason string) error {
	return c.note(c.actor, "approve", campaign, seen, reason)
}
