package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestALanguageMore: a campaign gets a language; it is shown beside its text at once,
// what nobody has translated blocks, and what is refused leaves nothing behind.
func TestALanguageMore(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	d := consoleDesk{h}.As("user:wil")
	w, err := d.Wording(ctx, "muguet", "fr")
	if err != nil || w.Locale != "fr" || !slices.ContainsFunc(w.Phrases, func(p console.Phrase) bool { return p.Key == "senders.main.hours" && p.Text != "" }) {
		t.Fatalf("%+v %v", w, err)
	}
	was, err := d.Texts(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ locale, from, code string }{
		{"fr", "en", "locale-there"}, {"de", "nl", "locale-from"}, {"../de", "fr", "locale-form"}, {"de\n", "fr", "locale-form"}, {"DE", "fr", "locale-form"}, {"d", "fr", "locale-form"}, {"", "fr", "locale-form"},
	} {
		if err := d.AddLocale(ctx, "muguet", console.NewLocale{Locale: x.locale, From: x.from}, "x"); code(err) != x.code {
			t.Errorf("%q from %q: %v", x.locale, x.from, err)
		}
	}
	if now, _ := d.Texts(ctx, "muguet"); len(now.Files) != len(was.Files) || now.Hash != was.Hash {
		t.Error("what was refused has left something behind")
	}

	const facts = "Unbekannte haben sich im Januar Zugang verschafft: \"Konto\", {Daten} & <b>mehr</b>.\n\nWir haben es bemerkt."
	l := console.NewLocale{Locale: "de", From: "fr", Texts: map[string]string{"incident.facts": facts, "incident.measures": "Wir haben den Zugang am selben Tag geschlossen.\nWir haben Anzeige erstattet und die Behörde informiert."}}
	if err := d.AddLocale(ctx, "muguet", l, "customers who write in German"); err != nil {
		t.Fatal(err)
	}
	now, err := d.Texts(ctx, "muguet")
	if err != nil || now.Fault != "" || len(now.Files) != len(was.Files)+5 {
		t.Fatalf("%+v %v", now, err)
	}
	spec, err := d.Text(ctx, "muguet", specFile)
	if err != nil || spec.Last() == nil || !strings.Contains(spec.Content, "# ") {
		t.Fatalf("%+v %v", spec.Last(), err)
	}
	s, err := parseSpec(specFile, []byte(spec.Content))
	if err != nil || s.Incident.Facts["de"] != facts || len(s.Incident.Measures["de"]) != 2 || s.Incident.NotTaken["de"] != strings.TrimSpace(s.Incident.NotTaken["fr"]) {
		t.Fatalf("%+v %v", s.Incident, err)
	}
	// Its letter is there, in its words, and says what is not German yet.
	is, err := d.Text(ctx, "muguet", "breach.de.md")
	if err != nil || is.Last() == nil || is.Last().Actor != "user:wil" {
		t.Fatalf("%+v %v", is.History, err)
	}
	p, err := d.Preview(ctx, "muguet", "breach.de.md", is.Content, console.Specimen{})
	if err != nil || p.Specimen.Locale != "de" || len(p.Faults) > 0 || !strings.Contains(p.Text, "Unbekannte haben sich") || !strings.HasPrefix(string(p.PDF), "%PDF-") || !strings.Contains(string(p.HTML), `lang="de"`) {
		t.Errorf("%+v %+v %v", p.Specimen, p.Faults, err)
	}
	same := func(list []console.Finding) (files []string) {
		for _, f := range list {
			if f.Code == "L34" {
				files = append(files, f.File)
			}
		}
		return files
	}
	if !slices.Contains(same(p.Blocks), "breach.de.md") {
		t.Errorf("what nobody has translated blocks nothing: %+v", p.Blocks)
	}
	done, err := d.Check(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"breach.de.md", "supplement.de.md", "parts.de.md", "catalogue.de.yaml", "locale.de.yaml", specFile} {
		if !slices.Contains(same(done.Blocks), file) {
			t.Errorf("%s blocks nothing: %v", file, same(done.Blocks))
		}
	}
	// A region of the same language may say the same.
	if err := d.AddLocale(ctx, "muguet", console.NewLocale{Locale: "fr-be", From: "fr"}, "Belgium"); err != nil {
		t.Fatal(err)
	}
	done, err = d.Check(ctx, "muguet")
	if err != nil || slices.ContainsFunc(same(done.Blocks), func(f string) bool { return strings.Contains(f, ".fr-be.") }) {
		t.Errorf("%v %v", same(done.Blocks), err)
	}
	edits := 0
	for a, err := range h.ledger.AuditTrail(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Action == actionEdit && a.Actor == "user:wil" && a.Reason == "customers who write in German" {
			edits++
		}
	}
	if edits != 6 {
		t.Errorf("%d edits on record, 6 files were written", edits)
	}
}

// TestALanguageByHand: a campaign.yaml that nothing can be added to says by name what
// is to be added, and stays.
func TestALanguageByHand(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	d := consoleDesk{h}.As("user:wil")
	is, err := d.Text(ctx, "muguet", specFile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSpec(specFile, []byte(is.Content))
	if err != nil {
		t.Fatal(err)
	}
	anchored := strings.Replace(is.Content, "locales: [fr, en]", "locales: &all [fr, en]", 1)
	if anchored == is.Content {
		t.Fatal("campaign.yaml has other locales")
	}
	_, err = withLocale(anchored, s, console.NewLocale{Locale: "de", From: "fr"})
	if code(err) != "locale-yaml" {
		t.Fatal(err)
	}
	if own, ok := err.(*pipeline.Error); !ok || !strings.Contains(own.Hint, "letters.locales") {
		t.Errorf("%+v", err)
	}
}
