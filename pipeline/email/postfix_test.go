package email_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestPostfix hands composed messages to a relay that is not ours, which passes
// them on to a server that is not ours either.
func TestPostfix(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	host := strings.Replace(sink.Addr, "127.0.0.1", "[127.0.0.1]", 1)
	mta := testenv.Postfix(t, testenv.PostfixConfig{
		Routes: map[string]string{
			"example.com":   "smtp:" + host,
			"dead.example":  "error:5.1.1 no such user",
			"later.example": "retry:4.2.0 later",
		},
		// It hangs up on who sends ahead where RFC 2920 does not allow it.
		Settings: map[string]string{"smtpd_forbid_unauth_pipelining": "yes"},
	})
	address, err := email.ParseRelayURL(mta.URL)
	if err != nil {
		t.Fatal(err)
	}
	r, err := email.NewRelay(email.RelayConfig{Address: address, Hello: "art34.test"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })

	composer := newComposer(t)
	compose := func(n int, to string) *pipeline.Message {
		t.Helper()
		m, err := composer.Compose(testLetter(), []byte(testText), []byte(testHTML), pipeline.Notice{ID: int64(n), Attempt: 1}, to, testTime)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const messages = 20
	var list []*pipeline.Message
	for n := 1; n <= messages; n++ {
		list = append(list, compose(n, fmt.Sprintf("zoe%d@example.com", n)))
		if n%7 == 0 { // a refusal in between must not disturb the next one
			list = append(list, compose(100+n, "zoe@dead.example"))
		}
	}
	list = append(list, compose(200, "zoe@later.example"), nil)
	want := map[string]string{}   // return path → body
	queued := map[string]string{} // queue id → Message-ID
	for i, m := range list[:len(list)-1] {
		a := c.Send(t.Context(), m, list[i+1])
		switch m.To {
		case "zoe@dead.example":
			if a.Phase != pipeline.PhaseRefused || a.Outcome != pipeline.Dead || a.Enhanced != "5.1.1" || strings.Contains(a.Reply, "zoe") {
				t.Fatalf("dead: %+v", a)
			}
		case "zoe@later.example":
			if a.Phase != pipeline.PhaseRefused || a.Outcome != pipeline.Transient {
				t.Fatalf("later: %+v", a)
			}
		default:
			if a.Phase != pipeline.PhaseAccepted || a.QueueID == "" {
				t.Fatalf("message %d: %+v", i, a)
			}
			want[m.From], queued[a.QueueID] = string(m.Body), m.ID
		}
	}

	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); sink.Count(t) < messages; <-tick.C {
		if time.Now().After(limit) {
			t.Fatalf("%d messages arrived", sink.Count(t))
		}
	}
	for limit := time.Now().Add(time.Minute); ; <-tick.C { // another process writes the log
		log, err := os.ReadFile(mta.Log)
		if err != nil {
			t.Fatal(err)
		}
		unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(queued)), func(id string) bool { return strings.Contains(string(log), id+": message-id="+queued[id]) })
		if len(unknown) == 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the log does not know %q with their Message-IDs %v", unknown, queued)
		}
	}
	for _, got := range sink.Messages(t) {
		tok, err := email.ParseReturnPath(got.From)
		if err != nil || !tok.Verify(testMAC) {
			t.Fatalf("return path %q: %v", got.From, err)
		}
		options := strings.Join(got.Options, " ")
		for _, o := range []string{"RET=HDRS", "ENVID=" + got.From[:35], "NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;zoe"} {
			if !strings.Contains(options, o) {
				t.Errorf("the options %q lack %s", options, o)
			}
		}
		data := strings.ReplaceAll(string(got.Data(t)), "\r\n", "\n")
		body, ok := want[got.From]
		if !ok {
			t.Fatalf("nobody sent %q", got.From)
		}
		delete(want, got.From)
		// The relay puts Received fields in front, and leaves the rest as it is.
		if at := strings.Index(data, "Auto-Submitted:"); at < 0 || data[at:] != strings.ReplaceAll(body, "\r\n", "\n") {
			t.Error(cmp.Diff(strings.ReplaceAll(body, "\r\n", "\n"), data))
		}
	}
	if len(want) != 0 {
		t.Errorf("%d messages did not arrive", len(want))
	}
}

// TestPythonReads lets a parser that is not ours read a message.
func TestPythonReads(t *testing.T) {
	t.Parallel()
	testenv.Binary(t, "python3")
	l := testLetter()
	l.Recipient = `Dupont, "Zoé" <x> (y)`
	m, err := newComposer(t).Compose(l, []byte(testText), []byte(testHTML), pipeline.Notice{ID: 42, Attempt: 1}, "zoe@example.com", testTime)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(file, m.Body, 0o600); err != nil {
		t.Fatal(err)
	}
	const program = `
import email, email.policy, json, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(json.dumps({
  "subject": m["subject"], "to": [[a.display_name, a.addr_spec] for a in m["to"].addresses], "from": [[a.display_name, a.addr_spec] for a in m["from"].addresses],
  "date": m["date"].datetime.isoformat(), "text": m.get_body(("plain",)).get_content(), "html": m.get_body(("html",)).get_content(), "type": m.get_content_type(),
  "defects": [str(d) for p in m.walk() for d in p.defects] + [str(d) for h in m.values() for d in getattr(h, "defects", [])],
}))`
	var got struct {
		Subject, Date, Text, HTML, Type string
		To, From                        [][]string
		Defects                         []string
	}
	if err := json.Unmarshal(testenv.Run(t, "python3", "-c", program, file), &got); err != nil {
		t.Fatal(err)
	}
	if got.Subject != l.Subject || got.Text != testText || got.HTML != testHTML || got.Type != "multipart/alternative" || got.Date != "2026-01-20T08:30:00+00:00" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([][]string{{l.Recipient, "zoe@example.com"}}, got.To); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"Télécom Exemple", "information@example.fr"}}, got.From); diff != "" {
		t.Error(diff)
	}
	if len(got.Defects) != 0 {
		t.Errorf("defects: %q", got.Defects)
	}
}
