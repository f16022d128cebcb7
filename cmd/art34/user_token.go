package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

type userTokenCmd struct {
	Add    tokenAddCmd    `cmd:"" help:"Make a token for a program of the company; prints it once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens, also those that are over."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
	Scopes tokenScopesCmd `cmd:"" help:"Print what a token can be for."`
}

type tokenArg struct {
	Name string `arg:"" help:"Name of the token." placeholder:"NAME"`
}

// tokenView is a token as it is listed.
type tokenView struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	State     string     `json:"state"` // active, expired, revoked
	PerMinute int        `json:"per_minute"`
	LookUps   int        `json:"look_ups_per_hour"`
	CreatedBy string     `json:"created_by"`
	Expires   time.Time  `json:"expires"`
	Seen      *time.Time `json:"last_used"`
	Token     string     `json:"token,omitempty"` // of add, once
}

func (a *app) viewToken(t pipeline.APIToken) tokenView {
	v := tokenView{t.Name, t.Scopes, "active", t.PerMinute, t.LookUps, strings.TrimPrefix(t.CreatedBy, "user:"), t.ExpiresAt, nil, ""}
	if !t.SeenAt.IsZero() {
		v.Seen = &t.SeenAt
	}
	switch {
	case !t.RevokedAt.IsZero():
		v.State = "revoked"
	case !a.real.Now().Before(t.ExpiresAt):
		v.State = "expired"
	}
	return v
}

type tokenAddCmd struct {
	tokenArg
	Scope     []string      `help:"What it is for; art34 user token scopes lists them." required:"" placeholder:"SCOPE,…"`
	For       time.Duration `help:"How long it lives." default:"2160h" placeholder:"DURATION"`
	PerMinute int           `help:"Requests a minute." default:"120" placeholder:"N"`
	LookUps   int           `help:"Look-ups of customers an hour." default:"600" placeholder:"N"`
	Reason    string        `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (tokenAddCmd) Help() string {
	return `The token is printed once and kept nowhere; the ledger holds a keyed hash of it. Whoever has it does what the scopes allow, until it ends or is revoked, and what it does stands in the audit trail as token:NAME.

` + reasonHelp + `

Example:

    art34 user token add crm --scope answer,look-up,help --for 720h --reason "customer system of the cell"`
}

// Run makes a token.
func (c tokenAddCmd) Run(ctx context.Context, a *app) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withAccounts(ctx, func(_ *house, accounts *console.Accounts) error {
		t, text, err := accounts.AddToken(ctx, a.actor(), console.TokenOrder{Name: c.Name, Scopes: c.Scope, PerMinute: c.PerMinute, LookUps: c.LookUps, Life: c.For}, c.Reason)
		if err != nil {
			return err
		}
		v := a.viewToken(t)
		v.Token = text
		return a.answer(v, func(w io.Writer) {
			fmt.Fprintf(w, "%s (%s) until %s: %s\n", t.Name, strings.Join(t.Scopes, ", "), t.ExpiresAt.Local().Format(time.RFC3339), text)
		})
	})
}

type tokenListCmd struct{}

// Help shows examples.
func (tokenListCmd) Help() string {
	return `Example:

    art34 user token list --json`
}

// Run lists the tokens.
func (tokenListCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, _ *console.Accounts) error {
		all, err := h.ledger.AllTokens(ctx)
		if err != nil {
			return err
		}
		views := []tokenView{}
		for _, t := range all {
			views = append(views, a.viewToken(t))
		}
		return a.answer(views, func(w io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(w, "No program has a token.")
				return
			}
			table(w, func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tSCOPES\tSTATE\tEXPIRES\tLAST USED")
				for _, v := range views {
					seen := "never"
					if v.Seen != nil {
						seen = v.Seen.Local().Format(time.RFC3339)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, strings.Join(v.Scopes, ","), v.State, v.Expires.Local().Format(time.RFC3339), seen)
				}
			})
		})
	})
}

type tokenRevokeCmd struct {
	tokenArg
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (tokenRevokeCmd) Help() string {
	return reasonHelp + `

Example:

    art34 user token revoke crm --reason "the system was replaced"`
}

// Run ends a token.
func (c tokenRevokeCmd) Run(ctx context.Context, a *app) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withAccounts(ctx, func(_ *house, accounts *console.Accounts) error {
		if err := accounts.RevokeToken(ctx, a.actor(), c.Name, c.Reason); err != nil {
			return err
		}
		return a.answer(map[string]string{"name": c.Name, "state": "revoked"}, func(w io.Writer) { fmt.Fprintf(w, "%s is revoked.\n", c.Name) })
	})
}

type tokenScopesCmd struct{}

// Help shows examples.
func (tokenScopesCmd) Help() string {
	return `Example:

    art34 user token scopes`
}

// Run prints the scopes.
func (tokenScopesCmd) Run(_ context.Context, a *app) error {
	type row struct {
		Scope string `json:"scope"`
		Does  string `json:"does"`
	}
	rows := []row{}
	for _, s := range console.Scopes() {
		for _, p := range console.Permissions() {
			if p.Action == s {
				rows = append(rows, row{string(s), p.Does})
			}
		}
	}
	return a.answer(rows, func(w io.Writer) {
		table(w, func(w io.Writer) {
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\n", r.Scope, r.Does)
			}
		})
	})
}
