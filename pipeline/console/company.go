package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds logging in by way of the company's identity provider.

func companyRoutes() []route {
	return []route{
		{pattern: "GET /login/company", may: ActAnyone, do: toCompany},
		{pattern: "GET " + CompanyBack, may: ActAnyone, do: fromCompany},
		{pattern: "GET /sure/company", may: ActOwn, do: sureAtCompany},
	}
}

// CompanyBack is the path that the provider sends people back to.
const CompanyBack = "/login/company/back"

// flowLife is how long somebody may take at the provider.
const flowLife = 15 * time.Minute

// once remembers which flows have come back: none does twice.
type once struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

func newOnce() *once { return &once{seen: map[string]time.Time{}} }

// first reports whether a state is seen for the first time.
func (o *once) first(state string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s, at := range o.seen {
		if now.Sub(at) > 2*flowLife {
			delete(o.seen, s)
		}
	}
	_, there := o.seen[state]
	o.seen[state] = now
	return !there
}

const flowContext = "login|flow"

// sendToCompany begins a flow. The cookie that carries it is the one that comes back
// from another site: the others do not.
func (v *visit) sendToCompany(f Flow) error {
	f.State, f.Nonce, f.Verifier, f.Began = v.newToken(), v.newToken(), v.newToken(), v.Real.Now()
	to, err := v.Company.Begin(v.ctx(), f)
	if err != nil {
		return err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	v.setFlow(string(v.Accounts.Seal.Seal(data, []byte(flowContext))), flowLife)
	return v.seeOther(to)
}

func (v *visit) setFlow(value string, life time.Duration) {
	c := &http.Cookie{Name: v.cookieName(cookieFlow), Value: base64.RawURLEncoding.EncodeToString([]byte(value)), Path: "/", HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode, MaxAge: int(life.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// flow is the one that this browser began, once.
func (v *visit) flow() (f Flow, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(v.cookie(cookieFlow))
	if err != nil || len(sealed) == 0 {
		return f, false
	}
	v.setFlow("", 0)
	data, err := v.Accounts.Seal.Open(sealed, []byte(flowContext))
	if err != nil || json.Unmarshal(data, &f) != nil {
		return f, false
	}
	return f, v.Real.Now().Sub(f.Began) <= flowLife && v.flows.first(f.State, v.Real.Now())
}

func toCompany(v *visit) error {
	if v.Company == nil {
		return pipeline.ErrNotFound
	}
	if v.user.ID != 0 {
		return v.seeOther("/")
	}
	f := Flow{Next: ownPath(v.r.URL.Query().Get("next"))}
	if v.session != nil {
		f.Session = v.session.Hash
	}
	if err := v.sendToCompany(f); err != nil {
		return v.companyRefused(err)
	}
	return nil
}

// sureAtCompany lets the provider ask for the password once more.
func sureAtCompany(v *visit) error {
	if v.sureData("").Company == "" {
		return pipeline.ErrNotFound
	}
	err := v.sendToCompany(Flow{Next: ownPath(v.r.URL.Query().Get("next")), Fresh: true, User: v.user.ID, Session: v.session.Hash})
	if err != nil {
		return v.companyRefused(err)
	}
	return nil
}

// companyRefused shows the login again, and says why in words of ours: what the
// provider or the address says is a stranger's.
func (v *visit) companyRefused(err error) error {
	own, ok := errors.AsType[*pipeline.Error](err)
	if !ok || errors.Is(err, pipeline.ErrAway) && own.Code != "oidc-away" {
		return err
	}
	status := http.StatusForbidden
	switch own.Code {
	case "oidc-away":
		status = http.StatusBadGateway
		v.wrong("", "problem.company_away")
	case "oidc-details":
		status = http.StatusBadGateway
		v.wrong("", "problem.company_details")
	case "oidc-many-groups":
		v.wrong("", "problem.company_groups")
	case "no-role":
		v.wrong("", "problem.company_role")
	case "not-set-up":
		v.wrong("", "problem.company_setup")
	case "login":
		v.wrong("", "problem.company_closed")
	default:
		v.wrong("", "problem.company")
	}
	if own.Cause != nil {
		v.Log.Warn("a login by way of the company was refused", "code", own.Code, "cause", own.Cause)
	}
	v.note("login-refused", "", "company, "+own.Code)
	v.r.URL.Path = "/login" // where the form and the other language lead: nobody comes back here twice
	return v.show(status, "login", v.loginData("", ""))
}

var errFlow = refuse("oidc-refused", "this login was not begun here, or too long ago", "begin again")

// fromCompany takes somebody whom the provider sends back.
func fromCompany(v *visit) error {
	if v.Company == nil {
		return pipeline.ErrNotFound
	}
	f, ok := v.flow()
	if !ok {
		return v.companyRefused(errFlow)
	}
	q := v.r.URL.Query()
	who, err := v.Company.Finish(v.ctx(), f, Reply{State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss"), Error: q.Get("error")})
	if err != nil {
		return v.companyRefused(err)
	}
	u, err := v.Accounts.Vouched(v.ctx(), v.Company.Name(), who, v.Groups)
	if err != nil {
		return v.companyRefused(err)
	}
	if f.Fresh && f.User != u.ID {
		return v.companyRefused(errFlow)
	}
	if f.Session != ([32]byte{}) {
		if err := v.Ledger.EndSession(v.ctx(), f.Session); err != nil {
			return err
		}
	}
	next := ownPath(f.Next)
	if len(u.TOTP) > 0 && !who.Strong {
		if err := v.begin(u, false, false); err != nil {
			return err
		}
		return v.goOn("/login/code?next=" + queryEscape(next))
	}
	if u, err = v.Accounts.Forgive(v.ctx(), u.Login, true, v.from(u.Login)); err != nil {
		return err
	}
	if err := v.begin(u, true, who.Strong); err != nil {
		return err
	}
	v.user = u
	v.note("login", "", "company")
	return v.goOn(next)
}

// goOn leads on by a page of our own: a browser that comes from another site keeps
// the cookie of the login back until it asks from here.
func (v *visit) goOn(path string) error {
	v.w.Header().Set("Refresh", "0;url="+path)
	v.user, v.session, v.token = pipeline.User{}, nil, ""
	return v.page("login_company", struct{ Next string }{path})
}

// loggedOut says that the login has ended here, and where it ends at the company.
func (v *visit) loggedOut() error {
	scheme := "http://"
	if v.Secure {
		scheme = "https://"
	}
	end := v.Company.End(v.ctx(), scheme+v.r.Host+"/login")
	v.user, v.session, v.token = pipeline.User{}, nil, ""
	return v.page("logged_out", struct{ Company, End string }{v.CompanyName, end})
}
