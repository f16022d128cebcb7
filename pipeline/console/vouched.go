package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/redact"
)

// GroupRoles says what the groups of the company's identity provider may do here. A
// group that is not in it means nothing.
type GroupRoles struct {
	Of map[string][]string // group → roles
	// Admin lets groups make administrators. Without it who runs the provider can give
	// nobody the right to give rights.
	Admin bool
}

// Check refuses roles that there are not.
func (g GroupRoles) Check() error {
	for group, roles := range g.Of {
		if _, ok := known(roles); !ok || len(roles) == 0 {
			return refuse("role-unknown", fmt.Sprintf("the group %q stands for a role that there is not", group), "art34 user roles lists them")
		}
		if slices.Contains(roles, string(Admin)) && !g.Admin {
			return refuse("group-admin", fmt.Sprintf("the group %q would make administrators", group), "--oidc-admin allows that; else administrators have accounts of the console")
		}
	}
	return nil
}

// of is what somebody in these groups may do, sorted.
func (g GroupRoles) of(groups []string) []string {
	var list []string
	for _, group := range groups {
		for _, role := range g.Of[group] {
			if (role != string(Admin) || g.Admin) && !slices.Contains(list, role) {
				list = append(list, role)
			}
		}
	}
	slices.Sort(list)
	return list
}

// companyActor gives accounts and roles to whom the provider vouches for.
const companyActor = "company-login"

// Vouched returns the account of somebody for whom the provider vouches, with the
// roles of their groups as they are now. It is made at the first login, and never is
// one of another source, however they are called there. Other logins of theirs end
// when roles have changed.
func (a *Accounts) Vouched(ctx context.Context, source string, who Identity, g GroupRoles) (pipeline.User, error) {
	roles := g.of(who.Groups)
	u, err := a.Users.UserOf(ctx, source, who.Subject)
	if errors.Is(err, pipeline.ErrNotFound) {
		return a.firstVisit(ctx, source, who, roles)
	}
	if err != nil {
		return u, err
	}
	if u.Disabled {
		return u, errLogin
	}
	action := ""
	if !slices.Equal(u.Roles, roles) {
		action = "user-roles"
	}
	u, err = a.change(ctx, companyActor, u.Login, action, func(u *pipeline.User) error {
		if u.Disabled {
			return errLogin
		}
		if !slices.Equal(u.Roles, roles) {
			u.Roles = roles
			u.Epoch++
		}
		if name := redact.Line(who.Name, 100); name != "" {
			u.Name = name
		}
		return nil
	})
	if err == nil && len(roles) == 0 {
		err = errNoRole
	}
	return u, err
}

var errNoRole = refuse("no-role", "none of the groups of this account may do anything here", "an administrator of the company's login can add one")

// firstVisit makes the account of somebody who is here for the first time.
func (a *Accounts) firstVisit(ctx context.Context, source string, who Identity, roles []string) (pipeline.User, error) {
	if len(roles) == 0 {
		return pipeline.User{}, errNoRole
	}
	all, err := a.Users.AllUsers(ctx)
	if err != nil {
		return pipeline.User{}, err
	}
	if len(all) == 0 && !slices.Contains(roles, string(Admin)) {
		return pipeline.User{}, refuse("not-set-up", "nobody administers this console yet", "the link that it printed makes the first account")
	}
	base := wishedLogin(who.Login)
	for n := 1; n < 1000; n++ {
		login := base
		if n > 1 {
			login = fmt.Sprintf("%s-%d", base, n)
		}
		u, err := a.fresh(login, who.Name, roles, "")
		if err != nil {
			return u, err
		}
		u.Source, u.Subject = source, who.Subject
		u, err = a.Users.CreateUser(ctx, u, false, a.audit(companyActor, "user-add", u))
		if !errors.Is(err, pipeline.ErrExists) {
			return u, err
		}
		// The login is taken; or they are here twice at the same moment.
		if u, err := a.Users.UserOf(ctx, source, who.Subject); !errors.Is(err, pipeline.ErrNotFound) {
			return u, err
		}
	}
	return pipeline.User{}, refuse("login-taken", "there is no login left like "+base, "")
}

// wishedLogin makes a login of what somebody is called elsewhere.
func wishedLogin(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	s = strings.TrimLeft(s, "._-")
	if len(s) > 50 {
		s = s[:50]
	}
	if len(s) < 2 {
		return "user"
	}
	return s
}

// EndLogins ends all logins of an account.
func (a *Accounts) EndLogins(ctx context.Context, actor, login string) (pipeline.User, error) {
	return a.change(ctx, actor, login, "user-logins-ended", func(u *pipeline.User) error {
		u.Epoch++
		return nil
	})
}
