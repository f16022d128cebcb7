package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/art34/art34/pipeline"
)

// This file holds what every request of a program goes through. The endpoints are a
// table, as the pages are: what it says is what is checked, and what the OpenAPI
// document says.

// apiBase is where the interface for programs begins.
const apiBase = "/api/v1"

// endpoint is one operation of the interface.
type endpoint struct {
	method, path string // below apiBase
	id, does     string // operationId and summary
	may          Action // the scope that a token needs
	in, out      reflect.Type
	query        []queryField
	do           func(*visit, []byte) (any, error)
}

// queryField is a parameter of the address. None is personal.
type queryField struct {
	name, does string
	number     bool
}

// nothing is the body of a request that has none.
type nothing struct{}

// endpointOf makes an endpoint of a function from request to answer.
func endpointOf[In, Out any](method, path, id, does string, may Action, do func(*visit, In) (Out, error), query ...queryField) endpoint {
	return endpoint{method, path, id, does, may, reflect.TypeFor[In](), reflect.TypeFor[Out](), query, func(v *visit, body []byte) (any, error) {
		var in In
		if reflect.TypeFor[In]() != reflect.TypeFor[nothing]() {
			if err := decodeStrictly(body, &in); err != nil {
				return nil, err
			}
		}
		return do(v, in)
	}}
}

func decodeStrictly(body []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return invalid("", "body", "the body is not the JSON object that this operation takes")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "body", "something follows the JSON object")
	}
	return nil
}

// fieldFault is what is wrong with one field of a request.
type fieldFault struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// faults are an error: the request is understood, and cannot be.
type faults []fieldFault

func (f faults) Error() string { return "the request has faults" }

func invalid(field, code, detail string) error { return faults{{field, code, detail}} }

// problemDetails is an error as RFC 9457 has it.
type problemDetails struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Code   string       `json:"code"`
	Detail string       `json:"detail,omitempty"`
	Hint   string       `json:"hint,omitempty"`
	Errors []fieldFault `json:"errors,omitempty"`
}

func (k *Console) endpoints() []endpoint {
	return slices.Concat(campaignEndpoints(), noticeEndpoints(), controlEndpoints(), rehearsalEndpoints(), printEndpoints(), answerEndpoints(), questionEndpoints(), composeEndpoints(),
		cellEndpoints(), queueEndpoints(), floorEndpoints())
}

// api answers programs. It reads no cookie, and sets none.
type api struct {
	*Console
	table    []endpoint
	mux      *http.ServeMux
	document []byte

	mu      sync.Mutex
	buckets map[int64]*rate.Limiter // requests, per token
	lookUps map[int64]*rate.Limiter // look-ups, per token
}

func newAPI(k *Console) (a *api, err error) {
	defer func() {
		if r := recover(); r != nil { // ServeMux panics on patterns that clash
			err = fmt.Errorf("console: %v", r)
		}
	}()
	a = &api{Console: k, table: k.endpoints(), mux: http.NewServeMux(), buckets: map[int64]*rate.Limiter{}, lookUps: map[int64]*rate.Limiter{}}
	if a.document, err = openAPI(a.table); err != nil {
		return nil, err
	}
	a.mux.HandleFunc("GET "+apiBase+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json;version=3.1")
		_, _ = w.Write(a.document)
	})
	for i := range a.table {
		e := &a.table[i]
		a.mux.HandleFunc(e.method+" "+apiBase+e.path, func(w http.ResponseWriter, r *http.Request) { a.serve(e, w, r) })
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problemOf(w, http.StatusNotFound, "not-found", "there is nothing under this address and method", "")
	})
	return a, nil
}

func problemOf(w http.ResponseWriter, status int, code, detail, hint string) {
	send(w, status, "application/problem+json", problem9457(status, code, detail, hint))
}

func problem9457(status int, code, detail, hint string) problemDetails {
	return problemDetails{"urn:art34:problem:" + code, http.StatusText(status), status, code, detail, hint, nil}
}

func send(w http.ResponseWriter, status int, kind string, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		status, kind = http.StatusInternalServerError, "application/problem+json"
		b.Reset()
		b.WriteString(`{"type":"urn:art34:problem:failed","title":"Internal Server Error","status":500,"code":"failed"}`)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// serve answers one request: who asks, may they, how often, and was it asked before?
func (a *api) serve(e *endpoint, w http.ResponseWriter, r *http.Request) {
	v := &visit{Console: a.Console, w: w, r: r, words: a.words["en"], route: &route{pattern: e.method + " " + apiBase + e.path, may: e.may}}
	if !a.admit(e, v) {
		return
	}
	body, ok := a.body(e, v)
	if !ok {
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if e.method == http.MethodGet || key == "" || e.shows() {
		status, kind, answer := a.work(e, v, body)
		if status == http.StatusOK && e.tagged() && a.unchanged(v, answer) {
			return
		}
		send(w, status, kind, answer)
		return
	}
	a.onceOnly(e, v, body, key)
}

// admit finds the token, and whether it may.
func (a *api) admit(e *endpoint, v *visit) bool {
	from := "api " + a.address(v.r)
	if !a.strangers.has(from) {
		v.w.Header().Set("Retry-After", "60")
		problemOf(v.w, http.StatusTooManyRequests, "too-many", "too many requests from this address had no valid token", "")
		return false
	}
	text, ok := strings.CutPrefix(v.r.Header.Get("Authorization"), "Bearer ")
	if !ok || len(v.r.Header.Values("Authorization")) != 1 || len(text) != len(tokenPrefix)+tokenLength {
		return a.stranger(v, from)
	}
	t, err := a.Ledger.TokenOf(v.ctx(), a.Accounts.tokenHash(text))
	now := a.Real.Now()
	switch {
	case errors.Is(err, pipeline.ErrNotFound), err == nil && (!t.RevokedAt.IsZero() || !now.Before(t.ExpiresAt)):
		return a.stranger(v, from)
	case err != nil:
		status, kind, answer := a.explained(v, err)
		send(v.w, status, kind, answer)
		return false
	}
	v.program = t
	if wait := a.wait(t, now); wait > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		problemOf(v.w, http.StatusTooManyRequests, "too-many", "this token has asked more often than it may", "")
		return false
	}
	if now.Sub(t.SeenAt) > time.Minute {
		if err := a.Ledger.TouchToken(v.ctx(), t.ID, now); err != nil {
			status, kind, answer := a.explained(v, err)
			send(v.w, status, kind, answer)
			return false
		}
	}
	if !slices.Contains(t.Scopes, string(e.may)) {
		v.note("denied", "", v.route.pattern)
		problemOf(v.w, http.StatusForbidden, "scope", "this token is not for "+string(e.may), "")
		return false
	}
	return a.person(e, v)
}

// stranger refuses who has no token: the same for none, a wrong one, and one that is
// over.
func (a *api) stranger(v *visit, from string) bool {
	if a.strangers.allow(from) {
		v.note("token-refused", "", "")
	}
	v.w.Header().Set("WWW-Authenticate", `Bearer realm="art34"`)
	problemOf(v.w, http.StatusUnauthorized, "token", "there is no token in the request, or it is not in force", "an administrator of the console makes one")
	return false
}

// wait is how long a token has to wait before its next request, 0 if it may now.
func (a *api) wait(t pipeline.APIToken, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.buckets[t.ID]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(float64(t.PerMinute)/60), max(5, t.PerMinute/4))
		a.buckets[t.ID] = l
	}
	r := l.ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return d
	}
	return 0
}

// mayLookUp counts a look-up of a customer or reference against what the token may.
func (a *api) mayLookUp(t pipeline.APIToken, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lookUps[t.ID]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(float64(t.LookUps)/3600), t.LookUps)
		a.lookUps[t.ID] = l
	}
	return l.AllowN(now, 1)
}

// body reads what was sent.
func (a *api) body(e *endpoint, v *visit) ([]byte, bool) {
	if e.in == reflect.TypeFor[nothing]() && e.method == http.MethodGet {
		return nil, true
	}
	kind, _, _ := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if kind != "application/json" {
		problemOf(v.w, http.StatusUnsupportedMediaType, "content-type", "the body of a request is application/json", "")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, formLimit))
	if err != nil {
		problemOf(v.w, http.StatusRequestEntityTooLarge, "too-large", "the body of a request is at most 64 kB", "")
		return nil, false
	}
	return body, true
}

// work does what was asked.
func (a *api) work(e *endpoint, v *visit, body []byte) (status int, kind string, answer any) {
	out, err := e.do(v, body)
	if err != nil {
		return a.explained(v, err)
	}
	return http.StatusOK, "application/json", out
}

// explained is an error as a program reads it.
func (a *api) explained(v *visit, err error) (int, string, any) {
	own, isOwn := errors.AsType[*pipeline.Error](err)
	var p problemDetails
	var wrong faults
	switch {
	case errors.As(err, &wrong):
		p = problem9457(http.StatusUnprocessableEntity, "invalid", "the request has faults", "")
		p.Errors = wrong
	case errors.Is(err, errTooMany):
		v.w.Header().Set("Retry-After", "600")
		p = problem9457(http.StatusTooManyRequests, "quota", "this token has looked up as much as it may", "")
	case errors.Is(err, errDenied):
		p = problem9457(http.StatusForbidden, "scope", "this token is not for that", "")
	case errors.Is(err, pipeline.ErrAway):
		v.w.Header().Set("Retry-After", "5")
		p = problem9457(http.StatusServiceUnavailable, "away", "a service is away; nothing was changed", "try again in a moment")
	case isOwn && own.Code == "quota":
		v.w.Header().Set("Retry-After", "600")
		p = problem9457(http.StatusTooManyRequests, own.Code, own.Sentence, own.Hint)
	case isOwn:
		p = problem9457(http.StatusConflict, own.Code, own.Sentence, own.Hint)
	case errors.Is(err, pipeline.ErrNotFound):
		p = problem9457(http.StatusNotFound, "not-found", "there is no such thing, or it is not for this token", "")
	case errors.Is(err, pipeline.ErrStale):
		p = problem9457(http.StatusConflict, "changed", "somebody else has changed this at the same moment", "look at it again")
	case v.ctx().Err() != nil: // nobody is there any more
		p = problem9457(http.StatusServiceUnavailable, "away", "the request was broken off", "")
	default:
		a.Log.Error("an operation of the interface has failed", "operation", v.route.pattern, "error", err)
		p = problem9457(http.StatusInternalServerError, "failed", "internal error", "")
	}
	return p.Status, "application/problem+json", p
}
