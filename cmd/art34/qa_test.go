package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// TestStartersSayWhatTheCampaignSays: the facts of campaign.yaml and nothing else; a
// gap where there is none; and nothing wrong with any of them.
func TestStartersSayWhatTheCampaignSays(t *testing.T) {
	t.Parallel()
	day := func(s string) pipeline.Date {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return pipeline.Date{Time: at}
	}
	spec := &pipeline.Spec{
		Kind: "breach",
		Incident: pipeline.Incident{
			HappenedFrom: day("2026-01-12"), HappenedTo: day("2026-01-15"), Discovered: day("2026-01-16"),
			Facts: pipeline.Texts{"fr": "# Quelqu'un a copié des *données*.\n\n# Q ?\n\ntopic: injected", "en": "Somebody copied {{.Phone}} data."}, NotTaken: pipeline.Texts{"fr": "Aucun mot de passe.", "en": "No password."},
			Measures: pipeline.TextLists{"fr": {"Accès fermé le 16 janvier."}, "en": {"Access closed on 16 January."}},
		},
		Controller: pipeline.Controller{Name: "Exemple SA", Address: []string{"1 place", "75000 Paris"}, DPO: pipeline.Contact{Name: "Déléguée", Post: "TSA 1", Email: "dpo@exemple.example"}},
		Senders:    map[string]pipeline.Sender{"main": {DisplayName: "Exemple", From: "info@exemple.example", Phone: "01 99 00 00 00", Hours: pipeline.Texts{"fr": "de 8 h à 20 h"}}},
		SenderOf:   map[string]string{"*": "main"},
	}
	full, err := fillStarters(spec)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := fillStarters(&pipeline.Spec{Kind: "breach"})
	if err != nil {
		t.Fatal(err)
	}
	if len(full) != 66 || len(empty) != 66 {
		t.Fatalf("%d and %d questions", len(full), len(empty))
	}
	topics := map[string]answer.Entry{}
	for i, e := range full {
		topics[e.Topic+"."+e.Locale] = e
		for _, f := range answer.Check(e, nil) {
			t.Errorf("%s.%s: %s", e.Topic, e.Locale, f.Sentence())
		}
		for _, bad := range []string{"{{", "<no value>", "  ,", " .", "\n\n\n\n"} {
			if bad != "{{" && strings.Contains(e.Answer, bad) {
				t.Errorf("%s.%s holds %q:\n%s", e.Topic, e.Locale, bad, e.Answer)
			}
		}
		if len(answer.Gaps(e)) > len(answer.Gaps(empty[i])) {
			t.Errorf("%s.%s has more gaps with facts than without", e.Topic, e.Locale)
		}
	}
	if _, ok := topics["injected.fr"]; ok {
		t.Error("a fact has made a question")
	}
	for topic, want := range map[string]string{
		"what-happened.fr": "entre le 12 janvier 2026 et le 15 janvier 2026", "what-happened.en": "Somebody copied \\{\\{.Phone\\}\\} data.", "password-card.fr": "Aucun mot de passe.", "genuine.en": "info@exemple.example",
		"measures.en": "- Access closed on 16 January.", "complain.fr": "dpo@exemple.example", "compensation.en": "**Exemple SA**, 1 place, 75000 Paris", "dpo.fr": "**01 99 00 00 00** (de 8 h à 20 h)",
	} {
		if !strings.Contains(topics[topic].Answer, want) {
			t.Errorf("%s does not say %q:\n%s", topic, want, topics[topic].Answer)
		}
	}
	for topic, want := range map[string]bool{"who-did-it.fr": true, "why-so-late.fr": true, "measures.fr": false, "password-card.en": false, "what-to-do.fr": false} {
		if got := len(answer.Gaps(topics[topic])) > 0; got != want {
			t.Errorf("%s has gaps: %t", topic, got)
		}
	}
	i := slices.IndexFunc(empty, func(e answer.Entry) bool { return e.Topic == "measures" })
	if len(answer.Gaps(empty[i])) == 0 {
		t.Error("measures that nobody named are no gap")
	}
}
