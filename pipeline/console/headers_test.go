package console_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// TestHeadersOfEveryAnswer: whatever a route hands out, no cache keeps it, no browser
// guesses what it is, no other site learns where it was, and a download is one.
func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("all", console.Roles()...)
	b, since := w.as("all"), w.clock.Now()
	kinds := map[string]int{}
	for _, rt := range w.console.Table() {
		if strings.HasSuffix(rt.Pattern, "/live") || rt.Pattern == "POST /logout" {
			continue
		}
		if rt.Sure || w.clock.Now().Sub(since) > 5*time.Minute {
			b.post("/sure", "code", w.code("all"), "next", "/account")
			since = w.clock.Now()
		}
		a := b.attempt(rt.Pattern, rt.Upload, true)
		for header, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: %d %s is %q", rt.Pattern, a.status, header, got)
			}
		}
		if p := a.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "script-src 'unsafe") || !strings.Contains(p, "frame-ancestors") {
			t.Errorf("%s: policy %q", rt.Pattern, p)
		}
		for _, c := range (&http.Response{Header: a.header}).Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode && !strings.HasSuffix(c.Name, "-flow") || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: cookie %s", rt.Pattern, c)
			}
		}
		if a.body == "" {
			continue
		}
		kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		kinds[kind]++
		switch kind {
		case "text/html", "text/plain":
		case "application/pdf": // shown in a frame of ours, or kept
			if strings.HasSuffix(rt.Pattern, "/file") && !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
				t.Errorf("%s: %q", rt.Pattern, a.header.Get("Content-Disposition"))
			}
		default:
			if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename=") {
				t.Errorf("%s: %s is no download: %q", rt.Pattern, kind, a.header.Get("Content-Disposition"))
			}
		}
		if b.session() == "" {
			b, since = w.as("all"), w.clock.Now()
		}
	}
	if kinds["text/csv"] < 3 || kinds["application/pdf"] < 1 {
		t.Errorf("%v", kinds)
	}
}

// TestHostsOfStrangers: nothing that the console answers says a host which somebody
// has put into a request.
func TestHostsOfStrangers(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator, console.Admin)
	b := w.as("ana")
	setup, err := newWorld(t).console.SetupPath(t.Context())
	w.must(err)
	for _, path := range []string{"/", "/login", "/login?next=//evil.test", "/campaigns", "/users/zoe", "/users/new", "/account", "/nowhere", "/tokens", setup, "//evil.test/", "/%2f%2fevil.test", "/campaigns/", "/campaigns/../login", "/.//evil.test"} {
		r, err := http.NewRequest(http.MethodGet, w.server.URL, nil)
		w.must(err)
		r.URL.Opaque = path
		r.Host = "evil.test"
		for _, h := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded", "X-Forwarded-Prefix"} {
			r.Header.Set(h, "evil.test")
		}
		a := b.send(r)
		// The page says its own path, which POST /language makes one of ours.
		all := strings.ReplaceAll(fmt.Sprint(a.header)+a.body, `name="next" value="///evil.test"`, "")
		if strings.HasPrefix(a.to, "//") || strings.Contains(a.to, "://") || strings.Contains(strings.ReplaceAll(all, path, ""), "evil.test") && path != "/.//evil.test" {
			t.Errorf("%s: %d %q\n%s", path, a.status, a.to, all)
		}
	}
}

// TestSmuggledRequests: a request of which two servers would see two different ends is
// none, and nothing behind it is answered. With chunks and a length the chunks count
// (RFC 9112 section 6.3), as net/http has it, and the connection ends.
func TestSmuggledRequests(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	const behind = "GET /static/none HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, head := range map[string]string{
		"both lengths":       "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"two lengths":        "Content-Length: 5\r\nContent-Length: 6\r\n",
		"a list of lengths":  "Content-Length: 5, 6\r\n",
		"a signed length":    "Content-Length: +5\r\n",
		"two codings":        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"an unknown coding":  "Transfer-Encoding: xchunked\r\n",
		"a space before":     "Content-Length : 5\r\n",
		"a folded coding":    "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n",
		"a CR in a name":     "Content\r-Length: 5\r\n",
		"two hosts":          "Host: y\r\n",
		"a NUL in a value":   "X: a\x00b\r\n",
		"a coding with a VT": "Transfer-Encoding: \x0bchunked\r\n",
	} {
		c, err := net.Dial("tcp", w.server.Listener.Addr().String())
		w.must(err)
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = fmt.Fprintf(c, "POST /login HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\n%s", head, behind)
		w.must(err)
		r := bufio.NewReader(c)
		first, err := http.ReadResponse(r, nil)
		if err != nil {
			_ = c.Close()
			continue // hung up without a word
		}
		if first.StatusCode < 400 {
			t.Errorf("%s: %d", name, first.StatusCode)
		}
		_ = first.Body.Close()
		if second, err := http.ReadResponse(r, nil); err == nil {
			t.Errorf("%s: %d, and something behind it was answered %d", name, first.StatusCode, second.StatusCode)
		}
		_ = c.Close()
	}
}
