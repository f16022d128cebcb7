package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
)

// closeBreaker closes a breaker of a campaign, or says which there are.
func (h *house) closeBreaker(ctx context.Context, c pipeline.Campaign, scope, reason string) error {
	open, err := h.ledger.Breakers(ctx, c.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(open, func(b pipeline.Breaker) bool { return b.Scope == scope })
	switch {
	case len(open) == 0:
		return decline("no-breaker", "no breaker is open in "+c.Name, "art34 status "+c.Name+" says what is in the way")
	case at < 0:
		scopes := make([]string, len(open))
		for i, b := range open {
			scopes[i] = b.Scope
		}
		return decline("no-breaker", "no breaker "+scope+" is open in "+c.Name, "open: "+strings.Join(scopes, ", "))
	}
	if err := h.operations().ReleaseBreaker(ctx, c.Name, scope, reason); err != nil {
		return err
	}
	return h.answer(map[string]string{"campaign": c.Name, "breaker": scope, "state": "closed"}, func(w io.Writer) {
		fmt.Fprintf(w, "The breaker of %s is closed in %s.\n", scopeWords(scope), c.Name)
		if c.State != pipeline.Running {
			fmt.Fprintf(w, "The campaign is %s all the same.\n", c.State)
		}
	})
}

// selfClosing reports whether a breaker closes without anybody's doing.
func selfClosing(b pipeline.Breaker) bool {
	return b.Reason == dispatch.BlockRelayAway || !b.Until.IsZero()
}

// scopeWords says what a breaker stands before.
func scopeWords(scope string) string {
	kind, name, _ := strings.Cut(scope, ":")
	switch kind {
	case "relay":
		return "the relay"
	case "provider":
		return "the provider " + name
	case "import":
		return "import " + name
	case "kind":
		return "the contract kind " + name
	}
	return scope
}

// breakerWords says in a sentence, without a full stop, why a breaker is open, and
// what to do about it.
func breakerWords(b pipeline.Breaker, campaign string) (sentence, hint string) {
	then := fmt.Sprintf("then art34 release %s --breaker %s --reason \"…\"", campaign, b.Scope)
	what := scopeWords(b.Scope)
	switch b.Reason {
	case dispatch.BlockRelayAway:
		hint = "it is tried again by itself; check that it runs and that ART34_RELAY of the service names it"
		if !b.Until.IsZero() {
			hint += "; next at " + shown(b.Until)
		}
		return "the relay cannot be reached", hint
	case dispatch.BlockRefused:
		switch b.Detail {
		case "relay-tls":
			return "the relay and we do not come to an encrypted connection: it offers no STARTTLS, or its certificate is not to be trusted", "repair that at the relay; or write ?tls=none at the end of ART34_RELAY if the network between is yours alone, and start art34 run again; " + then
		case "relay-auth":
			return "the relay does not accept our login", "correct the user in ART34_RELAY or the password file, start art34 run again, " + then
		}
		return "the relay refuses us", "ask whoever runs it, " + then
	case dispatch.BlockDoubts:
		return "too many e-mails were handed over without an answer", "look at the relay and at the network before it, " + then
	case dispatch.BlockUnfit:
		return "one letter after the other cannot be made", "art34 check " + campaign + " says why; " + then
	case dispatch.BlockProvider:
		return what + " refuses us, not the addresses", "ask its postmaster, slow down with art34 pacing, " + then
	case dispatch.BlockDeadShare:
		return "so many addresses of " + what + " are called dead that the list or the provider must be wrong", "look at the bounces before letters go out; " + then
	}
	return what + " is stopped (" + b.Reason + ")", "mend the cause, " + then
}
