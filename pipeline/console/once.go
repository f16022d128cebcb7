package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what makes a form count once: two clicks, or a browser that sends
// it a second time, do one thing and lead to the same page.

// onceField is the field of a form that tells one showing of it from the next.
const onceField = "once"

// onceOnly lets the deeds of a part of the pages count once a form.
func onceOnly(routes []route, except ...string) []route {
	for i, rt := range routes {
		skip := strings.HasPrefix(rt.pattern, "GET ")
		for _, e := range except {
			skip = skip || strings.HasSuffix(rt.pattern, e)
		}
		if routes[i].once = true; !skip {
			routes[i].do = atMostOnce(rt.do)
		}
	}
	return routes
}

// twinWait is how long the second click waits for what the first one does.
const twinWait = 20 * time.Second

// atMostOnce does what a form asks for unless the same form was sent before, with the same
// in it: then it answers with the page to which that led.
func atMostOnce(do func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		given := v.r.PostForm.Get(onceField)
		if len(given) != tokenLength {
			return do(v)
		}
		r := v.sending(given)
		aad := fmt.Appendf(nil, "console|form|%d|%x", r.Token, r.Key)
		kept, first, err := v.Ledger.Remember(v.ctx(), r)
		wait, stop := context.WithTimeout(v.ctx(), twinWait)
		defer stop()
		for {
			switch {
			case err != nil:
				return err
			case first:
				return v.onceFor(r, aad, do)
			case kept.Status != 0:
				return v.twin(kept, aad)
			}
			select {
			case <-wait.Done(): // its end is not known: the page shows what came of it
				return v.seeOther(v.pageOf())
			case <-time.After(50 * time.Millisecond):
			}
			// Waiting only reads. One that is forgotten came to nothing: this one may try.
			kept, err = v.Ledger.Recall(v.ctx(), r.Token, r.Key)
			if errors.Is(err, pipeline.ErrNotFound) {
				kept, first, err = v.Ledger.Remember(v.ctx(), r)
			}
		}
	}
}

// sending is the request as it is remembered, under what nobody else can send. What
// people send has numbers below 0: those above are programs.
func (v *visit) sending(given string) pipeline.Remembered {
	sum := sha256.Sum256([]byte(v.r.URL.EscapedPath() + "\n" + v.r.PostForm.Encode()))
	return pipeline.Remembered{Token: -v.user.ID, Key: v.Accounts.Seal.MAC("art34/form/1", []byte(given), sum[:]), Request: sum, At: v.Real.Now()}
}

// onceFor does it, and keeps to which page it led.
func (v *visit) onceFor(r pipeline.Remembered, aad []byte, do func(*visit) error) error {
	err := do(v)
	last, cancel := context.WithTimeout(context.WithoutCancel(v.ctx()), 10*time.Second)
	defer cancel()
	if err != nil && !errors.Is(err, errAnswered) {
		return errors.Join(err, v.Ledger.Forget(last, r))
	}
	r.Status, r.Body = http.StatusOK, v.Accounts.Seal.Seal([]byte(v.w.Header().Get("Location")), aad)
	if failed := v.Ledger.Answered(last, r); failed != nil {
		v.Log.Error("where a form led cannot be remembered", "page", v.route.pattern, "error", failed)
	}
	return err
}

// twin leads to where the form led the first time; where it came back with its
// problems, to the page itself.
func (v *visit) twin(kept pipeline.Remembered, aad []byte) error {
	to, err := v.Accounts.Seal.Open(kept.Body, aad)
	if err != nil || bytes.Equal(to, nil) {
		return v.seeOther(v.pageOf())
	}
	return v.seeOther(string(to))
}
