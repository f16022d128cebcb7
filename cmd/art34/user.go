package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Make an account; prints the password to tell its owner."`
	List    userListCmd    `cmd:"" help:"List the accounts."`
	Disable userDisableCmd `cmd:"" help:"Close an account and end its logins at once."`
	Enable  userEnableCmd  `cmd:"" help:"Open a closed account."`
	Reset   userResetCmd   `cmd:"" help:"Give an account a new password, and unlock it."`
	Confirm userConfirmCmd `cmd:"" help:"Say that an account is its owner's, whoever made or reset it."`
	Role    userRoleCmd    `cmd:"" help:"Give an account these roles instead of those that it has."`
	Token   userTokenCmd   `cmd:"" help:"Tokens with which programs of the company use the console's interface."`
	Roles   userRolesCmd   `cmd:"" help:"Print who may do what."`
}

type userArg struct {
	Login string `arg:"" help:"Login of the account." placeholder:"LOGIN"`
}

// userView is an account as it is listed. Passwords and secrets are not in it.
type userView struct {
	Login    string   `json:"login"`
	Name     string   `json:"name"`
	Roles    []string `json:"roles"`
	Source   string   `json:"source"`
	State    string   `json:"state"` // active, new, locked, disabled
	Code     bool     `json:"second_factor"`
	Password string   `json:"password,omitempty"` // of add and reset, once
}

func (a *app) viewUser(u pipeline.User) userView {
	v := userView{u.Login, u.Name, u.Roles, u.Source, "active", len(u.TOTP) > 0, ""}
	if v.Roles == nil {
		v.Roles = []string{}
	}
	switch {
	case u.Disabled:
		v.State = "disabled"
	case a.real.Now().Before(u.LockedUntil):
		v.State = "locked"
	case u.MustChange:
		v.State = "new"
	}
	return v
}

// withAccounts lets a command work on the accounts of the installation.
func (a *app) withAccounts(ctx context.Context, do func(*house, *console.Accounts) error) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	accounts, err := h.accounts()
	if err != nil {
		return err
	}
	return do(h, accounts)
}

type userAddCmd struct {
	userArg
	Name string   `help:"Name as colleagues know it." placeholder:"NAME"`
	Role []string `help:"Roles; art34 user roles explains them." required:"" placeholder:"ROLE,…"`
}

// Help shows examples.
func (userAddCmd) Help() string {
	return `The password is printed once, for its owner, who has to choose another at the first login. An approver also has to set up a second factor then.

Examples:

    art34 user add a.martin --name "A. Martin" --role agent
    art34 user add dpo --name "Data protection officer" --role approver,auditor`
}

// Run makes an account.
func (c userAddCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, accounts *console.Accounts) error {
		u, password, err := accounts.Add(ctx, a.actor(), c.Login, c.Name, c.Role, "")
		if err != nil {
			return err
		}
		return a.tellPassword(u, password)
	})
}

func (a *app) tellPassword(u pipeline.User, password string) error {
	v := a.viewUser(u)
	v.Password = password
	return a.answer(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s), password for the first login: %s\n", u.Login, strings.Join(u.Roles, ", "), password)
	})
}

type userListCmd struct{}

// Help shows examples.
func (userListCmd) Help() string {
	return `Example:

    art34 user list --json`
}

// Run lists the accounts.
func (userListCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, _ *console.Accounts) error {
		all, err := h.ledger.AllUsers(ctx)
		if err != nil {
			return err
		}
		views := []userView{}
		for _, u := range all {
			views = append(views, a.viewUser(u))
		}
		return a.answer(views, func(w io.Writer) {
			if len(views) == 0 {
				fmt.Fprintln(w, "No account yet; art34 run prints a link that makes the first one.")
				return
			}
			table(w, func(w io.Writer) {
				fmt.Fprintln(w, "LOGIN\tNAME\tROLES\tSTATE\tSECOND FACTOR")
				for _, v := range views {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%t\n", v.Login, v.Name, strings.Join(v.Roles, ","), v.State, v.Code)
				}
			})
		})
	})
}

type userDisableCmd struct{ userArg }

// Help shows examples.
func (userDisableCmd) Help() string {
	return `Its logins end with the next request. What its owner did stays on record under the same login, which nobody else can get.

Example:

    art34 user disable a.martin`
}

// Run closes an account.
func (c userDisableCmd) Run(ctx context.Context, a *app) error {
	return a.setDisabled(ctx, c.Login, true)
}

type userEnableCmd struct{ userArg }

// Help shows examples.
func (userEnableCmd) Help() string {
	return `Example:

    art34 user enable a.martin`
}

// Run opens an account.
func (c userEnableCmd) Run(ctx context.Context, a *app) error {
	return a.setDisabled(ctx, c.Login, false)
}

func (a *app) setDisabled(ctx context.Context, login string, disabled bool) error {
	return a.withAccounts(ctx, func(h *house, accounts *console.Accounts) error {
		u, err := accounts.SetDisabled(ctx, a.actor(), login, disabled)
		return a.tellUser(u, err)
	})
}

func (a *app) tellUser(u pipeline.User, err error) error {
	if err != nil {
		return err
	}
	v := a.viewUser(u)
	return a.answer(v, func(w io.Writer) {
		roles := strings.Join(v.Roles, ", ")
		if roles == "" {
			roles = "no roles"
		}
		fmt.Fprintf(w, "%s (%s) is %s.\n", v.Login, roles, v.State)
	})
}

type userResetCmd struct {
	userArg
	Code bool `help:"Forget their authenticator too: it is lost."`
}

// Help shows examples.
func (userResetCmd) Help() string {
	return `Prints a password to tell the owner, ends all logins of the account, and unlocks it.

Examples:

    art34 user reset a.martin
    art34 user reset dpo --code`
}

// Run resets an account.
func (c userResetCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, accounts *console.Accounts) error {
		u, password, err := accounts.Reset(ctx, a.actor(), c.Login, c.Code)
		if err != nil || password == "" {
			return a.tellUser(u, err)
		}
		return a.tellPassword(u, password)
	})
}

type userConfirmCmd struct{ userArg }

// Help shows examples.
func (userConfirmCmd) Help() string {
	return `Whoever makes an account, gives it a role or resets it could use it as well as its owner. So the console refuses an approval, and a decision about a correction, between two accounts of which one was in the hands of the other, until an administrator who has nothing to do with either has confirmed the account, or somebody at the machine has. Who it was is on record; that they are somebody else is for the house to see to.

Example:

    art34 user confirm dpo --as "A. Dupont, security"`
}

// Run confirms an account.
func (c userConfirmCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, accounts *console.Accounts) error {
		u, err := accounts.Confirm(ctx, a.actor(), c.Login)
		return a.tellUser(u, err)
	})
}

type userRoleCmd struct {
	userArg
	Roles []string `arg:"" optional:"" help:"All roles that it shall have; none takes all away." placeholder:"ROLE"`
}

// Help shows examples.
func (userRoleCmd) Help() string {
	return `Whoever is logged in with the account logs in again, with the new roles.

Examples:

    art34 user role a.martin lead
    art34 user role dpo approver auditor`
}

// Run changes roles.
func (c userRoleCmd) Run(ctx context.Context, a *app) error {
	return a.withAccounts(ctx, func(h *house, accounts *console.Accounts) error {
		u, err := accounts.SetRoles(ctx, a.actor(), c.Login, c.Roles)
		return a.tellUser(u, err)
	})
}

type userRolesCmd struct{}

// Help shows examples.
func (userRolesCmd) Help() string {
	return `The same table decides on every page. Nobody approves what they wrote themselves, and nobody changes their own roles.

Example:

    art34 user roles`
}

// Run prints the table of permissions.
func (userRolesCmd) Run(_ context.Context, a *app) error {
	type row struct {
		Action string         `json:"action"`
		Does   string         `json:"does"`
		Roles  []console.Role `json:"roles"`
	}
	rows := []row{}
	for _, p := range console.Permissions() {
		rows = append(rows, row{string(p.Action), p.Does, p.Roles})
	}
	return a.answer(rows, func(w io.Writer) {
		table(w, func(w io.Writer) {
			fmt.Fprint(w, "ACTION\t")
			for _, r := range console.Roles() {
				fmt.Fprintf(w, "%s\t", r)
			}
			fmt.Fprintln(w, "WHAT")
			for _, p := range console.Permissions() {
				fmt.Fprintf(w, "%s\t", p.Action)
				for _, r := range console.Roles() {
					mark := "·"
					if slices.Contains(p.Roles, r) {
						mark = "yes"
					}
					fmt.Fprintf(w, "%s\t", mark)
				}
				fmt.Fprintln(w, p.Does)
			}
		})
	})
}
