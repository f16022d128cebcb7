package console

import (
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the accounts as administrators see them.

func userRoutes() []route {
	return []route{
		{pattern: "GET /users", may: ActUsers, do: listUsers},
		{pattern: "GET /users/new", may: ActUsers, sure: true, do: func(v *visit) error { return v.page("user_new", v.userForm(pipeline.User{Locale: v.words.locale})) }},
		{pattern: "POST /users/new", may: ActUsers, sure: true, do: addUser},
		{pattern: "GET /users/{login}", may: ActUsers, do: showUser},
		{pattern: "POST /users/{login}/roles", may: ActUsers, sure: true, do: setRoles},
		{pattern: "POST /users/{login}/reset", may: ActUsers, sure: true, do: resetUser},
		{pattern: "POST /users/{login}/unlock", may: ActUsers, do: unlockUser},
		{pattern: "POST /users/{login}/confirm", may: ActUsers, sure: true, do: confirmUser},
		{pattern: "POST /users/{login}/end", may: ActUsers, do: endLogins},
		{pattern: "POST /users/{login}/disable", may: ActUsers, do: disableUser},
		{pattern: "POST /users/{login}/enable", may: ActUsers, sure: true, do: enableUser},
	}
}

func listUsers(v *visit) error {
	all, err := v.Ledger.AllUsers(v.ctx())
	if err != nil {
		return err
	}
	return v.page("users", struct {
		Users  []pipeline.User
		Table  []Permission
		Roles  []Role
		Single bool
		Now    time.Time
	}{all, Permissions(), Roles(), len(all) == 1, v.Real.Now()})
}

// userForm is the data of a form with roles to tick.
type userForm struct {
	User   pipeline.User
	Roles  []roleBox
	Self   bool
	Locked bool
	// Confirms says that this administrator may confirm the account.
	Confirms bool
}

type roleBox struct {
	Role    Role
	Checked bool
}

func (v *visit) userForm(u pipeline.User) userForm {
	f := userForm{User: u, Self: u.ID != 0 && u.ID == v.user.ID, Locked: v.Real.Now().Before(u.LockedUntil)}
	f.Confirms = !f.Self && len(u.Hands) > 0 && !slices.ContainsFunc(u.Hands, func(h pipeline.Hand) bool { return h.Actor == v.user.Actor() })
	for _, r := range Roles() {
		f.Roles = append(f.Roles, roleBox{r, strings.Contains("|"+strings.Join(u.Roles, "|")+"|", "|"+string(r)+"|")})
	}
	return f
}

func addUser(v *visit) error {
	u := pipeline.User{Login: v.value("login"), Name: v.value("name"), Roles: v.r.PostForm["role"], Locale: v.value("locale")}
	if v.Console.words[u.Locale] == nil {
		u.Locale = v.words.locale // whoever does not choose gives their own
	}
	if _, err := cleanLogin(u.Login); err != nil {
		v.wrong("login", "account.login-form")
	}
	if len(u.Roles) == 0 {
		v.wrong("role", "problem.role")
	}
	if len(v.problems) > 0 {
		return v.again("user_new", v.userForm(u))
	}
	added, password, err := v.Accounts.Add(v.ctx(), v.user.Actor(), u.Login, u.Name, u.Roles, u.Locale)
	if err != nil {
		if err := v.refused("login", err); err != nil {
			return err
		}
		return v.again("user_new", v.userForm(u))
	}
	return v.page("user_password", struct {
		User     pipeline.User
		Password string
	}{added, password})
}

func showUser(v *visit) error {
	u, err := v.Ledger.User(v.ctx(), v.r.PathValue("login"))
	if err != nil {
		return err
	}
	return v.page("user", v.userForm(u))
}

func setRoles(v *visit) error {
	login := v.r.PathValue("login")
	if _, err := v.Accounts.SetRoles(v.ctx(), v.user.Actor(), login, v.r.PostForm["role"]); err != nil {
		return err
	}
	return v.done("/users/"+login, "roles")
}

func resetUser(v *visit) error {
	u, password, err := v.Accounts.Reset(v.ctx(), v.user.Actor(), v.r.PathValue("login"), v.value("code") == "yes")
	if err != nil {
		return err
	}
	if password == "" {
		return v.done("/users/"+u.Login, "code_forgotten")
	}
	return v.page("user_password", struct {
		User     pipeline.User
		Password string
	}{u, password})
}

// endLogins ends all logins of somebody.
func endLogins(v *visit) error {
	u, err := v.Accounts.EndLogins(v.ctx(), v.user.Actor(), v.r.PathValue("login"))
	if err != nil {
		return err
	}
	return v.done("/users/"+u.Login, "logins_ended")
}

// unlockUser opens an account that strangers have locked: whoever it is can log in from
// a new browser again.
func unlockUser(v *visit) error {
	u, err := v.Accounts.Release(v.ctx(), v.user.Actor(), v.r.PathValue("login"))
	if err != nil {
		return err
	}
	return v.done("/users/"+u.Login, "unlocked")
}

func disableUser(v *visit) error { return setDisabled(v, true, "disabled") }

func enableUser(v *visit) error { return setDisabled(v, false, "enabled") }

func setDisabled(v *visit, disabled bool, code string) error {
	u, err := v.Accounts.SetDisabled(v.ctx(), v.user.Actor(), v.r.PathValue("login"), disabled)
	if err != nil {
		return err
	}
	return v.done("/users/"+u.Login, code)
}
