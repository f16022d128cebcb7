package console_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// What the desk of these tests holds for the pages of writing, lists and returns.

const letterText = "---\nsubject: Vos données\nversion: 1\n---\nBonjour <b>{{.Customer.Salutation}}</b>\n"

// texts are the files of the campaign, in memory. A save keeps to the contract.
type texts struct {
	content map[string]string
	saved   map[string][]pipeline.Writing
}

func newTexts() *texts {
	return &texts{map[string]string{"breach.fr.md": letterText, "campaign.yaml": "code_name: X\n"}, map[string][]pipeline.Writing{}}
}

func hashOf(s string) string { return fmt.Sprintf("%x", len(s)*7919+strings.Count(s, "e")) }

func (c clerk) Texts(context.Context, string) (console.Texts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := console.Texts{Version: 1, Changed: []string{"letters/breach.fr.md"}, Diff: "diff version 1/letters/breach.fr.md now/letters/breach.fr.md\n--- version 1/letters/breach.fr.md\n+++ now/letters/breach.fr.md\n@@ -1,2 +1,2 @@\n Bonjour\n-alt <b>\n+neu <script>alert(1)</script>\n"}
	for _, name := range []string{"breach.fr.md", "campaign.yaml"} {
		t.Files = append(t.Files, console.Text{File: name, Hash: hashOf(c.texts.content[name]), History: c.texts.saved[name]})
	}
	return t, nil
}

func (c clerk) Text(_ context.Context, _, file string) (console.Text, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	is, ok := c.texts.content[file]
	if !ok {
		return console.Text{}, pipeline.ErrNotFound
	}
	return console.Text{File: file, Content: is, Hash: hashOf(is), History: c.texts.saved[file]}, nil
}

func (c clerk) Saved(_ context.Context, _, file string, n int) (pipeline.Writing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > len(c.texts.saved[file]) {
		return pipeline.Writing{}, pipeline.ErrNotFound
	}
	return c.texts.saved[file][n-1], nil
}

func (clerk) Difference(oldName, old, newName, is string) string {
	return "diff " + oldName + " " + newName + "\n--- " + oldName + "\n+++ " + newName + "\n@@ -1 +1 @@\n-" + strings.ReplaceAll(strings.TrimSpace(old), "\n", "\n-") + "\n+" + strings.ReplaceAll(strings.TrimSpace(is), "\n", "\n+") + "\n"
}

func (c clerk) Save(_ context.Context, campaign, file, text, base, reason string, wordsOnly bool) error {
	c.mu.Lock()
	if is := c.texts.content[file]; hashOf(is) != base {
		c.mu.Unlock()
		return &pipeline.Error{Code: "text-changed", Sentence: "somebody was faster"}
	}
	c.texts.content[file] = text
	list := c.texts.saved[file]
	c.texts.saved[file] = append(list, pipeline.Writing{File: file, N: len(list) + 1, Hash: hashOf(text), Content: text, Actor: c.actor, At: t0, Reason: reason})
	c.mu.Unlock()
	return c.note(c.actor, "save", campaign, file, fmt.Sprint(wordsOnly), reason)
}

func (c clerk) Preview(_ context.Context, _, file, text string, s console.Specimen) (console.Preview, error) {
	p := console.Preview{Specimen: s}
	if strings.Contains(text, "{{.Nonsense}}") {
		line := strings.Count(text[:strings.Index(text, "{{.Nonsense}}")], "\n") + 1
		p.Faults = []console.Finding{{File: file, Line: line, Sentence: "there is no field .Nonsense", Hint: "use {{.Reference}}", Count: 1}}
		return p, nil
	}
	p.Letters, p.Locales, p.Senders = []string{"breach", "supplement"}, []string{"fr", "en"}, []string{"main", "second"}
	p.Warnings = []console.Finding{{Code: "L30", File: file, Line: 5, Sentence: "a sentence of 41 words", Hint: "shorter is kinder", Count: 1}}
	p.Subject, p.From, p.Text = "Vos données <b>", "Muguet <info@muguet.example>", text
	p.HTML = []byte("<!doctype html><html lang=fr><title>Vos données</title><p style='color:green'>" + text + "<script>parent.alert(1)</script>")
	p.PDF, p.Pages = paper(), 2
	return p, nil
}

func (clerk) Wording(_ context.Context, _, locale string) (console.Wording, error) {
	if locale != "en" {
		locale = "fr"
	}
	return console.Wording{Locale: locale, Locales: []string{"fr", "en"}, Phrases: []console.Phrase{
		{Key: "incident.facts", Text: "Quelqu'un <b> est entré.\n\nIl a copié."}, {Key: "incident.measures", Text: "Fermé\nDit"}, {Key: "senders.main.hours", Text: "de 8 h à 20 h"},
	}}, nil
}

func (c clerk) AddLocale(_ context.Context, campaign string, l console.NewLocale, reason string) error {
	if l.Locale == "fr" {
		return &pipeline.Error{Code: "locale-there", Sentence: "the campaign writes in fr already", Hint: "open its files below the letters"}
	}
	return c.note(c.actor, "language", campaign, l.Locale, l.From, fmt.Sprint(l.Texts), reason)
}

func (clerk) Notices(_ context.Context, _ string, f console.NoticeFilter) (console.NoticePage, error) {
	reserved := console.NoticeLine{ID: 6, State: f.State, Channel: pipeline.Email, Since: t0}
	if f.VIP {
		reserved.Reference = "7KQ2-M9XD-4T0W"
	}
	return console.NoticePage{
		Lines: []console.NoticeLine{{ID: 7, Reference: "7KQ2-M9XD-4T0V", State: f.State, Channel: pipeline.Email, Provider: "orange", Locale: "fr", Reason: f.Reason, Since: t0, Due: t0.Add(time.Hour)}, {ID: 8, State: f.State, Channel: pipeline.Post, Since: t0}, reserved},
		Next:  8,
	}, nil
}

func (clerk) NoticeCSV(_ context.Context, _ string, f console.NoticeFilter, to io.Writer) error {
	_, err := fmt.Fprintf(to, "reference,state,vip\n7KQ2-M9XD-4T0V,%s,%v\n", f.State, f.VIP)
	return err
}

func (clerk) NoticeOf(_ context.Context, _, customer string) (int64, error) {
	if customer != "C7" {
		return 0, pipeline.ErrNotFound
	}
	return 7, nil
}

func (clerk) Outlook(context.Context, string) (console.Outlook, error) {
	return console.Outlook{
		Emails: 310_000, Letters: 20_774, Pages: 40_000, Sheets: 20_800, Runs: 21, EmailTime: 30 * time.Hour, Days: []int64{248_000, 62_000},
		Providers: []console.ProviderOutlook{{Provider: "orange", Emails: 120_000, Time: 25 * time.Hour}, {Emails: 190_000}}, Bounces: 15_500, Fallbacks: 6_200, FallbackSheets: 6_300,
		AssumedFailed: 0.05, AssumedDead: 0.02, Hours: "08:00-20:00 Europe/Paris", CutOff: "16:00 Europe/Paris", RunSize: 1000,
	}, nil
}

func (clerk) Submission(context.Context, string) (console.Submission, error) {
	return console.Submission{By: "user:ana", At: t0, Reason: "ready <b>", Hash: "sha256 ab", Now: "sha256 ab", Same: true}, nil
}

func (clerk) Rejects(_ context.Context, _, name string) (io.ReadCloser, error) {
	if !strings.HasPrefix(name, "I000001") {
		return nil, pipeline.ErrNotFound
	}
	return io.NopCloser(strings.NewReader("file,row,column,code,sentence\ncustomers.csv,5,=HYPERLINK(\"http://x\"),id-missing,\"+1\"\n@sum,6,\t=1,x,-2\n")), nil
}

func (clerk) ReturnReasons() []string { return []string{"moved", "refused", "not-stated"} }

func (c clerk) Return(_ context.Context, campaign string, r console.Returns) (console.Returned, error) {
	out := console.Returned{
		Lines: 2, Recorded: 1, Counted: r.Counted, Read: 1, Notes: []string{"the deposit of R000001 is not acknowledged <b>"},
		Letters:  []console.ReturnedLetter{{Reference: "7KQ2-M9XD-4T0V", Run: "R000001", Seq: 3, Reason: r.Reason, Result: "email"}},
		Rejected: []console.ReturnedLine{{Line: 2, Sentence: "no letter of ours has this reference", Hint: "is it of another campaign?"}},
	}
	return out, c.note(c.actor, "return", campaign, fmt.Sprint(r.Dry), r.Reason, r.Bag, fmt.Sprint(len(r.List)), strings.TrimSpace(r.Lines))
}

// paper is a page that a browser can show.
func paper() []byte {
	var b strings.Builder
	var at []int
	object := func(text string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), text)
	}
	const words = "BT /F 24 Tf 72 720 Td (Muguet vous informe) Tj ET"
	b.WriteString("%PDF-1.4\n")
	object("<</Type /Catalog /Pages 2 0 R>>")
	object("<</Type /Pages /Kids [3 0 R] /Count 1>>")
	object("<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>>>")
	object(fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(words), words))
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return []byte(b.String())
}

// PaceOutlook takes as long as the rates say, of 120,000 e-mails to orange.
func (clerk) PaceOutlook(_ context.Context, _ string, p pipeline.EmailPolicy) (console.PaceOutlook, error) {
	o := console.PaceOutlook{Emails: 120_000, Providers: []console.ProviderOutlook{{Provider: "orange", Emails: 120_000}}}
	if l := p.Providers.InForce()["orange"]; l.Rate > 0 {
		o.Providers[0].Time = time.Duration(120_000 / l.Rate * float64(time.Second))
	}
	o.Time = o.Providers[0].Time
	return o, nil
}
