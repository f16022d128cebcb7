package testenv

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

//go:embed sink.py
var sinkProgram string

// SMTPSink is an SMTP server that is not ours (Python, standard library only). It
// takes every message and keeps it with its envelope. It offers PIPELINING,
// 8BITMIME, DSN, SIZE and enhanced status codes, and neither TLS nor AUTH.
type SMTPSink struct {
	Addr string // host:port
	URL  string // smtp://host:port?tls=none, as ART34_RELAY
	Dir  string // a pair of files a message: NNNNNN.eml, NNNNNN.json

	port int
	proc *process
}

// Received is a message that a server kept.
type Received struct {
	From    string   `json:"from"`    // MAIL FROM, "" for <>
	To      []string `json:"to"`      // RCPT TO
	Options []string `json:"options"` // of MAIL and RCPT: ENVID=…, SIZE=…
	File    string   `json:"-"`       // path of the .eml
}

// Data returns the message's bytes as they came, without dot-stuffing.
func (r Received) Data(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(r.File)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sink starts an SMTP server that ends with the test.
func Sink(t testing.TB) *SMTPSink {
	t.Helper()
	Binary(t, "python3")
	dir, err := directory("sink", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &SMTPSink{Dir: filepath.Join(dir, "mail")}
	t.Cleanup(func() {
		if s.proc == nil {
			_ = os.RemoveAll(dir)
			return
		}
		if err := s.proc.close(); err != nil {
			t.Errorf("smtp sink: %v", err)
		}
	})
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sink.py"), []byte(sinkProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	for try := 1; ; try++ {
		if s.port, err = freePort(); err != nil {
			t.Fatal(err)
		}
		if err = s.start(dir); err == nil {
			break
		}
		if try == starts {
			t.Fatal(err)
		}
	}
	s.Addr = addr(s.port)
	s.URL = "smtp://" + s.Addr + "?tls=none"
	return s
}

func (s *SMTPSink) start(dir string) error {
	told := filepath.Join(s.Dir, "port")
	if err := os.RemoveAll(told); err != nil {
		return err
	}
	p, err := launch(spec{dir: dir, args: []string{lookup("python3"), "-I", "sink.py", s.Dir, strconv.Itoa(s.port)}, end: "KILL"})
	if err != nil {
		return err
	}
	s.proc = p
	return p.until("smtp sink", func() bool {
		_, err := os.Stat(told)
		return err == nil
	})
}

// Kill ends the server; connections break. What it answered with 250 is kept.
func (s *SMTPSink) Kill(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGKILL, true); err != nil {
		t.Fatal(err)
	}
}

// Pause stops the server with SIGSTOP: it is there and does not answer. Whatever is on
// the wire waits. Resume lets it go on.
func (s *SMTPSink) Pause(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGSTOP, false); err != nil {
		t.Fatal(err)
	}
	// Its threads go on until one of them has taken the signal.
	if err := s.proc.until("smtp sink", s.proc.stands); err != nil {
		t.Fatal(err)
	}
}

// Resume ends Pause.
func (s *SMTPSink) Resume(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGCONT, false); err != nil {
		t.Fatal(err)
	}
}

// Count returns how many messages were taken.
func (s *SMTPSink) Count(t testing.TB) int {
	t.Helper()
	return len(s.files(t))
}

func (s *SMTPSink) files(t testing.TB) []string {
	t.Helper()
	all, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		if strings.HasSuffix(e.Name(), ".json") {
			names = append(names, filepath.Join(s.Dir, e.Name()))
		}
	}
	slices.Sort(names)
	return names
}

// Messages returns the envelopes of what was taken, in order of arrival.
func (s *SMTPSink) Messages(t testing.TB) []Received {
	t.Helper()
	var out []Received
	for _, name := range s.files(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r := Received{File: strings.TrimSuffix(name, ".json") + ".eml"}
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, r)
	}
	return out
}
