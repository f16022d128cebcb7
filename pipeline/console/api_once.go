package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what makes a request of a program count once.

// remembered is an answer as it is kept.
type remembered struct {
	Status int
	Kind   string
	Body   []byte
}

// shows reports whether an unsafe request only shows something in full: that is not
// kept for a repetition.
func (e *endpoint) shows() bool {
	return e.id == "showNumber" || e.id == "unmask" || e.id == "unmaskCorrection"
}

// onceOnly does what was asked unless it was done for the same key: then the answer
// is given again.
func (a *api) onceOnly(e *endpoint, v *visit, body []byte, key string) {
	if len(key) > 200 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		problemOf(v.w, http.StatusBadRequest, "idempotency-key", "an idempotency key is up to 200 printable characters without spaces", "")
		return
	}
	r := pipeline.Remembered{Token: v.program.ID, Key: a.Accounts.Seal.MAC("art34/idempotency/1", []byte(key)), At: a.Real.Now()}
	r.Request = sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s\n%s", e.method, v.r.URL.EscapedPath(), v.behalf.Login, body))
	aad := fmt.Appendf(nil, "api|answer|%d|%x", r.Token, r.Key)
	kept, first, err := a.Ledger.Remember(v.ctx(), r)
	if err != nil {
		status, kind, answer := a.explained(v, err)
		send(v.w, status, kind, answer)
		return
	}
	if !first {
		a.again(v, kept, r, aad)
		return
	}
	status, kind, answer := a.work(e, v, body)
	last, cancel := context.WithTimeout(context.WithoutCancel(v.ctx()), 10*time.Second)
	defer cancel()
	plain, err := plainJSON(answer)
	if err == nil && status < 500 && status != http.StatusTooManyRequests {
		if plain, err = json.Marshal(remembered{status, kind, plain}); err == nil {
			r.Status, r.Body = status, a.Accounts.Seal.Seal(plain, aad)
			err = a.Ledger.Answered(last, r)
		}
	} else if err == nil {
		err = a.Ledger.Forget(last, r)
	}
	if err != nil {
		a.Log.Error("an answer cannot be remembered", "token", v.program.ID, "error", err)
	}
	send(v.w, status, kind, answer)
}

// plainJSON is what send writes.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// again gives the answer of the first time.
func (a *api) again(v *visit, kept, now pipeline.Remembered, aad []byte) {
	switch {
	case kept.Request != now.Request:
		problemOf(v.w, http.StatusUnprocessableEntity, "idempotency-mismatch", "another request had this idempotency key", "a new request has a new key")
	case kept.Status == 0:
		problemOf(v.w, http.StatusConflict, "idempotency-busy", "the request with this key is being worked on, or its end is not known", "look what became of it before you ask with another key")
	default:
		plain, err := a.Accounts.Seal.Open(kept.Body, aad)
		var m remembered
		if err != nil || json.Unmarshal(plain, &m) != nil {
			problemOf(v.w, http.StatusInternalServerError, "failed", "internal error", "")
			return
		}
		if err := v.stillKnows(m.Body); err != nil {
			status, kind, answer := a.explained(v, err)
			send(v.w, status, kind, answer)
			return
		}
		v.w.Header().Set("Idempotency-Replayed", "true")
		send(v.w, m.Status, m.Kind, json.RawMessage(m.Body))
	}
}

// stillKnows is pipeline.ErrNotFound where an answer that was given once is about
// something that the program must not know of any more.
func (v *visit) stillKnows(answer []byte) error {
	var about struct{ Campaign, Call json.RawMessage }
	_ = json.Unmarshal(answer, &about) // an error of ours is about neither
	var name string
	if json.Unmarshal(about.Campaign, &name) != nil || name == "" {
		name = v.r.PathValue("name")
	}
	if name != "" {
		if _, err := v.campaignOf(name); err != nil {
			return err
		}
	}
	var call int64
	if v.r.PathValue("call") != "" {
		call = v.pathNumber("call")
	} else if json.Unmarshal(about.Call, &call) != nil || call == 0 {
		return nil
	}
	who, err := v.asker()
	if err != nil {
		return err
	}
	_, err = v.Cell.own(v.ctx(), who, call)
	return err
}
