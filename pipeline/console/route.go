package console

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"strings"

	"github.com/art34/art34/pipeline"
)

// route is one page or one deed: what it answers to, who may, and what does it.
type route struct {
	pattern string // "GET /campaigns/{name}", as http.ServeMux has them
	may     Action
	do      func(*visit) error

	sure   bool  // the password must have been given within sureFor
	limit  int64 // bytes of a request; 0: formLimit
	upload bool  // the handler reads the body itself, and checks the form token
	once   bool  // its forms count once
	frame  bool  // shown in a frame of our own pages, sandboxed, with styles of its own
}

// formLimit is how long a form may be.
const formLimit = 64 << 10

// routes is the table of all pages. Each file of pages brings its own part.
func (k *Console) routes() []route {
	var all []route
	for _, part := range [][]route{
		accountRoutes(), companyRoutes(), userRoutes(), tokenRoutes(),
		campaignRoutes(), controlRoutes(), pacingRoutes(), printRoutes(), embargoRoutes(), draftRoutes(), prepareRoutes(), rehearsalRoutes(),
		writingRoutes(), languageRoutes(), noticeRoutes(), returnRoutes(),
		cellRoutes(), queueRoutes(), answerRoutes(), composeRoutes(), queryRoutes(), genuineRoutes(), counterRoutes(), floorRoutes(),
		auditRoutes(),
	} {
		all = append(all, part...)
	}
	return all
}

func (k *Console) newMux() (mux *http.ServeMux, err error) {
	defer func() {
		if r := recover(); r != nil { // ServeMux panics on patterns that clash
			err = fmt.Errorf("console: %v", r)
		}
	}()
	mux = http.NewServeMux()
	for i := range k.table {
		r := &k.table[i]
		if !strings.HasPrefix(r.pattern, "GET /") && !strings.HasPrefix(r.pattern, "POST /") {
			return nil, fmt.Errorf("console: %q: a page is GET or POST", r.pattern)
		}
		mux.Handle(r.pattern, k.guard(r))
	}
	mux.HandleFunc("GET /static/{file}", k.static)
	mux.Handle("/", k.guard(&route{pattern: "/", may: ActAnyone, do: func(*visit) error { return pipeline.ErrNotFound }}))
	return mux, nil
}

// ServeHTTP answers a request: what no page may do without stands here.
func (k *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	headers(w.Header(), k.Secure)
	if len(r.TransferEncoding) > 0 {
		// It may have had a length as well, which net/http does not tell: what follows it
		// is then another request for us than for a proxy (RFC 9112, section 6.1).
		w.Header().Set("Connection", "close")
	}
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			k.Log.Error("a page has failed", "cause", cause, "stack", string(debug.Stack()))
			http.Error(w, "Internal error. Nothing was changed. / Erreur interne.", http.StatusInternalServerError)
		}
	}()
	if len(k.hosts) > 0 && !k.hosts[r.Host] {
		http.Error(w, "This console is not reached under this name.", http.StatusMisdirectedRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		if err := k.foreign.Check(r); err != nil {
			problemOf(w, http.StatusForbidden, "foreign", "this request came from a page of another site", "")
			return
		}
		k.api.mux.ServeHTTP(w, r)
		return
	}
	if !k.visits.allow(k.address(r)) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "Too many requests. Wait a moment. / Trop de demandes.", http.StatusTooManyRequests)
		return
	}
	if err := k.foreign.Check(r); err != nil {
		k.Log.Warn("a request from another site was refused")
		http.Error(w, "This request came from another site; nothing was done.", http.StatusForbidden)
		return
	}
	k.mux.ServeHTTP(w, r)
}

// contentPolicy is what a page may load: its own style sheet, script and pictures,
// and nothing from anywhere else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// framePolicy is for the e-mail that is shown as it was sent: nothing runs, nothing
// is loaded, and only our own pages may show it.
const framePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// paperPolicy is for pages of paper in a frame. The reader of a browser is no script
// of the document; a sandbox would keep it from being shown at all.
const paperPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

func headers(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// guard lets a route run for whoever may, and shows what came of it.
func (k *Console) guard(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := rt.limit
		if limit == 0 {
			limit = formLimit
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		v := &visit{Console: k, w: w, r: r, route: rt}
		err := v.enter()
		if err == nil {
			if rt.frame {
				w.Header().Set("Content-Security-Policy", framePolicy)
				w.Header().Set("X-Frame-Options", "SAMEORIGIN")
			}
			err = rt.do(v)
		}
		if err != nil {
			v.explain(err)
		}
	})
}

// What enter refuses with.
var (
	errAnswered = errors.New("answered already")
	errDenied   = errors.New("not allowed")
	errOldForm  = errors.New("the form is too old")
	errEnded    = errors.New("the login has ended")
	errTooMany  = errors.New("too many deeds")
)

// enter finds out who is there and whether they may.
func (v *visit) enter() error {
	if err := v.recognise(); err != nil {
		return err
	}
	unsafe := v.r.Method != http.MethodGet && v.r.Method != http.MethodHead
	rt := v.route
	if rt.may != ActAnyone {
		switch {
		case v.user.ID == 0 && unsafe && len(v.typed()) > 0:
			return errEnded // its page gives back what would be lost on the way to the login
		case v.user.ID == 0:
			return v.toLogin()
		case v.halfway() != "" && v.r.URL.Path != v.halfway() && rt.pattern != "POST /logout" && !askedAgain(v.r.URL.Path):
			return v.seeOther(v.halfway())
		case !May(v.user.Roles, rt.may):
			return errDenied
		}
	}
	if unsafe && !rt.upload {
		if err := v.r.ParseForm(); err != nil {
			if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
				return err
			}
			return errOldForm // no page of ours sends what does not decode, or ten thousand fields
		}
		if !v.rightToken(v.r.PostForm.Get("token")) {
			return errOldForm
		}
	}
	if unsafe && v.user.ID != 0 && !v.deeds.allow(v.user.Login) {
		return errTooMany
	}
	if rt.sure && v.Real.Now().Sub(v.session.SureAt) > sureFor {
		return v.seeOther("/sure?next=" + queryEscape(v.pageOf()))
	}
	return nil
}

// askedAgain reports whether a page asks for the password once more.
func askedAgain(path string) bool { return path == "/sure" || strings.HasPrefix(path, "/sure/") }

// pageOf is the page on which the deed of a request begins: that of its own path, or
// the one above.
func (v *visit) pageOf() string {
	look := &http.Request{Method: http.MethodGet, URL: v.r.URL, Host: v.r.Host}
	if _, pattern := v.mux.Handler(look); strings.HasPrefix(pattern, "GET ") {
		return v.r.URL.Path
	}
	return path.Dir(v.r.URL.Path)
}

// explain shows an error as a page.
func (v *visit) explain(err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	var tooLarge *http.MaxBytesError
	own, isOwn := errors.AsType[*pipeline.Error](err)
	status, key, detail := http.StatusInternalServerError, "failed", ""
	switch {
	case errors.Is(err, errDenied):
		status, key = http.StatusForbidden, "denied"
		v.note("denied", "", v.route.pattern)
	case errors.Is(err, errOldForm):
		status, key = http.StatusForbidden, "old_form"
	case errors.Is(err, errEnded):
		status, key = http.StatusForbidden, "ended"
	case errors.Is(err, errTooMany):
		status, key = http.StatusTooManyRequests, "too_many"
	case errors.As(err, &tooLarge):
		status, key = http.StatusRequestEntityTooLarge, "too_large"
	case errors.Is(err, pipeline.ErrAway):
		status, key = http.StatusServiceUnavailable, "away"
	case isOwn:
		status, key, detail = http.StatusConflict, "refused", v.words.fault(own)
	case errors.Is(err, pipeline.ErrNotFound):
		status, key = http.StatusNotFound, "not_found"
	case v.r.Context().Err() != nil:
		return // nobody is there any more
	}
	if status == http.StatusInternalServerError {
		v.Log.Error("a page has failed", "page", v.route.pattern, "error", err)
	}
	err = v.show(status, "error", struct {
		Key, Detail string
		Typed       []string
	}{key, detail, v.typed()})
	if err != nil {
		v.Log.Error("the page of an error has failed", "error", err)
		http.Error(v.w, "Internal error. / Erreur interne.", http.StatusInternalServerError)
	}
}
