package testenv_test

import (
	"fmt"
	"net/smtp"
	"strings"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestSinkKeepsMessagesWithTheirEnvelope(t *testing.T) {
	t.Parallel()
	s := testenv.Sink(t)
	const each, clients = 5, 4
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				to := fmt.Sprintf("c%d-%d@example.com", c, i)
				if err := smtp.SendMail(s.Addr, nil, "from@example.com", []string{to}, []byte("Subject: "+to+"\r\n\r\n.dot\r\n..\r\n")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := s.Count(t); got != each*clients {
		t.Fatalf("%d messages, want %d", got, each*clients)
	}
	seen := map[string]bool{}
	for _, m := range s.Messages(t) {
		if m.From != "from@example.com" || len(m.To) != 1 || seen[m.To[0]] {
			t.Errorf("envelope %+v", m)
		}
		seen[m.To[0]] = true
		if got, want := string(m.Data(t)), "Subject: "+m.To[0]+"\r\n\r\n.dot\r\n..\r\n"; got != want {
			t.Errorf("data %q, want %q", got, want)
		}
		if !strings.Contains(strings.Join(m.Options, " "), "BODY=8BITMIME") {
			t.Errorf("options %q", m.Options)
		}
	}
}
