package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

type keyReturnPathsCmd struct {
	AtOnce bool `help:"Also if the key was changed a short time ago: bounces of what was sent with the one before it are put aside."`
}

// Help shows examples.
func (keyReturnPathsCmd) Help() string {
	return `Return paths carry a signature, so that nobody can forge a bounce. This signs those of what is sent from now on with another key, within seconds, also in services that run. What was signed with the key before is believed until the next change; what is older is put aside as key-retired, so a change within 10 days of the last one is refused. Each campaign has its own keys in any case.

Examples:

    art34 key return-paths
    art34 key return-paths --at-once`
}

const (
	// metaReturnKey is the number of the key that signs return paths, "" for 0. The
	// one before stays in force for what is still on its way.
	metaReturnKey = "return-path/key"
	// metaReturnKeyAt is when it was changed.
	metaReturnKeyAt = "return-path/changed"
	// returnKeyRest lets the last bounces of what was signed with a key come in.
	returnKeyRest = 10 * 24 * time.Hour
	lastReturnKey = 31 // a return path has one character for it
)

// returnKey is the number of the key that signs return paths now.
func (h *house) returnKey(ctx context.Context) (int, error) {
	s, err := h.ledger.Meta(ctx, metaReturnKey)
	if err != nil || s == "" {
		return 0, err
	}
	return strconv.Atoi(s)
}

// Run goes on to the next key.
func (c keyReturnPathsCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	number, err := h.returnKey(ctx)
	if err != nil {
		return err
	}
	at, err := h.metaTime(ctx, metaReturnKeyAt)
	if err != nil {
		return err
	}
	now := h.real.Now()
	switch {
	case number >= lastReturnKey:
		return decline("return-path-keys", "there is no further key for return paths in this installation", "begin the next campaign in a new one")
	case !at.IsZero() && now.Sub(at) < returnKeyRest && !c.AtOnce:
		return decline("return-path-keys", "the key was changed on "+at.Local().Format(time.DateTime)+": bounces of what was sent before would be put aside", "wait, or use --at-once if signatures of ours are in wrong hands")
	}
	was := ""
	if number > 0 {
		was = strconv.Itoa(number)
	}
	number++
	// The time first, which stops whoever comes later; of two who are past that the number
	// lets one through.
	if _, err := h.ledger.SetMeta(ctx, metaReturnKeyAt, now.UTC().Format(time.RFC3339), false); err != nil {
		return err
	}
	err = h.ledger.SwapMeta(ctx, metaReturnKey, was, strconv.Itoa(number))
	if errors.Is(err, pipeline.ErrConflict) {
		return decline("return-path-keys", "somebody else has changed the key at this very moment", "art34 key return-paths says when")
	}
	if err != nil {
		return err
	}
	if err := h.ledger.Append(ctx, a.audit(0, "key-return-paths", "", fmt.Sprintf("key %d", number))); err != nil {
		return err
	}
	return a.answer(map[string]int{"key": number}, func(w io.Writer) {
		fmt.Fprintf(w, "Return paths are signed with key %d from now on; key %d stays in force until the next change.\n", number, number-1)
	})
}
