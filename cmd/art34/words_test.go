package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestAloudSaysOnlyWhatHappened: a caller is not told of an e-mail that never was,
// nor promised an answer that nobody gives.
func TestAloudSaysOnlyWhatHappened(t *testing.T) {
	t.Parallel()
	letter, mail := pipeline.Attempt{N: 1, Channel: pipeline.Post}, pipeline.Attempt{N: 1, Channel: pipeline.Email}
	for _, c := range []struct {
		name     string
		n        pipeline.Notice
		attempts []pipeline.Attempt
		says     string
		never    string
	}{
		{"a spoiled letter", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Post}, []pipeline.Attempt{letter}, "letter is being prepared", "e-mail"},
		{"a dead address", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Post}, []pipeline.Attempt{mail}, "a letter is about to leave", "handed to the post"},
		{"a letter that came back", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Email}, []pipeline.Attempt{letter}, "an e-mail is about to be sent", "wrote to you by e-mail"},
		{"excluded", pipeline.Notice{State: pipeline.Excluded}, nil, "passing your call on", "will answer"},
		{"cancelled", pipeline.Notice{State: pipeline.Cancelled}, nil, "passing your call on", "will answer"},
		{"a supplement to come", pipeline.Notice{State: pipeline.Due, Role: pipeline.Supplement, Channel: pipeline.Post}, nil, "a letter that completes our first message is about to be sent", "wrote to you"},
		{"a supplement sent", pipeline.Notice{State: pipeline.Accepted, Role: pipeline.Supplement, Channel: pipeline.Email}, []pipeline.Attempt{mail}, "completed our first message by an e-mail", "wrote to you by"},
		{"a supplement held", pipeline.Notice{State: pipeline.Held, Role: pipeline.Supplement}, nil, "more of your data is concerned", "your file"},
		{"a copy to come", pipeline.Notice{State: pipeline.Due, Role: pipeline.Copy, Channel: pipeline.Post}, nil, "paper copy of our e-mail is about", "A letter is"},
		{"a copy posted", pipeline.Notice{State: pipeline.Posted, Role: pipeline.Copy, Channel: pipeline.Post}, []pipeline.Attempt{letter}, "paper copy of our e-mail was handed to the post", "Your letter"},
		{"an excluded supplement", pipeline.Notice{State: pipeline.Excluded, Role: pipeline.Supplement}, nil, "passing your call on", "completes"},
		{"a letter that came back for good", pipeline.Notice{State: pipeline.Unreachable, Reason: pipeline.ReasonReturned}, []pipeline.Attempt{letter}, "wrote to you by post, but the letter could not", "no valid address"},
		{"an e-mail that failed for good", pipeline.Notice{State: pipeline.Unreachable, Reason: pipeline.ReasonAddressDead}, []pipeline.Attempt{mail}, "wrote to you by e-mail, but it could not", "could not write"},
		{"both failed", pipeline.Notice{State: pipeline.Unreachable}, []pipeline.Attempt{mail, letter}, "by e-mail and by post", "could not write"},
		{"no address", pipeline.Notice{State: pipeline.Unreachable}, nil, "could not write to you: we have no valid address", "by e-mail"},
		{"recalled", pipeline.Notice{State: pipeline.Held, Reason: pipeline.ReasonRecalled}, []pipeline.Attempt{letter}, "we stopped it", "colleagues"},
	} {
		said := aloud(c.n, c.attempts, nil)
		if !strings.Contains(said["en"], c.says) || strings.Contains(said["en"], c.never) {
			t.Errorf("%s: %q", c.name, said["en"])
		}
		if said["fr"] == "" {
			t.Errorf("%s: nothing in French", c.name)
		}
	}
}

// TestConcernedWords: whoever asks is told yes only where nobody still decides, and
// perhaps where the forensics say perhaps.
func TestConcernedWords(t *testing.T) {
	t.Parallel()
	sure, perhaps := []pipeline.Exposure{{Kind: "contact"}}, []pipeline.Exposure{{Kind: "contact", Possible: true}}
	for _, c := range []struct {
		state pipeline.State
		p     pipeline.Person
		says  string
	}{
		{pipeline.Accepted, pipeline.Person{Own: sure}, "Yes, some of your data is concerned."},
		{pipeline.Due, pipeline.Person{Contracts: []pipeline.Contract{{Data: perhaps}, {Data: sure}}}, "Yes, some"},
		{pipeline.Due, pipeline.Person{Contracts: []pipeline.Contract{{Data: perhaps}}}, "may be concerned"},
		{pipeline.Held, pipeline.Person{Own: sure}, ""},
		{pipeline.Unreachable, pipeline.Person{Own: sure}, ""},
		{pipeline.Informed, pipeline.Person{}, ""},
	} {
		said := before(concernedWords(pipeline.Notice{State: c.state}, c.p), map[string]string{"fr": "Suite.", "en": "Then."})
		if !strings.HasSuffix(said["en"], "Then.") || !strings.Contains(said["en"], c.says) || c.says == "" && said["en"] != "Then." {
			t.Errorf("%s %v: %q", c.state, c.says, said["en"])
		}
		if (said["fr"] == "Suite.") != (c.says == "") {
			t.Errorf("%s: %q", c.state, said["fr"])
		}
	}
}

// TestRoomless: a full disk is said as such, wherever it showed; other failures
// stay what they are.
func TestRoomless(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		full bool
	}{
		{fmt.Errorf("rejects: %w", syscall.ENOSPC), true},
		{&pipeline.Error{Code: "spill-failed", Cause: syscall.ENOSPC}, true},
		{&pipeline.Error{Code: "spill-failed", Cause: syscall.EACCES}, false},
		{errors.Join(&pipeline.Error{Code: "ledger-disk-full"}, errors.New("import 1 stays staged until the next sweep")), true},
		{&pipeline.Error{Code: "header-missing"}, false},
		{errors.New("anything"), false},
	} {
		if got := pipeline.ErrorCode(roomless(c.err, "data")) == "disk-full"; got != c.full {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

// TestBreakerWords: whoever reads the status knows what to type, and is not sent to
// release what closes by itself.
func TestBreakerWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b                  pipeline.Breaker
		says, hint, silent string
	}{
		{pipeline.Breaker{Scope: "relay", Reason: "relay-away"}, "cannot be reached", "tried again by itself", "release"},
		{pipeline.Breaker{Scope: "relay", Reason: "relay-refuses", Detail: "relay-tls"}, "STARTTLS", "art34 release muguet --breaker relay --reason", "postmaster"},
		{pipeline.Breaker{Scope: "relay", Reason: "relay-refuses", Detail: "relay-auth"}, "does not accept our login", "password file", "postmaster"},
		{pipeline.Breaker{Scope: "provider:orange", Reason: "provider-refuse"}, "the provider orange refuses us", "--breaker provider:orange", "import"},
		{pipeline.Breaker{Scope: "kind:mobile", Reason: "dead-share"}, "the contract kind mobile", "look at the bounces", "postmaster"},
		{pipeline.Breaker{Scope: "import:3", Reason: "new-reason"}, "import 3 is stopped (new-reason)", "--breaker import:3", "postmaster"},
	} {
		sentence, hint := breakerWords(c.b, "muguet")
		if !strings.Contains(sentence, c.says) || !strings.Contains(hint, c.hint) || strings.Contains(hint, c.silent) {
			t.Errorf("%s %s: %q, %q", c.b.Scope, c.b.Reason, sentence, hint)
		}
	}
}

// TestReasonWords: no reason that the rules or the import give is said as a
// person's decision.
func TestReasonWords(t *testing.T) {
	t.Parallel()
	reasons := []string{
		pipeline.ReasonAddressDead, pipeline.ReasonDeadline, pipeline.ReasonTransient, pipeline.ReasonOurs, pipeline.ReasonSecondDoubt, pipeline.ReasonDoubt,
		pipeline.ReasonReturned, pipeline.ReasonRejected, pipeline.ReasonVoided, pipeline.ReasonRecalled, pipeline.ReasonUnfit, pipeline.ReasonNoContact,
		pipeline.ReasonNoAddress, pipeline.ReasonNoPrintable, pipeline.ReasonLateEvidence, pipeline.ReasonTold, pipeline.ReasonCorrected,
		pipeline.ReasonBounces + "kind:mobile", pipeline.ReplyClosed, pipeline.ReplyLeft, pipeline.ReplyChallenge, checkPrefix + "L05", "names-differ", "parent-cancelled",
	}
	for flag := range pipeline.DefaultFlagRules() {
		if flag != pipeline.FlagNoEmail && flag != pipeline.FlagNoPost { // these hold nobody
			reasons = append(reasons, flag)
		}
	}
	for _, r := range reasons {
		if words := reasonWords(r); words == "" || strings.Contains(words, "a person decided") {
			t.Errorf("%s: %q", r, words)
		}
	}
	if words := reasonWords("calls-back"); !strings.Contains(words, "a person decided so (calls-back)") {
		t.Errorf("%q", words)
	}
}
