package console

import (
	"errors"
	"net/http"
	"slices"

	"github.com/art34/art34/pipeline"
)

// This file holds for whom a program acts. The program vouches for them, as the
// company's own systems know who works there; the record names both.

// behalf is the header that says for whom a request is.
const behalf = "On-Behalf-Of"

// needsPerson reports whether an operation is done for somebody, always: what agents
// and leads do is theirs.
func needsPerson(a Action) bool {
	return slices.Contains([]Action{ActLookUp, ActHelp, ActSecond, ActCompose, ActPublish}, a)
}

// needsAccount reports whether somebody has to have an account of the console for it,
// because a program must not choose who decides.
func needsAccount(a Action) bool {
	return slices.Contains([]Action{ActSecond, ActPublish, ActVIP}, a)
}

// person finds for whom a request is, and whether they may. Who has an account does
// through a program what they may do themselves, and no more; who has none does what
// the token is for, save what needs an account.
func (a *api) person(e *endpoint, v *visit) bool {
	named := v.r.Header.Values(behalf)
	switch {
	case len(named) == 0 && !needsPerson(e.may):
		return true
	case len(named) == 0:
		problemOf(v.w, http.StatusBadRequest, "on-behalf-of", "this is done for somebody: say for whom", "the login of whoever has the customer on the phone, in the header "+behalf)
		return false
	case len(named) > 1 || !pipeline.ValidLogin(named[0]):
		problemOf(v.w, http.StatusBadRequest, "on-behalf-of", behalf+" is one login: 2 to 63 small letters, digits and . _ @ -", "")
		return false
	}
	u, err := a.Ledger.User(v.ctx(), named[0])
	switch {
	case err == nil:
		v.behalf = u
	case errors.Is(err, pipeline.ErrNotFound):
		v.behalf = pipeline.User{Login: named[0]}
	default:
		status, kind, answer := a.explained(v, err)
		send(v.w, status, kind, answer)
		return false
	}
	if v.behalf.Disabled || !v.personMay(e.may) {
		v.note("denied", "", v.route.pattern)
		problemOf(v.w, http.StatusForbidden, "person", "whoever this is for may not do this", "")
		return false
	}
	return true
}

// personMay reports whether whoever a program acts for may do something.
func (v *visit) personMay(x Action) bool {
	if v.behalf.ID != 0 {
		return May(v.behalf.Roles, x)
	}
	return !needsAccount(x)
}

// may reports whether the visitor may do something: a person, or a program and whoever
// it acts for.
func (v *visit) may(x Action) bool {
	if v.program.ID != 0 {
		return slices.Contains(v.allowed(), string(x))
	}
	return May(v.user.Roles, x)
}

// allowed are the scopes of the token that count for whoever it acts for.
func (v *visit) allowed() (list []string) {
	for _, s := range v.program.Scopes {
		if v.behalf.Login == "" || v.personMay(Action(s)) {
			list = append(list, s)
		}
	}
	return list
}
