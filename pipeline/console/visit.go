package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/redact"
)

// visit is one request: who asks, in which language, and how to answer.
type visit struct {
	*Console
	w     http.ResponseWriter
	r     *http.Request
	route *route
	words *words

	user     pipeline.User     // zero before the login
	program  pipeline.APIToken // zero unless a program asks
	behalf   pipeline.User     // for whom it asks; zero for nobody, with a login only of somebody who has no account
	session  *pipeline.Session // nil before the login
	waiting  *pipeline.User    // whose password was right and whose code is awaited
	token    string            // of the session or of the guest; forms are bound to it
	problems []problem

	subject *pipeline.Campaign // that the page is about; nil: none, or several
	place   *time.Location     // in which it shows times; nil: not asked for yet
}

// problem is something wrong in a form, in words.
type problem struct{ Field, Text string }

func (v *visit) ctx() context.Context { return v.r.Context() }

// Cookies. Those of a browser that comes by https carry the prefix that ties them to
// this host (RFC 6265bis section 4.1.3).
const (
	cookieSession = "art34-session"
	cookieGuest   = "art34-guest"
	cookieFlow    = "art34-flow"
	cookieLang    = "art34-lang"
)

func (v *visit) cookieName(name string) string {
	if v.Secure {
		return "__Host-" + name
	}
	return name
}

func (v *visit) cookie(name string) string {
	// Two cookies of one name are somebody's trick: neither is taken.
	all := v.r.CookiesNamed(v.cookieName(name))
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}

func (v *visit) setCookie(name, value string, life time.Duration) {
	c := &http.Cookie{Name: v.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteStrictMode, MaxAge: int(life.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// newToken returns 256 random bits as text.
func (v *visit) newToken() string {
	b := make([]byte, 32)
	v.Random(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

const tokenLength = 43

// recognise finds the login that the request belongs to, and its language.
func (v *visit) recognise() error {
	v.speak("")
	if token := v.cookie(cookieSession); len(token) == tokenLength {
		s, u, err := v.Ledger.Session(v.ctx(), sha256.Sum256([]byte(token)))
		now := v.Real.Now()
		switch {
		case errors.Is(err, pipeline.ErrNotFound):
		case err != nil:
			return err
		case now.Sub(s.SeenAt) > v.Idle || now.Sub(s.CreatedAt) > v.Absolute || s.SureAt.IsZero() && now.Sub(s.CreatedAt) > sureFor:
			if err := v.Ledger.EndSession(v.ctx(), s.Hash); err != nil {
				return err
			}
		default:
			v.token, v.session = token, &s
			v.speak(u.Locale)
			if s.SureAt.IsZero() {
				v.waiting = &u
				return nil
			}
			v.user = u
			if now.Sub(s.SeenAt) > time.Minute {
				s.SeenAt = now
				return v.Ledger.TouchSession(v.ctx(), s)
			}
			return nil
		}
	}
	if token := v.cookie(cookieGuest); len(token) == tokenLength {
		v.token = token
	} else if v.route.may == ActAnyone && v.r.Method == http.MethodGet {
		v.token = v.newToken()
		v.setCookie(cookieGuest, v.token, v.Absolute)
	}
	return nil
}

// speak chooses the language: of the account, of the cookie, of the browser.
func (v *visit) speak(locale string) {
	choices := []string{locale, v.cookie(cookieLang)}
	for part := range strings.SplitSeq(v.r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
		choices = append(choices, lang)
	}
	for _, c := range append(choices, v.Locale) {
		if w := v.Console.words[c]; w != nil {
			v.words = w
			return
		}
	}
}

// formToken binds a form to a login: only a page that this browser got can send it.
func (v *visit) formToken() string {
	m := hmac.New(sha256.New, []byte(v.token))
	m.Write([]byte("form"))
	return hex.EncodeToString(m.Sum(nil))
}

func (v *visit) rightToken(given string) bool {
	return v.token != "" && hmac.Equal([]byte(given), []byte(v.formToken()))
}

// halfway is the page that somebody must be done with first, "" if there is none: a
// password that another has chosen, a second factor that their role needs.
func (v *visit) halfway() string {
	switch {
	case v.user.MustChange:
		return "/account/password"
	case len(v.user.TOTP) == 0 && NeedsCode(v.user.Roles) && !v.session.Strong:
		return "/account/code"
	}
	return ""
}

// toLogin sends to the login, and back afterwards.
func (v *visit) toLogin() error {
	if v.r.Method != http.MethodGet || v.r.URL.Path == "/" {
		return v.seeOther("/login")
	}
	return v.seeOther("/login?next=" + queryEscape(v.r.URL.Path))
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// longText is from how many bytes on a field is worth to be given back.
const longText = 120

// typed are the long texts of a form that is refused, in the order of their fields'
// names: an hour's writing must not be lost because a login has ended. What is short is
// typed again, what is secret is not repeated, and files are where they were.
func (v *visit) typed() []string {
	if v.r.Method != http.MethodPost || v.route.upload || v.r.ParseForm() != nil {
		return nil
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(v.r.PostForm)) {
		if name == "token" || strings.Contains(name, "password") || strings.Contains(name, "secret") {
			continue
		}
		for _, s := range v.r.PostForm[name] {
			if len(s) >= longText || strings.Contains(strings.TrimSpace(s), "\n") {
				texts = append(texts, strings.ToValidUTF8(s, "\uFFFD"))
			}
		}
	}
	return texts
}

// seeOther answers with another page of ours. The path is ours already.
func (v *visit) seeOther(path string) error {
	v.w.Header().Set("Location", path)
	v.w.WriteHeader(http.StatusSeeOther)
	return errAnswered
}

// done goes to a page that says what was done: the message "done." + code.
func (v *visit) done(path, code string) error {
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return v.seeOther(path + sep + "done=" + queryEscape(code))
}

// ownPath makes sure that a path somebody sent is one of this console.
func ownPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") || u.Host != "" || u.Scheme != "" || len(p) > 500 {
		return "/"
	}
	return u.EscapedPath()
}

// value is a field of the form: one line, without space around it, at most 500
// bytes.
func (v *visit) value(name string) string { return redact.Line(v.r.PostForm.Get(name), 500) }

// oneLine is value for a field that was read part by part.
func oneLine(s string) string { return redact.Line(s, 500) }

// text is a field of several lines, at most limit characters.
func (v *visit) text(name string, limit int) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(v.r.PostForm.Get(name), "?"), "\r\n", "\n")
	s = strings.TrimSpace(strings.ReplaceAll(s, "\x00", "?"))
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
	}
	return s
}

// secret is a field as it was typed.
func (v *visit) secret(name string) string { return v.r.PostForm.Get(name) }

// reason is why somebody does something. It is asked for everywhere and goes on
// record in clear, and stays when the people's data are destroyed: without one, or
// with one that names somebody beyond doubt, the form comes back.
func (v *visit) reason() string {
	s := redact.Line(v.r.PostForm.Get("reason"), 300)
	if s == "" {
		v.wrong("reason", "problem.reason")
	}
	v.nameless("reason", s)
	return s
}

// wrong notes a problem of a field.
func (v *visit) wrong(field, key string, values ...any) {
	text, err := v.words.say(key, values...)
	if err != nil {
		text = key
		v.Log.Error("a text is missing", "key", key)
	}
	v.problems = append(v.problems, problem{field, text})
}

// refused notes what an operation said no to, and passes other errors on.
func (v *visit) refused(field string, err error) error {
	own, ok := errors.AsType[*pipeline.Error](err)
	if err == nil || !ok || errors.Is(err, pipeline.ErrAway) {
		return err
	}
	spec, listed := errors.AsType[*pipeline.SpecError](err)
	if !listed {
		v.problems = append(v.problems, problem{field, v.words.fault(own)})
		return nil
	}
	// Whoever mends a campaign.yaml wants its faults one by one.
	for _, f := range spec.Faults {
		v.problems = append(v.problems, problem{field, stop(v.words.tell(f))})
	}
	return nil
}

// actor is who asks, as the audit trail names them.
func (v *visit) actor() string {
	switch {
	case v.program.ID != 0:
		return v.program.ActorFor(v.behalf.Login)
	case v.user.ID != 0:
		return v.user.Actor()
	}
	return "guest"
}

// note appends to the audit trail of the installation. That a request was refused
// must not fail it once more. What is about a campaign is noted with noteOf: the
// trail of the installation is not for its name.
func (v *visit) note(action, reason, detail string) { v.noteOf(0, action, reason, detail) }

func (v *visit) noteOf(campaign int64, action, reason, detail string) {
	err := v.Ledger.Append(v.ctx(), pipeline.Audit{Campaign: campaign, At: v.Clock.Now(), Actor: v.actor(), Action: action, Reason: reason, Detail: detail})
	if err != nil {
		v.Log.Error("the audit trail cannot be written", "action", action, "error", err)
	}
}

// campaign is the one that the path names. One that this person must not know of is
// not there: the same questions are asked, and the same answer is given.
func (v *visit) campaign() (pipeline.Campaign, error) {
	c, err := v.campaignOf(v.r.PathValue("name"))
	if err == nil {
		v.about(c)
	}
	return c, err
}

func (v *visit) campaignOf(name string) (pipeline.Campaign, error) {
	hidden, err := v.hidden()
	if err != nil {
		return pipeline.Campaign{}, err
	}
	c, err := v.Ledger.Campaign(v.ctx(), name)
	if err == nil && (hidden[c.ID] || v.unspoken(c)) {
		return pipeline.Campaign{}, pipeline.ErrNotFound
	}
	return c, err
}

// unspoken reports whether a campaign is a draft, and the visitor one of those who
// answer callers: they hear of it when there is something to say. What takes a month
// to prepare has a code name that is nobody's business.
func (v *visit) unspoken(c pipeline.Campaign) bool {
	switch {
	case c.State != pipeline.Draft:
		return false
	case v.program.ID != 0:
		answering := []string{string(ActAnswer), string(ActLookUp), string(ActHelp), string(ActVIP), string(ActSecond)}
		return !slices.ContainsFunc(v.allowed(), func(scope string) bool { return !slices.Contains(answering, scope) })
	}
	return v.user.ID != 0 && !May(v.user.Roles, ActSee)
}

// campaigns are those that this person may know of.
func (v *visit) campaigns() ([]pipeline.Campaign, error) {
	hidden, err := v.hidden()
	if err != nil {
		return nil, err
	}
	all, err := v.Ledger.AllCampaigns(v.ctx())
	return slices.DeleteFunc(all, func(c pipeline.Campaign) bool { return hidden[c.ID] || v.unspoken(c) }), err
}
