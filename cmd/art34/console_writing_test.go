package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// desk is a draft with a desk over it, as the console has it.
func deskOf(t *testing.T) (*installation, *house) {
	t.Helper()
	in := &installation{t: t, dir: t.TempDir()}
	in.must("sample", "--customers", "60", "--seed", "7", "--out", in.path("sample"))
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	in.must("import", "muguet", "--customers", in.path("sample", "customers.csv"), "--impact", in.path("sample", "impact.csv"))
	return in, in.house()
}

func code(err error) string { return pipeline.ErrorCode(err) }

// TestWritingOnTheDesk: a text is saved over the one that its writer has seen, every
// text is kept, also one that came from outside, and nothing leaves the folder.
func TestWritingOnTheDesk(t *testing.T) {
	t.Parallel()
	in, h := deskOf(t)
	ctx := context.Background()
	ana, bob := consoleDesk{h}.As("user:ana"), consoleDesk{h}.As("user:bob")
	const file = "breach.fr.md"
	was, err := ana.Text(ctx, "muguet", file)
	if err != nil || was.Last() != nil || !strings.Contains(was.Content, "{{.Incident.Facts}}") {
		t.Fatalf("%+v %v", was, err)
	}
	first := was.Content + "\nUne phrase de plus.\n"
	if err := ana.Save(ctx, "muguet", file, first, was.Hash, "one sentence more", false); err != nil {
		t.Fatal(err)
	}
	if err := bob.Save(ctx, "muguet", file, was.Content+"\nAutre chose.\n", was.Hash, "mine", false); code(err) != "text-changed" {
		t.Errorf("bob saved over ana: %v", err)
	}
	is, err := bob.Text(ctx, "muguet", file)
	if err != nil || is.Content != first || len(is.History) != 2 || is.History[0].Actor != "" || is.History[1].Actor != "user:ana" || is.History[1].Reason != "one sentence more" {
		t.Fatalf("%+v %v", is.History, err)
	}
	// Somebody edits the folder by hand; the next save keeps that text too.
	path := in.path("data", "campaigns", "muguet", "letters", file)
	if err := os.WriteFile(path, []byte(first+"\nPar la main.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bob.Save(ctx, "muguet", file, first+"\nDe Bob.\n", is.Hash, "x", false); code(err) != "text-changed" {
		t.Errorf("bob saved over the folder: %v", err)
	}
	is, _ = bob.Text(ctx, "muguet", file)
	if is.Last() != nil {
		t.Error("a text from outside counts as saved here")
	}
	if err := bob.Save(ctx, "muguet", file, first+"\nDe Bob.\n", is.Hash, "x", false); err != nil {
		t.Fatal(err)
	}
	is, _ = bob.Text(ctx, "muguet", file)
	if len(is.History) != 4 || is.History[2].Actor != "" || is.Last() == nil || is.Last().N != 4 {
		t.Errorf("%+v", is.History)
	}
	if w, err := ana.Saved(ctx, "muguet", file, 3); err != nil || !strings.Contains(w.Content, "Par la main.") {
		t.Errorf("%+v %v", w, err)
	}
	for _, bad := range []string{"../campaign.yaml", "../../../master.key", "letters/breach.fr.md", "/etc/passwd", "", ".", "..", "logo-main.png", "nothing.md", "breach.fr.md\x00"} {
		if _, err := ana.Text(ctx, "muguet", bad); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("%q can be read: %v", bad, err)
		}
		if err := ana.Save(ctx, "muguet", bad, "x", "", "x", false); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("%q can be written: %v", bad, err)
		}
	}
	for _, text := range []string{"\xff", "a\x00b", strings.Repeat("x", textMost+1)} {
		if err := ana.Save(ctx, "muguet", file, text, is.Hash, "x", false); code(err) != "text-form" {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

// TestWritersWordCampaignYAML: who only words may not change where a letter comes
// from or to whom it goes.
func TestWritersWordCampaignYAML(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	d := consoleDesk{h}.As("user:wil")
	is, err := d.Text(ctx, "muguet", specFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ old, is, code string }{
		{"rate: 0", "rate: 9000", "text-policy"},
		{"from: information@telecom-exemple.example", "from: evil@evil.example", "text-policy"},
		{"reply_to: cellule@telecom-exemple.example", "reply_to: evil@evil.example", "text-policy"},
		{"deceased: exclude", "deceased: send", "text-policy"},
		{"allow_links: []", "allow_links: [evil.example]", "text-policy"},
		{"code_name: MUGUET", "code_name: [", "campaign-file"},
		{"Claire Moreau", "Claire Durand", ""},
	} {
		text := strings.Replace(is.Content, x.old, x.is, 1)
		if text == is.Content {
			t.Fatalf("no %q", x.old)
		}
		if err := d.Save(ctx, "muguet", specFile, text, is.Hash, "x", true); code(err) != x.code && !(x.code == "" && err == nil) {
			t.Errorf("%s: %v", x.is, err)
		}
	}
}

// TestPreviewsOfWriting: what is not saved is rendered, faults have their line, and a
// text that cannot be used can be looked at and mended.
func TestPreviewsOfWriting(t *testing.T) {
	t.Parallel()
	in, h := deskOf(t)
	ctx := context.Background()
	d := consoleDesk{h}.As("user:wil")
	is, err := d.Text(ctx, "muguet", "breach.fr.md")
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Preview(ctx, "muguet", "breach.fr.md", is.Content+"\nUne phrase à voir.\n", console.Specimen{Sender: "second", Person: "represented", LargePrint: true, Occasion: "copy"})
	if err != nil || len(p.Faults)+len(p.Blocks) > 0 {
		t.Fatalf("%+v %+v %v", p.Faults, p.Blocks, err)
	}
	if !strings.Contains(string(p.HTML), "Une phrase à voir.") || !strings.Contains(p.Text, "Une phrase à voir.") || !strings.HasPrefix(string(p.PDF), "%PDF-") || p.Pages < 1 || p.Paper != "" {
		t.Errorf("html %d, pdf %d, pages %d, %s", len(p.HTML), len(p.PDF), p.Pages, p.Paper)
	}
	if p.Specimen.Letter != "breach" || p.Specimen.Locale != "fr" || !strings.Contains(p.From, "Nuage Mobile") {
		t.Errorf("%+v, from %s", p.Specimen, p.From)
	}
	p, err = d.Preview(ctx, "muguet", "breach.fr.md", is.Content+"\n{{.Nonsense}}\n", console.Specimen{})
	if want := strings.Count(is.Content, "\n") + 2; err != nil || len(p.Faults) == 0 || p.Faults[0].Line != want || p.HTML != nil {
		t.Errorf("want a fault at line %d: %+v %v", want, p.Faults, err)
	}
	p, err = d.Preview(ctx, "muguet", "breach.fr.md", strings.ReplaceAll(is.Content, "{{.Incident.Facts}}", "")+"\n<img src=http://evil.example/x.png>\n", console.Specimen{})
	if err != nil || len(p.Blocks) == 0 || strings.Contains(string(p.HTML), "<img src=http://evil") {
		t.Errorf("%+v %v", p.Blocks, err)
	}
	// Nothing of it was saved.
	if now, _ := d.Text(ctx, "muguet", "breach.fr.md"); now.Hash != is.Hash {
		t.Error("a preview has changed the text")
	}
	// A campaign.yaml that somebody broke by hand can be opened and mended here.
	spec, err := d.Text(ctx, "muguet", specFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in.path("data", "campaigns", "muguet", specFile), []byte(spec.Content+"\nnonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken, err := d.Text(ctx, "muguet", specFile)
	if err != nil || broken.Hash == spec.Hash {
		t.Fatal(err)
	}
	if all, err := d.Texts(ctx, "muguet"); err != nil || all.Fault == "" || len(all.Files) < 10 {
		t.Errorf("%+v %v", all, err)
	}
	if p, err := d.Preview(ctx, "muguet", specFile, broken.Content, console.Specimen{}); err != nil || len(p.Faults) == 0 {
		t.Errorf("%+v %v", p.Faults, err)
	}
	if p, err := d.Preview(ctx, "muguet", specFile, spec.Content, console.Specimen{}); err != nil || len(p.Faults) > 0 || len(p.PDF) == 0 {
		t.Errorf("%+v %v", p.Faults, err)
	}
	if err := d.Save(ctx, "muguet", specFile, spec.Content, broken.Hash, "mended", false); err != nil {
		t.Error(err)
	}
}

// TestNobodyApprovesOtherThanTheyRead: what is approved was submitted as it is, was
// seen as it is, and is nobody's own.
func TestNobodyApprovesOtherThanTheyRead(t *testing.T) {
	t.Parallel()
	in, h := deskOf(t)
	ctx := context.Background()
	ana, dpo := consoleDesk{h}.As("user:ana"), consoleDesk{h}.As("user:dpo")
	want := func(err error, is string) {
		t.Helper()
		if code(err) != is {
			t.Fatalf("want %s: %v", is, err)
		}
	}
	seen := func() string {
		s, err := dpo.Submission(ctx, "muguet")
		if err != nil {
			t.Fatal(err)
		}
		return s.Now
	}
	want(dpo.Approve(ctx, "muguet", seen(), "x"), "not-submitted")
	if err := ana.Submit(ctx, "muguet", "ready"); err != nil {
		t.Fatal(err)
	}
	want(ana.Approve(ctx, "muguet", seen(), "mine"), "approve-own")
	read := seen()
	// The letter is changed after the approver has read it: by hand, then on the desk.
	path := in.path("data", "campaigns", "muguet", "letters", "breach.fr.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "\nAutre.\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	want(dpo.Approve(ctx, "muguet", read, "x"), "submitted-other")
	want(dpo.Approve(ctx, "muguet", seen(), "x"), "submitted-other")
	is, err := dpo.Text(ctx, "muguet", "breach.fr.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := dpo.Save(ctx, "muguet", "breach.fr.md", is.Content+"\nEncore.\n", is.Hash, "x", false); err != nil {
		t.Fatal(err)
	}
	if err := ana.Submit(ctx, "muguet", "again"); err != nil {
		t.Fatal(err)
	}
	want(dpo.Approve(ctx, "muguet", read, "x"), "approve-own") // an approver who has edited is an author
	eva := consoleDesk{h}.As("user:eva")
	want(eva.Approve(ctx, "muguet", read, "x"), "seen-other")
	// What is frozen is compared once more: somebody may save between the two.
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.approve(ctx, c, read)
	want(err, "seen-other")
	if err := eva.Approve(ctx, "muguet", seen(), "read in both languages"); err != nil {
		t.Fatal(err)
	}
	all, err := ana.Texts(ctx, "muguet")
	if err != nil || all.Version != 1 || len(all.Changed) != 0 || all.Diff != "" {
		t.Fatalf("%+v %v", all, err)
	}
	// Any save after that voids the approval, and says what changed.
	is, _ = ana.Text(ctx, "muguet", "breach.fr.md")
	if err := ana.Save(ctx, "muguet", "breach.fr.md", strings.Replace(is.Content, "\nEncore.\n", "\n", 1), is.Hash, "shorter", false); err != nil {
		t.Fatal(err)
	}
	h.Relay = "smtp://127.0.0.1:1?tls=none"
	want(consoleDesk{h}.As("user:ana").Launch(ctx, "muguet", h.clock.Now(), 0, "go"), "approval-void")
	all, _ = ana.Texts(ctx, "muguet")
	if len(all.Changed) != 1 || !strings.Contains(all.Diff, "-Encore.") {
		t.Errorf("%+v", all)
	}
}

// TestNobodyIsTwoPeople: who made an approver's account, reset it or gave it its role
// approves nothing of their own through it, nor through one that it made; what they
// tried is on record, and a third person can untie it.
func TestNobodyIsTwoPeople(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	accounts, err := h.accounts()
	if err != nil {
		t.Fatal(err)
	}
	add := func(actor, login string, roles ...string) {
		t.Helper()
		if _, _, err := accounts.Add(ctx, actor, login, login, roles, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := accounts.Setup(ctx, "ana", "Ana", journeyPassword, "en"); err != nil {
		t.Fatal(err)
	}
	add("user:ana", "two", "admin")
	add("user:two", "dpo", "approver")
	add("user:shell", "sec", "admin")
	add("user:sec", "eva", "approver")
	ana := consoleDesk{h}.As("user:ana")
	if err := ana.Submit(ctx, "muguet", "ready"); err != nil {
		t.Fatal(err)
	}
	approve := func(login string) string {
		t.Helper()
		desk := consoleDesk{h}.As("user:" + login)
		s, err := desk.Submission(ctx, "muguet")
		if err != nil {
			t.Fatal(err)
		}
		err = desk.Approve(ctx, "muguet", s.Now, "read")
		if tied := code(err) == "tied"; tied != s.Tied.Refused {
			t.Errorf("%s: the page says %+v, and the deed %v", login, s.Tied, err)
		}
		return code(err)
	}
	if got := approve("dpo"); got != "tied" {
		t.Errorf("through two accounts: %s", got)
	}
	for _, actor := range []string{"user:ana", "user:two"} { // neither unties what is theirs
		if _, err := accounts.Confirm(ctx, actor, "dpo"); actor == "user:two" && code(err) != "own-hand" || actor == "user:ana" && err != nil {
			t.Errorf("%s: %v", actor, err)
		}
		if got := approve("dpo"); got != "tied" {
			t.Errorf("confirmed by %s: %q", actor, got)
		}
	}
	// Somebody else's account is taken over: a role, a password, an authenticator.
	if _, _, err := accounts.Reset(ctx, "user:ana", "eva", true); err != nil {
		t.Fatal(err)
	}
	if got := approve("eva"); got != "tied" {
		t.Errorf("an account that was reset: %q", got)
	}
	if _, err := accounts.Confirm(ctx, "user:sec", "eva"); code(err) != "own-hand" {
		t.Errorf("%v", err)
	}
	if _, err := accounts.Confirm(ctx, "user:shell", "eva"); err != nil {
		t.Fatal(err)
	}
	tied := 0
	for a, err := range h.ledger.AuditTrail(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Action == "approve-tied" && strings.Contains(a.Detail, "was in the hands of user:") {
			tied++
		}
	}
	if tied != 4 {
		t.Errorf("%d attempts on record, 4 were made", tied)
	}
	if got := approve("eva"); got != "" {
		t.Errorf("confirmed at the machine: %q", got)
	}
}
