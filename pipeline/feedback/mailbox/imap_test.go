package mailbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/mailbox"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// office is what stands for the ledger: what was kept, and how far a folder was
// collected, as it would be read again after a crash.
type office struct {
	t     *testing.T
	mu    sync.Mutex
	kept  []string
	cut   int
	place []byte

	keep func() error                // before something is kept
	save func(p mailbox.Place) error // after a place was saved
}

func (o *office) config(account string, server *testenv.IMAPServer) mailbox.IMAPConfig {
	o.t.Helper()
	a, err := mailbox.ParseAccount(account)
	if err != nil {
		o.t.Fatal(err)
	}
	return mailbox.IMAPConfig{
		Account: a, Secret: func() (string, error) { return server.Password, nil }, Limit: 20_000, Most: 10,
		Keep: func(_ context.Context, items []mailbox.Item) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.keep != nil {
				if err := o.keep(); err != nil {
					return err
				}
			}
			for _, i := range items {
				if i.Source != pipeline.FromIMAP {
					o.t.Errorf("it came from %q", i.Source)
				}
				if i.Cut {
					o.cut++
				}
				o.kept = append(o.kept, string(i.Raw))
			}
			return nil
		},
		Load: func(context.Context) (p mailbox.Place, err error) {
			if len(o.place) > 0 {
				err = json.Unmarshal(o.place, &p)
			}
			return p, err
		},
		Save: func(_ context.Context, p mailbox.Place) error {
			var err error
			if o.place, err = json.Marshal(p); err == nil && o.save != nil {
				err = o.save(p)
			}
			return err
		},
	}
}

func message(n int) []byte {
	return fmt.Appendf(nil, "Delivered-To: b0-%d@retour.example.fr\r\nSubject: message %d\r\n\r\nIt came back.\r\n", n, n)
}

// account is the URL of a folder of a server.
func account(s *testenv.IMAPServer, scheme, rest string) string {
	return scheme + "://" + s.User + "@" + s.Addr + rest
}

func collector(t *testing.T, c mailbox.IMAPConfig) *mailbox.IMAP {
	t.Helper()
	p, err := mailbox.NewIMAP(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func collect(t *testing.T, p *mailbox.IMAP, want int) {
	t.Helper()
	if n, err := p.Collect(t.Context()); err != nil || n != want {
		t.Fatalf("%d messages and %v, want %d", n, err, want)
	}
}

// TestIMAP: over TLS from the first byte and over STARTTLS every message is kept
// once and marked as seen afterwards, also what a person has read already, and what
// comes while the connection stays open.
func TestIMAP(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"imaps", "imap"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			authority := testenv.NewAuthority(t)
			pair, _, _ := authority.Issue(t, "127.0.0.1")
			s := testenv.IMAP(t, testenv.IMAPConfig{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, StartTLS: scheme == "imap"})
			for i := range 25 {
				if i%2 == 0 {
					s.Put(t, "INBOX", message(i), imap.FlagSeen) // by a person who looked
					continue
				}
				s.Put(t, "INBOX", message(i))
			}
			o := &office{t: t}
			c := o.config(account(s, scheme, ""), s)
			c.Roots = authority.Roots
			p := collector(t, c)
			collect(t, p, 25)
			collect(t, p, 0)
			for i := 25; i < 31; i++ {
				s.Put(t, "INBOX", message(i))
			}
			collect(t, p, 6)
			p.Close()
			collect(t, p, 0)
			for i, raw := range o.kept {
				if raw != string(message(i)) {
					t.Fatalf("message %d is %q", i, raw)
				}
			}
			if all, unseen := s.Count(t, "INBOX"); len(o.kept) != 31 || all != 31 || unseen != 0 {
				t.Errorf("%d kept, %d in the folder, %d of them unseen", len(o.kept), all, unseen)
			}
			if n, err := p.Check(t.Context()); n != 31 || err != nil {
				t.Errorf("%d messages and %v", n, err)
			}
		})
	}
}

// TestIMAPKilled: whatever the moment at which the process dies, no message is
// lost, and only those that were being kept just then are fetched again.
func TestIMAPKilled(t *testing.T) {
	t.Parallel()
	killed := errors.New("killed")
	authority := testenv.NewAuthority(t)
	pair, _, _ := authority.Issue(t, "127.0.0.1")
	for name, c := range map[string]struct {
		arm    func(o *office, die func() error)
		before string // the command of the server that the process does not live to see answered
		again  int    // messages that are fetched twice
		move   string
	}{
		"before the ledger's commit":   {arm: func(o *office, die func() error) { o.keep = die }},
		"between commit and place":     {arm: func(o *office, die func() error) { o.save = func(mailbox.Place) error { o.place = nil; return die() } }, again: 10},
		"between commit and mark":      {arm: func(o *office, die func() error) { o.save = func(mailbox.Place) error { return die() } }},
		"while the mark is on its way": {before: "STORE"},
		"while messages are moved":     {before: "MOVE", move: "/INBOX?move=Done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alive := true
			die := func() error {
				if !alive {
					return nil
				}
				alive = false
				return killed
			}
			var mu sync.Mutex
			s := testenv.IMAP(t, testenv.IMAPConfig{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, Caps: []imap.Cap{imap.CapMove, imap.CapUIDPlus}, Before: func(command string, _ bool) error {
				mu.Lock()
				defer mu.Unlock()
				if command == c.before && die() != nil {
					return testenv.ErrHangUp
				}
				return nil
			}})
			for i := range 10 {
				s.Put(t, "INBOX", message(i))
			}
			s.Folder(t, "Done")
			o := &office{t: t}
			if c.arm != nil {
				c.arm(o, die)
			}
			config := o.config(account(s, "imaps", c.move), s)
			config.Roots = authority.Roots
			first := collector(t, config)
			if _, err := first.Collect(t.Context()); err == nil {
				t.Fatal("it did not die")
			}
			first.Close()
			if all, unseen := s.Count(t, "INBOX"); all != 10 || unseen != 10 {
				t.Errorf("%d messages, %d of them unseen: something was touched", all, unseen)
			}
			before := len(o.kept)
			if _, err := collector(t, config).Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if again := before + len(o.kept[before:]) - 10; again != c.again {
				t.Errorf("%d messages were fetched twice, want %d", again, c.again)
			}
			if all, unseen := s.Count(t, "INBOX"); unseen != 0 || c.move != "" && all != 0 {
				t.Errorf("%d messages in the folder, %d unseen", all, unseen)
			}
			seen := slices.Compact(slices.Sorted(slices.Values(o.kept)))
			if len(seen) != 10 {
				t.Errorf("%d messages kept", len(seen))
			}
		})
	}
}

// TestIMAPRenumbered: under another UIDVALIDITY all is looked at again; the ledger
// knows by the content what it has.
func TestIMAPRenumbered(t *testing.T) {
	t.Parallel()
	s := testenv.IMAP(t, testenv.IMAPConfig{})
	s.Folder(t, "Bounces")
	s.Put(t, "Bounces", message(1))
	s.Put(t, "Bounces", message(2))
	o := &office{t: t}
	c := o.config(account(s, "imap", "/Bounces?tls=none"), s)
	p := collector(t, c)
	collect(t, p, 2)
	s.Remove(t, "Bounces")
	s.Folder(t, "Bounces")
	s.Put(t, "Bounces", message(3))
	collect(t, p, 1)
	if len(o.kept) != 3 || o.kept[2] != string(message(3)) {
		t.Errorf("%q", o.kept)
	}
	s.Remove(t, "Bounces")
	if _, err := p.Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("a folder that is gone: %v", err)
	}
}

// TestIMAPMove: what is kept is moved, by MOVE or by a copy that is deleted from
// here; nothing else in the folder is touched, whatever others have marked.
func TestIMAPMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caps  []imap.Cap
		fails string
		left  int
		want  string
	}{
		"MOVE":           {caps: []imap.Cap{imap.CapMove, imap.CapUIDPlus}},
		"UIDPLUS":        {caps: []imap.Cap{imap.CapUIDPlus}},
		"neither":        {left: 3, want: "neither MOVE nor UIDPLUS"},
		"copy refused":   {caps: []imap.Cap{imap.CapUIDPlus}, fails: "COPY", left: 3, want: "does not take them: the server says NO OVERQUOTA"},
		"delete refused": {caps: []imap.Cap{imap.CapUIDPlus}, fails: "STORE", left: 3, want: "are not copied again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.IMAP(t, testenv.IMAPConfig{Caps: c.caps, Before: func(command string, _ bool) error {
				if command == c.fails {
					return &imap.Error{Type: imap.StatusResponseTypeNo, Code: "OVERQUOTA", Text: "bounces@example.com has no room"}
				}
				return nil
			}})
			o := &office{t: t}
			p := collector(t, o.config(account(s, "imap", "/INBOX?tls=none&move=Kept/2026"), s))
			collect(t, p, 0)
			// Somebody wants to delete this one, and has not yet.
			s.Put(t, "INBOX", message(0), imap.FlagDeleted)
			s.Put(t, "INBOX", message(1))
			s.Put(t, "INBOX", message(2))
			n, err := p.Collect(t.Context())
			if n != 3 || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%d kept and %v, want %q", n, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "bounces@") {
				t.Errorf("%v names the user", err)
			}
			if all, _ := s.Count(t, "INBOX"); all != c.left {
				t.Errorf("%d messages are left, want %d", all, c.left)
			}
			if moved, _ := s.Count(t, "Kept/2026"); c.want == "" && moved != 3 {
				t.Errorf("%d messages were moved", moved)
			}
			// What cannot be moved keeps nobody from collecting what comes.
			s.Put(t, "INBOX", message(4))
			if n, _ := p.Collect(t.Context()); n != 1 || len(o.kept) != 4 {
				t.Errorf("%d more, %d in all", n, len(o.kept))
			}
			// And is not copied again and again.
			for range 3 {
				_, _ = p.Collect(t.Context())
			}
			if copied, _ := s.Count(t, "Kept/2026"); copied > 4 {
				t.Errorf("%d copies of 4 messages", copied)
			}
		})
	}
}

// TestIMAPLarge: of a message no more is kept than the limit, and it is marked as
// any other.
func TestIMAPLarge(t *testing.T) {
	t.Parallel()
	s := testenv.IMAP(t, testenv.IMAPConfig{})
	large := append(message(1), bytes.Repeat([]byte("a line of a large message\r\n"), 200_000)...)
	s.Put(t, "INBOX", large)
	s.Put(t, "INBOX", large[:20_000])
	s.Put(t, "INBOX", message(2))
	o := &office{t: t}
	collect(t, collector(t, o.config(account(s, "imap", "?tls=none"), s)), 3)
	if len(o.kept) != 3 || o.cut != 1 || o.kept[0] != string(large[:20_000]) || o.kept[1] != o.kept[0] || o.kept[2] != string(message(2)) {
		t.Errorf("%d kept, %d cut", len(o.kept), o.cut)
	}
	if _, unseen := s.Count(t, "INBOX"); unseen != 0 {
		t.Errorf("%d unseen", unseen)
	}
}

// TestIMAPMissing: a message that the server does not hand over keeps nobody
// waiting, is asked for again, and is not lost.
func TestIMAPMissing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	broken, fetches := true, 0
	s := testenv.IMAP(t, testenv.IMAPConfig{Before: func(command string, body bool) error {
		mu.Lock()
		defer mu.Unlock()
		if command == "FETCH" && body {
			// All together fail, and the first alone.
			if fetches++; broken && (fetches == 1 || fetches == 2) {
				return &imap.Error{Type: imap.StatusResponseTypeNo, Code: "SERVERBUG", Text: "internal"}
			}
		}
		return nil
	}})
	for i := range 3 {
		s.Put(t, "INBOX", message(i))
	}
	o := &office{t: t}
	p := collector(t, o.config(account(s, "imap", "?tls=none"), s))
	for range 2 {
		if _, err := p.Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "the server says NO SERVERBUG") {
			t.Fatal(err)
		}
	}
	var place mailbox.Place
	if err := json.Unmarshal(o.place, &place); err != nil || place.UID != 1 || !slices.Equal(place.Missing, []uint32{1}) || len(o.kept) != 0 {
		t.Fatalf("%+v %v, %d kept", place, err, len(o.kept))
	}
	collect(t, p, 3)
	place = mailbox.Place{}
	if err := json.Unmarshal(o.place, &place); err != nil || place.UID != 3 || len(place.Missing)+len(place.Unmarked) != 0 {
		t.Errorf("%+v %v", place, err)
	}
	if !slices.Equal(o.kept, []string{string(message(1)), string(message(2)), string(message(0))}) {
		t.Errorf("%q", o.kept)
	}
}

// TestIMAPRefused: a password or a certificate that is wrong is said without
// naming anybody, and a password never crosses the network in clear.
func TestIMAPRefused(t *testing.T) {
	t.Parallel()
	authority := testenv.NewAuthority(t)
	pair, _, _ := authority.Issue(t, "127.0.0.1")
	secure := testenv.IMAP(t, testenv.IMAPConfig{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}})
	open := testenv.IMAP(t, testenv.IMAPConfig{})
	for name, c := range map[string]struct {
		server *testenv.IMAPServer
		scheme string
		change func(*mailbox.IMAPConfig)
		want   string
	}{
		"password":    {secure, "imaps", func(c *mailbox.IMAPConfig) { c.Secret = func() (string, error) { return "wrong", nil } }, "cannot be entered: the server says NO AUTHENTICATIONFAILED"},
		"certificate": {secure, "imaps", func(c *mailbox.IMAPConfig) { c.Roots = testenv.NewAuthority(t).Roots }, "certificate is not trusted"},
		"no STARTTLS": {open, "imap", func(c *mailbox.IMAPConfig) {
			c.Secret = func() (string, error) { t.Error("the password was asked for"); return "", nil }
		}, "the server says"},
		"no TLS":    {open, "imaps", func(*mailbox.IMAPConfig) {}, "cannot be entered"},
		"no folder": {secure, "imaps", func(c *mailbox.IMAPConfig) { c.Account.Folder = "Elsewhere" }, "cannot be opened: the server says NO"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &office{t: t}
			config := o.config(account(c.server, c.scheme, ""), c.server)
			config.Roots = authority.Roots
			c.change(&config)
			_, err := collector(t, config).Collect(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "bounces@") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestParseAccount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mailbox.Account{
		"imaps://a@mail.example.com":                            {Host: "mail.example.com", Port: 993, User: "a", Folder: "INBOX", Whole: true},
		"imap://a%40b.example@mail.example.com:1143/":           {Host: "mail.example.com", Port: 1143, User: "a@b.example", Folder: "INBOX"},
		"imaps://a@b.example@mail.example.com/Way%20back/2026":  {Host: "mail.example.com", Port: 993, User: "a@b.example", Folder: "Way back/2026", Whole: true},
		"imaps://a@boîte.example/Reçus?move=Traités&auth=oauth": {Host: "xn--bote-1pa.example", Port: 993, User: "a", Folder: "Reçus", Move: "Traités", Whole: true, OAuth: true},
		"imap://a@[::1]/INBOX?tls=none":                         {Host: "::1", Port: 143, User: "a", Folder: "INBOX", Clear: true},
	} {
		if a, err := mailbox.ParseAccount(text); err != nil || a != want {
			t.Errorf("%s: %+v %v", text, a, err)
		}
	}
	for _, text := range []string{
		"", "imaps://", "mail.example.com", "pop3://a@b.example", "imaps://b.example", "imaps://a:secret@b.example", "imap://a@b.example?tls=none",
		"imaps://a@127.0.0.1?tls=none", "imaps://a@b.example?move=", "imaps://a@b.example/X?move=X", "imaps://a@b.example?x=y", "imaps://a@b.example:0",
		"imaps://a@b.example?move=X&move=Y", "imaps://a%0d%0aLOGOUT@b.example", "imaps://a@b.example/X%00", "imaps://a@b c.example", "imaps://a@b.example#x", "imaps://a@b.example?%zz",
	} {
		_, err := mailbox.ParseAccount(text)
		var own *pipeline.Error
		if !errors.As(err, &own) || own.Code != "feedback-imap" || own.Exit != 2 || strings.Contains(own.Sentence+own.Hint, "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if a, _ := mailbox.ParseAccount("imaps://me@b.example"); a.Server() != net.JoinHostPort("b.example", "993") {
		t.Errorf("%s", a.Server())
	}
}
