package console_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestOddRequests: methods that no page has, forms with thousands of fields, packed
// bodies and heaps of cookies do nothing, and end no server.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", "operator")
	b := w.as("ana")
	token := b.token("/account")
	for _, method := range []string{http.MethodTrace, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch, "PROPFIND"} {
		r, _ := http.NewRequest(method, w.server.URL+"/pause", strings.NewReader(url.Values{"token": {token}, "campaign": {"muguet"}, "reason": {"x"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Echo", "canary-34")
		if a := b.send(r); a.status < 400 || strings.Contains(a.body, "canary-34") {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	r, _ := http.NewRequest(http.MethodHead, w.server.URL+"/pause", nil)
	if a := b.send(r); a.status >= 500 || a.body != "" {
		t.Errorf("HEAD: %d", a.status)
	}
	post := func(body []byte, encoding string, cookies int) int {
		r, _ := http.NewRequest(http.MethodPost, w.server.URL+"/pause", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if encoding != "" {
			r.Header.Set("Content-Encoding", encoding)
		}
		for i := range cookies {
			r.AddCookie(&http.Cookie{Name: fmt.Sprint("c", i), Value: strings.Repeat("x", 200)})
		}
		return b.send(r).status
	}
	form := url.Values{"token": {token}, "campaign": {"muguet"}, "reason": {"x"}}.Encode()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(form))
	_ = z.Close()
	if got := post(packed.Bytes(), "gzip", 0); got < 400 || got >= 500 {
		t.Errorf("a packed form: %d", got)
	}
	if got := post([]byte(strings.Repeat("a=&", 15_000)+"z=1"), "", 0); got < 400 || got >= 500 {
		t.Errorf("thousands of fields without a token: %d", got)
	}
	if got := post([]byte(strings.Repeat("a=&", 40_000)), "", 0); got != http.StatusRequestEntityTooLarge && got != http.StatusForbidden {
		t.Errorf("more of them: %d", got)
	}
	if got := post([]byte("token="+token+"&token=x%ZZ&campaign=muguet&reason=x"), "", 0); got < 400 || got >= 500 {
		t.Errorf("a form that does not decode: %d", got)
	}
	if got := post([]byte(form), "", 40); got >= 500 && got != 0 {
		t.Errorf("heaps of cookies: %d", got)
	}
	if got := b.get("/account").status; got != http.StatusOK {
		t.Errorf("afterwards: %d", got)
	}
}
