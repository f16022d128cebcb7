package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mime/quotedprintable"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/strictyaml"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/templates"
)

// TestCampaignAgainstForeignServer carries a campaign out against an SMTP server
// that is not ours and holds what arrived against the lists, row by row.
func TestCampaignAgainstForeignServer(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 600, 7, "ART34_RELAY="+sink.URL)
	in.must("launch", "muguet")
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	s := in.status(true)
	if s.Population == 0 || s.States[pipeline.Accepted] == 0 || s.States[pipeline.Printing] == 0 {
		t.Fatalf("nothing happened: %+v", s.States)
	}
	lists := readLists(t, in.path("sample"))
	notices := readNotices(t, in)
	t.Run("mails", func(t *testing.T) { compareMails(t, sink, lists, notices) })
	t.Run("letters", func(t *testing.T) { compareLetters(t, in, lists, notices) })
}

// lists is what the input says, read by other means than the program's.
type lists struct {
	exposed map[string]map[string][]string // customer → contract ("": the person) → kinds
	kinds   map[string]map[string]string   // locale → code → name in the letter
}

func readLists(t *testing.T, dir string) lists {
	t.Helper()
	l := lists{exposed: map[string]map[string][]string{}, kinds: map[string]map[string]string{}}
	f, err := os.Open(filepath.Join(dir, "impact.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(row) < 5 {
			continue // a bad row on purpose
		}
		customer := strings.TrimSpace(row[0])
		if l.exposed[customer] == nil {
			l.exposed[customer] = map[string][]string{}
		}
		l.exposed[customer][row[1]] = append(l.exposed[customer][row[1]], strings.Split(row[4], "|")...)
	}
	var catalogue struct {
		Kinds []map[string]any `yaml:"kinds"`
	}
	data, err := templates.Letters().Open("catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	text, err := io.ReadAll(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := strictyaml.Decode("catalogue.yaml", text, &catalogue); err != nil {
		t.Fatal(err)
	}
	for _, k := range catalogue.Kinds {
		for locale, name := range k["name"].(map[string]any) {
			if l.kinds[locale] == nil {
				l.kinds[locale] = map[string]string{}
			}
			l.kinds[locale][k["code"].(string)] = name.(string)
		}
	}
	return l
}

// known is a notice as the ledger has it.
type known struct {
	pipeline.Notice
	person pipeline.Person
}

// readNotices opens the ledger and returns the notices by reference.
func readNotices(t *testing.T, in *installation) map[string]known {
	t.Helper()
	a := newApp(&globals{Dir: in.path("data"), Log: "info"}, nil, io.Discard, io.Discard)
	for _, e := range in.env {
		if v, ok := strings.CutPrefix(e, "ART34_LEDGER="); ok {
			a.Ledger = v
		}
	}
	a.clock, a.real = clock.Real{}, clock.Real{}
	ctx := context.Background()
	h, err := a.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]known{}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		p, err := openPerson(keys, j)
		if err != nil {
			t.Fatal(err)
		}
		all[p.Reference.String()] = known{j.Notice, p}
	}
	return all
}

var (
	referenceLike = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)
	contractLike  = regexp.MustCompile(`\b[A-Z]{2}[0-9]{9}\b`)
)

// compareMails: each customer who is not held and has a usable address got exactly
// one message with exactly their contracts and data kinds.
func compareMails(t *testing.T, sink *testenv.SMTPSink, l lists, notices map[string]known) {
	got := map[string]int{}
	for _, m := range sink.Messages(t) {
		if len(m.To) != 1 {
			t.Fatalf("%d recipients", len(m.To))
		}
		text := plainPart(t, m.Data(t))
		ref := referenceLike.FindString(text)
		n, ok := notices[ref]
		if !ok {
			t.Fatalf("a message names the reference %q, which nobody has", ref)
		}
		got[ref]++
		if m.To[0] != n.person.Email {
			t.Errorf("notice %d: the message of one customer went to another", n.ID)
		}
		compareText(t, l, n, text)
	}
	for ref, n := range notices {
		want := 0
		if n.State == pipeline.Accepted {
			want = 1
		}
		if got[ref] != want {
			t.Errorf("notice %d is %s and got %d messages", n.ID, n.State, got[ref])
		}
	}
}

// compareText holds a letter against the rows of the impact list.
func compareText(t *testing.T, l lists, n known, text string) {
	t.Helper()
	text = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(text)
	contracts, kinds := map[string]bool{}, map[string]bool{}
	for _, customer := range n.person.CustomerIDs {
		for contract, list := range l.exposed[customer] {
			if contract != "" {
				contracts[contract] = true
			}
			for _, k := range list {
				kinds[k] = true
			}
		}
	}
	named := map[string]bool{}
	for _, c := range contractLike.FindAllString(text, -1) {
		named[c] = true
	}
	for c := range contracts {
		if !named[c] {
			t.Errorf("notice %d: the letter does not name one of the contracts", n.ID)
		}
	}
	if len(named) != len(contracts) {
		t.Errorf("notice %d: the letter names %d contracts, the list has %d", n.ID, len(named), len(contracts))
	}
	for code, name := range l.kinds[n.Locale] {
		name = strings.NewReplacer("\u00a0", " ", "’", "'").Replace(name)
		says := regexp.MustCompile(`(?m)^\s*[-•]\s+` + flexible(name) + `\s*(:|\(|\.)`).MatchString(text)
		if says != kinds[code] {
			t.Errorf("notice %d: kind %s is exposed: %v, the letter says so: %v", n.ID, code, kinds[code], says)
		}
	}
}

// flexible matches words however lines were broken between them.
func flexible(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return strings.Join(words, `\s+`)
}

// plainPart returns the text/plain part of a message, decoded by the standard
// library.
func plainPart(t *testing.T, data []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("no text/plain part: %v", err)
		}
		if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		var r io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			r = quotedprintable.NewReader(p)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// compareLetters: every other printable customer is in exactly one print run, the
// files are sound, and what is on paper agrees with the ledger.
func compareLetters(t *testing.T, in *installation, l lists, notices map[string]known) {
	runs, err := filepath.Glob(in.path("data", "print-runs", "*.pdf"))
	if err != nil || len(runs) == 0 {
		t.Fatalf("no print runs: %v", err)
	}
	got := map[string]int{}
	for _, file := range runs {
		testenv.Run(t, "qpdf", "--check", file)
		for _, line := range strings.Split(string(testenv.Run(t, "pdffonts", file)), "\n")[2:] {
			if f := strings.Fields(line); len(f) > 5 && !slices.Contains(f, "yes") {
				t.Errorf("%s: a font is not embedded: %s", filepath.Base(file), line)
			}
		}
		rows := readManifest(t, strings.TrimSuffix(file, ".pdf")+".json")
		for i, row := range rows {
			text := string(testenv.Run(t, "pdftotext", "-layout", "-f", fmt.Sprint(row.FirstPage), "-l", fmt.Sprint(row.LastPage), file, "-"))
			ref := referenceLike.FindString(text)
			n, ok := notices[ref]
			if !ok || n.person.Reference.Compact() != row.Reference {
				t.Fatalf("%s letter %d names %q, the manifest %s", filepath.Base(file), row.Seq, ref, row.Reference)
			}
			got[ref]++
			compareText(t, l, n, text)
			if i == 0 {
				compareCode(t, file, row)
			}
		}
	}
	for ref, n := range notices {
		want := 0
		if n.State == pipeline.Printing {
			want = 1
		}
		if got[ref] != want {
			t.Errorf("notice %d is %s and is in %d print runs", n.ID, n.State, got[ref])
		}
	}
}

type manifestRow struct {
	Seq        int    `json:"seq"`
	Reference  string `json:"letter_ref"`
	FirstPage  int    `json:"first_page"`
	LastPage   int    `json:"last_page"`
	DataMatrix string `json:"datamatrix"`
}

func readManifest(t *testing.T, path string) []manifestRow {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []manifestRow }
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m.Rows
}

// compareCode reads the bar code of a letter's first page with a foreign reader.
func compareCode(t *testing.T, file string, row manifestRow) {
	t.Helper()
	page := filepath.Join(t.TempDir(), "page")
	n := fmt.Sprint(row.FirstPage)
	testenv.Run(t, "pdftoppm", "-r", "200", "-gray", "-png", "-singlefile", "-f", n, "-l", n, file, page)
	code := strings.TrimSpace(string(testenv.Run(t, "dmtxread", "-N1", "-m", "60000", page+".png")))
	if code != row.DataMatrix {
		t.Errorf("%s letter %d: the bar code says %q, the manifest %q", filepath.Base(file), row.Seq, code, row.DataMatrix)
	}
}
