package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds logging in and out, the setup of an installation, and one's own
// account.

func accountRoutes() []route {
	return []route{
		{pattern: "GET /{$}", may: ActOwn, do: home},
		{pattern: "GET /setup/{token}", may: ActAnyone, do: setupForm},
		{pattern: "POST /setup/{token}", may: ActAnyone, do: setup},
		{pattern: "GET /login", may: ActAnyone, do: loginPage},
		{pattern: "POST /login", may: ActAnyone, do: login},
		{pattern: "GET /login/code", may: ActAnyone, do: codeForm},
		{pattern: "POST /login/code", may: ActAnyone, do: code},
		{pattern: "POST /logout", may: ActOwn, do: logout},
		{pattern: "POST /language", may: ActAnyone, do: language},
		{pattern: "GET /sure", may: ActOwn, do: sureForm},
		{pattern: "POST /sure", may: ActOwn, do: sure},
		{pattern: "GET /account", may: ActOwn, do: func(v *visit) error { return v.page("account", nil) }},
		{pattern: "GET /account/password", may: ActOwn, do: func(v *visit) error { return v.page("password", nil) }},
		{pattern: "POST /account/password", may: ActOwn, do: changePassword},
		// Whoever finds a screen unlocked must not make it their own: from then on the
		// code of this device counts where the password would be asked for again.
		{pattern: "GET /account/code", may: ActOwn, sure: true, do: enrolForm},
		{pattern: "POST /account/code", may: ActOwn, sure: true, do: enrol},
	}
}

// home is the first place that somebody may go to.
func home(v *visit) error {
	for _, e := range nav() {
		if May(v.user.Roles, e.may) && v.wants(e.href) {
			return v.seeOther(e.href)
		}
	}
	return v.seeOther("/account")
}

// metaSetup holds the hash of the setup link and when it ends.
const metaSetup = "console/setup"

const setupLife = 24 * time.Hour

// SetupPath makes the one-time link with which the first account is made: a path of
// this console, "" once there is an account. A link that was made before ends.
func (k *Console) SetupPath(ctx context.Context) (string, error) {
	all, err := k.Ledger.AllUsers(ctx)
	if err != nil || len(all) > 0 {
		return "", err
	}
	b := make([]byte, 32)
	k.Random(b)
	token := base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(token))
	_, err = k.Ledger.SetMeta(ctx, metaSetup, hex.EncodeToString(sum[:])+"|"+strconv.FormatInt(k.Real.Now().Add(setupLife).Unix(), 10), false)
	return "/setup/" + token, err
}

// setupOpen makes sure that the link is the one that was printed last, and that
// nobody was faster.
func setupOpen(v *visit) error {
	kept, err := v.Ledger.Meta(v.ctx(), metaSetup)
	if err != nil {
		return err
	}
	hash, ends, _ := strings.Cut(kept, "|")
	until, _ := strconv.ParseInt(ends, 10, 64)
	sum := sha256.Sum256([]byte(v.r.PathValue("token")))
	if subtle.ConstantTimeCompare([]byte(hash), []byte(hex.EncodeToString(sum[:]))) != 1 || v.Real.Now().Unix() > until {
		return pipeline.ErrNotFound
	}
	all, err := v.Ledger.AllUsers(v.ctx())
	if err == nil && len(all) > 0 {
		return pipeline.ErrNotFound
	}
	return err
}

func setupForm(v *visit) error {
	err := setupOpen(v)
	if errors.Is(err, pipeline.ErrNotFound) {
		return v.show(http.StatusNotFound, "setup_over", nil) // also where there never was one: it tells nothing
	}
	if err != nil {
		return err
	}
	return v.page("setup", nil)
}

func setup(v *visit) error {
	if err := setupOpen(v); err != nil {
		return err
	}
	form := struct{ Login, Name string }{v.value("login"), v.value("name")}
	if _, err := cleanLogin(form.Login); err != nil {
		v.wrong("login", "account.login-form")
	}
	if form.Name == "" {
		v.wrong("name", "problem.needed")
	}
	password := v.newPassword(form.Login, form.Name)
	if len(v.problems) > 0 {
		return v.again("setup", form)
	}
	u, err := v.Accounts.Setup(v.ctx(), form.Login, longName(form.Name), password, v.words.locale)
	if err != nil {
		return err
	}
	if _, err := v.Ledger.SetMeta(v.ctx(), metaSetup, "", false); err != nil {
		return err
	}
	if err := v.begin(u, true, false); err != nil {
		return err
	}
	return v.done("/users", "setup")
}

// newPassword reads a password that is typed twice and says what is wrong with it.
func (v *visit) newPassword(login, name string) string {
	password := v.secret("password")
	if key := weak(password, login, name); key != "" {
		v.wrong("password", key, shortestPassword)
	}
	if password != v.secret("again") {
		v.wrong("again", "problem.password_differs")
	}
	return password
}

// begin starts a login with a new token: one that a stranger may have planted before
// is worth nothing. sure: the second factor was given too, or is not needed; strong:
// the provider saw one.
func (v *visit) begin(u pipeline.User, sure, strong bool) error {
	if v.session != nil {
		if err := v.Ledger.EndSession(v.ctx(), v.session.Hash); err != nil {
			return err
		}
	}
	now := v.Real.Now()
	token := v.newToken()
	s := pipeline.Session{Hash: sha256.Sum256([]byte(token)), User: u.ID, Epoch: u.Epoch, CreatedAt: now, SeenAt: now, Strong: strong}
	if sure {
		s.SureAt = now
		v.rememberDevice(u.Login, now)
	}
	if err := v.Ledger.AddSession(v.ctx(), s); err != nil {
		return err
	}
	v.setCookie(cookieSession, token, v.Absolute)
	v.setCookie(cookieGuest, "", 0)
	return nil
}

type loginData struct {
	Login, Next string
	Company     string // name of the company's login; "" without one
}

// loginData is the form of the login.
func (v *visit) loginData(login, next string) loginData {
	d := loginData{Login: login, Next: ownPath(next)}
	if v.Company != nil {
		d.Company = v.CompanyName
	}
	return d
}

func loginPage(v *visit) error {
	if v.user.ID != 0 {
		return v.seeOther("/")
	}
	return v.page("login", v.loginData("", v.r.URL.Query().Get("next")))
}

// try limits attempts at passwords and codes per network, and those from a browser that
// has logged in to this account before by themselves.
func (v *visit) try(from From) error {
	network := v.address(v.r)
	ok := false
	if from.Device != "" {
		ok = v.attempts.allow("device " + from.Device)
	} else {
		site := siteOf(network)
		ok = (site == "" || v.sites.allow(site)) && v.attempts.allow(network)
	}
	if !ok {
		v.w.Header().Set("Retry-After", "60")
		return errTooMany
	}
	return nil
}

func login(v *visit) error {
	form := v.loginData(v.value("login"), v.value("next"))
	from := v.from(form.Login)
	if err := v.try(from); err != nil {
		return err
	}
	u, err := v.Accounts.Check(v.ctx(), form.Login, v.secret("password"), from)
	if errors.Is(err, errLogin) {
		v.note("login-refused", "", fmt.Sprintf("user %d", u.ID)) // never what was typed: it may be a password
		v.wrong("login", "problem.login")
		return v.again("login", form)
	}
	if err != nil {
		return err
	}
	if len(u.TOTP) > 0 {
		if err := v.begin(u, false, false); err != nil {
			return err
		}
		return v.seeOther("/login/code?next=" + queryEscape(form.Next))
	}
	return v.logIn(u, form.Next)
}

// logIn ends a login that has succeeded.
func (v *visit) logIn(u pipeline.User, next string) error {
	u, err := v.Accounts.Forgive(v.ctx(), u.Login, true, v.from(u.Login))
	if err != nil {
		return err
	}
	if err := v.begin(u, true, false); err != nil {
		return err
	}
	v.user = u
	v.note("login", "", "")
	return v.seeOther(next)
}

func codeForm(v *visit) error {
	if v.waiting == nil {
		return v.seeOther("/login")
	}
	return v.page("login_code", loginData{Next: ownPath(v.r.URL.Query().Get("next"))})
}

func code(v *visit) error {
	if v.waiting == nil {
		return v.seeOther("/login")
	}
	from := v.from(v.waiting.Login)
	if err := v.try(from); err != nil {
		return err
	}
	u, err := v.Accounts.CheckCode(v.ctx(), v.waiting.Login, v.value("code"), from)
	if errors.Is(err, errLogin) {
		v.note("login-refused", "", fmt.Sprintf("user %d, code", v.waiting.ID))
		v.wrong("code", "problem.code")
		return v.again("login_code", loginData{Next: ownPath(v.value("next"))})
	}
	if err != nil {
		return err
	}
	return v.logIn(u, ownPath(v.value("next")))
}

func logout(v *visit) error {
	if err := v.Ledger.EndSession(v.ctx(), v.session.Hash); err != nil {
		return err
	}
	v.note("logout", "", "")
	v.setCookie(cookieSession, "", 0)
	v.w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	if v.user.Source != Local && v.Company != nil {
		return v.loggedOut()
	}
	return v.done("/login", "logout")
}

func language(v *visit) error {
	locale := v.value("locale")
	if v.Console.words[locale] != nil {
		v.setCookie(cookieLang, locale, 365*24*time.Hour)
		if v.user.ID != 0 {
			if _, err := v.Accounts.change(v.ctx(), "", v.user.Login, "", func(u *pipeline.User) error { u.Locale = locale; return nil }); err != nil {
				return err
			}
		}
	}
	return v.seeOther(ownPath(v.value("next")))
}

// sureData is the form that asks once more. Company is set for whom a provider
// vouches, unless they have an authenticator here.
func (v *visit) sureData(next string) loginData {
	d := loginData{Next: ownPath(next)}
	if v.Company != nil && v.user.Source == v.Company.Name() && len(v.user.TOTP) == 0 {
		d.Company = v.CompanyName
	}
	return d
}

func sureForm(v *visit) error {
	return v.page("sure", v.sureData(v.r.URL.Query().Get("next")))
}

// sure takes the password, or the code of who has an authenticator, once more.
func sure(v *visit) error {
	from := v.from(v.user.Login)
	if err := v.try(from); err != nil {
		return err
	}
	form := v.sureData(v.value("next"))
	var err error
	if len(v.user.TOTP) > 0 {
		_, err = v.Accounts.CheckCode(v.ctx(), v.user.Login, v.value("code"), from)
	} else if _, err = v.Accounts.Check(v.ctx(), v.user.Login, v.secret("password"), from); err == nil {
		_, err = v.Accounts.Forgive(v.ctx(), v.user.Login, false, from)
	}
	if errors.Is(err, errLogin) {
		v.note("sure-refused", "", "")
		if len(v.user.TOTP) > 0 {
			v.wrong("code", "problem.code")
		} else {
			v.wrong("password", "problem.password_wrong")
		}
		return v.again("sure", form)
	}
	if err != nil {
		return err
	}
	u, err := v.Ledger.User(v.ctx(), v.user.Login)
	if err != nil {
		return err
	}
	if err := v.begin(u, true, v.session.Strong); err != nil {
		return err
	}
	return v.seeOther(form.Next)
}

func changePassword(v *visit) error {
	from := v.from(v.user.Login)
	if err := v.try(from); err != nil {
		return err
	}
	if v.user.Source != Local {
		return refuse("foreign", "this account has no password here", "")
	}
	if _, err := v.Accounts.Check(v.ctx(), v.user.Login, v.secret("old"), from); errors.Is(err, errLogin) {
		v.wrong("old", "problem.password_wrong")
	} else if err != nil {
		return err
	}
	password := v.newPassword(v.user.Login, v.user.Name)
	if password == v.secret("old") && password != "" {
		v.wrong("password", "problem.password_same")
	}
	if len(v.problems) > 0 {
		return v.again("password", nil)
	}
	if _, err := v.Accounts.SetPassword(v.ctx(), v.user.Login, password); err != nil {
		return err
	}
	u, err := v.Accounts.Forgive(v.ctx(), v.user.Login, false, from)
	if err != nil {
		return err
	}
	if err := v.begin(u, true, false); err != nil {
		return err
	}
	return v.done("/account", "password")
}

// enrolData is the page of a new authenticator. Sealed is the secret on its way
// through the form.
type enrolData struct {
	Text, Sealed string
	URL          template.URL
	QR           template.HTML
}

func (v *visit) enrolData(secret []byte) (enrolData, error) {
	link := totpURL(secret, v.user.Login)
	picture, err := qrPicture(link)
	return enrolData{
		Text: totpText(secret), Sealed: base64.RawURLEncoding.EncodeToString(v.Accounts.Seal.Seal(secret, v.enrolContext())),
		URL: template.URL(link), QR: picture,
	}, err
}

func (v *visit) enrolContext() []byte {
	return fmt.Appendf(nil, "user|%d|enrol|%x", v.user.ID, v.session.Hash[:8])
}

func enrolForm(v *visit) error {
	if len(v.user.TOTP) > 0 {
		return v.done("/account", "code_there")
	}
	d, err := v.enrolData(v.pendingSecret())
	if err != nil {
		return err
	}
	return v.page("code", d)
}

// pendingSecret is what an authenticator gets in this session: the same however often
// the page is loaded, so that a code that was scanned stays good; another one after the
// next login.
func (v *visit) pendingSecret() []byte {
	mac := v.Accounts.Seal.MAC("console/enrol", fmt.Append(nil, v.user.ID), v.session.Hash[:])
	return mac[:totpSecret]
}

func enrol(v *visit) error {
	if err := v.try(v.from(v.user.Login)); err != nil {
		return err
	}
	if len(v.user.TOTP) > 0 {
		return v.done("/account", "code_there")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(v.secret("sealed"))
	if err != nil {
		return v.seeOther("/account/code")
	}
	secret, err := v.Accounts.Seal.Open(sealed, v.enrolContext())
	if err != nil {
		return v.seeOther("/account/code") // another login, another secret
	}
	if _, err := v.Accounts.Enrol(v.ctx(), v.user.Login, secret, v.value("code")); err != nil {
		if pipeline.ErrorCode(err) != "code" {
			return err
		}
		v.wrong("code", "problem.code")
		d, err := v.enrolData(secret)
		if err != nil {
			return err
		}
		return v.again("code", d)
	}
	return v.done("/account", "code")
}
