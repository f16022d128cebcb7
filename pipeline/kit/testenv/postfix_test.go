package testenv_test

import (
	"fmt"
	"net/smtp"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestPostfixRoutesHoldsAndBounces(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	host := strings.Replace(sink.Addr, "127.0.0.1", "[127.0.0.1]", 1)
	mta := testenv.Postfix(t, testenv.PostfixConfig{Routes: map[string]string{
		"good.example":   "smtp:" + host,
		"dead.example":   "error:5.1.1 no such user",
		"slow.example":   "retry:4.2.0 later",
		"bounce.example": "smtp:" + host,
	}, Settings: map[string]string{"smtpd_reject_unlisted_recipient": "no"}})
	for _, domain := range []string{"good.example", "dead.example", "slow.example", "gone.example"} {
		err := smtp.SendMail(mta.Addr, nil, "back@bounce.example", []string{"a@" + domain}, []byte("Subject: to "+domain+"\r\n\r\nx\r\n"))
		if err != nil {
			t.Fatalf("%s: %v", domain, err)
		}
	}
	// The message to good.example and the bounce of the one to dead.example.
	eventually(t, func() bool { return sink.Count(t) == 2 }, func() string { return readLog(t, mta.Log) })
	var subjects []string
	for _, m := range sink.Messages(t) {
		subjects = append(subjects, fmt.Sprintf("%q→%s", m.From, m.To[0]))
		if m.From == "" && !strings.Contains(string(m.Data(t)), "Status: 5.1.1") {
			t.Errorf("the bounce has no status:\n%s", m.Data(t))
		}
	}
	if got := strings.Join(subjects, " "); !strings.Contains(got, `"back@bounce.example"→a@good.example`) || !strings.Contains(got, `""→back@bounce.example`) {
		t.Errorf("the sink got %s", got)
	}
	eventually(t, func() bool {
		q := mta.Queue(t)
		return len(q) == 1 && q[0].Name == "deferred" && q[0].Recipients[0].Address == "a@slow.example"
	}, func() string { return fmt.Sprint(mta.Queue(t)) })
}

// eventually waits for something that another process does.
func eventually(t *testing.T, done func() bool, state func() string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it does not happen:\n%s", state())
		}
	}
}

func readLog(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
