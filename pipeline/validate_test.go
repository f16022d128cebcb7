package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// valid returns a spec without faults.
func valid() *pipeline.Spec {
	day := func(d int) pipeline.Date { return pipeline.Date{Time: time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC)} }
	return &pipeline.Spec{
		CodeName: "MUGUET", Kind: "breach",
		Incident: pipeline.Incident{HappenedFrom: day(12), HappenedTo: day(15), Discovered: day(16), Facts: pipeline.Texts{"fr": "x"}, NotTaken: pipeline.Texts{"fr": "x"}},
		Controller: pipeline.Controller{Name: "Télécom Exemple", Address: []string{"1 rue"},
			DPO: pipeline.Contact{Name: "DPO", Post: "1 rue"}},
		Senders: map[string]pipeline.Sender{"main": {LegalName: "Télécom Exemple SA", DisplayName: "Télécom Exemple", From: "info@example.fr", ReplyTo: "cellule@example.fr",
			EnvelopeDomain: "bounce.example.fr", Phone: "01 99 00 00 00", ReturnAddress: []string{"TSA 12345"}, Hours: pipeline.Texts{"fr": "8 h à 20 h"}}},
		SenderOf: map[string]string{"*": "main"},
		Letters:  pipeline.Letters{Template: "breach", Locales: []string{"fr"}, FallbackLocale: "fr"},
	}
}

func TestValidateTakesAGoodSpec(t *testing.T) {
	t.Parallel()
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*pipeline.Spec){
		"gives away":                    func(s *pipeline.Spec) { s.CodeName = "BREACH-2026" },
		"code_name":                     func(s *pipeline.Spec) { s.CodeName = "../x" },
		"kind is":                       func(s *pipeline.Spec) { s.Kind = "newsletter" },
		"without a click":               func(s *pipeline.Spec) { s.Controller.DPO.Post = "" },
		"incident.discovered is before": func(s *pipeline.Spec) { s.Incident.Discovered.Time = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		"happened_to is before":         func(s *pipeline.Spec) { s.Incident.HappenedTo.Time = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		"incident.facts.en":             func(s *pipeline.Spec) { s.Letters.Locales = append(s.Letters.Locales, "en") },
		`sender_of has no "*"`:          func(s *pipeline.Spec) { s.SenderOf = nil },
		"which is not in senders":       func(s *pipeline.Spec) { s.SenderOf["mobile"] = "x" },
		"line break":                    func(s *pipeline.Spec) { change(s, func(m *pipeline.Sender) { m.DisplayName = "a\r\nBcc: x" }) },
		"not a bare e-mail address":     func(s *pipeline.Spec) { change(s, func(m *pipeline.Sender) { m.From = "A <a@example.fr>" }) },
		"not a host name":               func(s *pipeline.Spec) { change(s, func(m *pipeline.Sender) { m.EnvelopeDomain = "bounce" }) },
		"without a path":                func(s *pipeline.Spec) { change(s, func(m *pipeline.Sender) { m.Logo = "../../etc/passwd" }) },
		"no such flag":                  func(s *pipeline.Spec) { s.Flags = map[string]string{"vipp": "hold"} },
		"send, hold, exclude":           func(s *pipeline.Spec) { s.Flags = map[string]string{"vip": "ignore"} },
		"email.connections is 1000":     func(s *pipeline.Spec) { s.Email.Connections = 1000 },
		"email.hours":                   func(s *pipeline.Spec) { s.Email.Hours = "always" },
		"no such provider":              func(s *pipeline.Spec) { s.Email.Providers.Limits = map[string]pipeline.ProviderLimit{"gmial": {}} },
		"post.run_size":                 func(s *pipeline.Spec) { s.Post.RunSize = 100000 },
		"wait for ever":                 func(s *pipeline.Spec) { s.Post.MinLetters = 5 },
		"feedback.in_doubt":             func(s *pipeline.Spec) { s.Feedback.InDoubt = "maybe" },
		"negative time":                 func(s *pipeline.Spec) { s.Feedback.Deadline = -1 },
		"schedule.email_from":           func(s *pipeline.Spec) { s.Schedule.EmailFrom = "tomorrow" },
		"email_until is not after": func(s *pipeline.Spec) {
			s.Schedule = pipeline.Schedule{EmailFrom: "2026-01-20T08:00:00Z", EmailUntil: "2026-01-20T08:00:00Z"}
		},
		"letters.allow_links":             func(s *pipeline.Spec) { s.Letters.AllowLinks = []string{"https://example.com/x"} },
		"data_kinds.Bank Data":            func(s *pipeline.Spec) { s.DataKinds = map[string]pipeline.DataKind{"Bank Data": {}} },
		"letters.fallback_locale":         func(s *pipeline.Spec) { s.Letters.FallbackLocale = "de" },
		"senders is empty":                func(s *pipeline.Spec) { s.Senders = nil },
		"doubt_share":                     func(s *pipeline.Spec) { s.Email.Breaker.DoubtShare = 5 },
		"channels.shared_email_limit is ": func(s *pipeline.Spec) { s.Channels.SharedEmailLimit = -3 },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := valid()
			spoil(s)
			err := s.Validate()
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
		})
	}
	var all *pipeline.SpecError
	if err := new(pipeline.Spec).Validate(); !errors.As(err, &all) || len(all.Faults) < 8 {
		t.Errorf("an empty spec has many faults, got %v", err)
	}
}

func change(s *pipeline.Spec, f func(*pipeline.Sender)) {
	m := s.Senders["main"]
	f(&m)
	s.Senders["main"] = m
}
