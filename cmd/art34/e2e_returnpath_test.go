package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestReturnPathKeys: e-mails that are sent after a change carry the next key, what
// was signed with the key before is believed, and what is older is put aside. A
// Message-ID is believed whatever the key.
func TestReturnPathKeys(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 60, 13, "ART34_RELAY="+sink.URL, "ART34_CONSOLE=off")
	in.must("key", "return-paths")
	in.must("launch", "muguet")
	if code := in.start("run", "--roles", "dispatch,courier,print", "--until-idle", "--prove-every", "0").wait(longest); code > 1 {
		t.Fatalf("run: exit %d", code)
	}
	mac := in.mac()
	sent := sink.Messages(t)
	if len(sent) < 10 {
		t.Fatalf("%d e-mails", len(sent))
	}
	for _, m := range sent {
		if token, err := email.ParseReturnPath(m.From); err != nil || token.Key != 1 || !token.Verify(mac) {
			t.Fatalf("%s: %+v %v", m.From, token, err)
		}
	}
	box := in.path("bounce.eml")
	// bounce brings a notification about an e-mail and returns what it became.
	bounce := func(i, key int, quoted bool) string {
		t.Helper()
		token, err := email.ParseReturnPath(sent[i].From)
		if err != nil {
			t.Fatal(err)
		}
		path, err := email.ReturnPath(mac, key, token.Notice, token.Attempt, token.Domain)
		if err != nil {
			t.Fatal(err)
		}
		raw := posted{token.Notice, path, sent[i].To[0]}.bounced()
		if quoted { // the envelope is lost; what comes back is quoted
			id := email.MessageID(mac, token.Notice, token.Attempt, token.Domain)
			raw = bytes.Replace(raw, []byte("Delivered-To: "+path+"\r\n"), nil, 1)
			raw = bytes.Replace(raw, []byte("\r\n\r\n--b--"), fmt.Appendf(nil, "\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\n\r\n--b--", id), 1)
		}
		if err := os.WriteFile(box, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		out := in.must("feedback", "ingest", box, "--json")
		_, verdict, _ := strings.Cut(out, `"judged":{"`)
		verdict, _, _ = strings.Cut(verdict, `"`)
		return verdict
	}
	want := func(i, key int, quoted bool, verdict string) {
		t.Helper()
		if got := bounce(i, key, quoted); got != verdict {
			t.Errorf("e-mail %d with key %d: %q, want %q", i, key, got, verdict)
		}
	}
	want(0, 1, false, "applied")
	want(1, 0, false, "applied")
	want(2, 2, false, "quarantined") // not in force yet
	if _, errs, code := in.run("key", "return-paths"); code != 1 || !strings.Contains(errs, "the key was changed on") {
		t.Errorf("changed again at once: exit %d, %s", code, errs)
	}
	in.must("key", "return-paths", "--at-once")
	want(3, 1, false, "applied")
	want(4, 0, false, "quarantined")
	if out := in.must("feedback", "list", "--json"); !strings.Contains(out, `"code":"key-retired"`) {
		t.Errorf("%s", out)
	}
	want(5, 0, true, "applied")
	in.status(true)
}
