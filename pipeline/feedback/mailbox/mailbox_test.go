package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/mailbox"
)

// split reads all messages of a text.
func split(t *testing.T, text string, limit int) (all []mailbox.Item) {
	t.Helper()
	err := mailbox.Read(strings.NewReader(text), pipeline.FromFile, limit, func(i mailbox.Item) error {
		all = append(all, i)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200_000)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"one":                  {"Subject: a\n\nb\n", []string{"Subject: a\n\nb\n"}},
		"two":                  {"From a\nSubject: a\n\nb\n\nFrom b\nSubject: c\n\nd\n", []string{"Subject: a\n\nb\n\n", "Subject: c\n\nd\n"}},
		"CRLF":                 {"From a\r\nSubject: a\r\n\r\nb\r\n\r\nFrom b\r\nSubject: c\r\n", []string{"Subject: a\r\n\r\nb\r\n\r\n", "Subject: c\r\n"}},
		"a line that is none":  {"From a\nSubject: a\n\ntext\nFrom here on\n", []string{"Subject: a\n\ntext\nFrom here on\n"}},
		"quoted":               {"From a\nSubject: a\n\n>From me\n>>From you\n> From\n", []string{"Subject: a\n\nFrom me\n>From you\n> From\n"}},
		"not quoted elsewhere": {"Subject: a\n\n>From me\n", []string{"Subject: a\n\n>From me\n"}},
		"nothing":              {"", nil},
		"only ends of lines":   {"\n\r\n\n", nil},
		"an endless From":      {"From " + long + "\nSubject: a\n\nFrom " + long + "\nSubject: b\n", []string{"Subject: a\n\n", "Subject: b\n"}},
		"an endless line":      {"Subject: a\n\n" + long + "\nFrom x\n", []string{"Subject: a\n\n" + long + "\nFrom x\n"}},
		"only From":            {"From a", nil},
	} {
		var got []string
		for n, i := range split(t, c.text, 1<<20) {
			if i.Index != n+1 || i.Cut {
				t.Errorf("%s: %d %v", name, i.Index, i.Cut)
			}
			got = append(got, string(i.Raw))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %.300q", name, got)
		}
	}
	// Empty messages are left out, and count.
	if got := split(t, "From a\n\nFrom b\n\nFrom c\nSubject: x\n", 100); len(got) != 1 || got[0].Index != 3 || string(got[0].Raw) != "Subject: x\n" {
		t.Errorf("%+v", got)
	}
	if got := split(t, "From a\nSubject: abcdef\n\nFrom b\nSubject: b\n", 10); len(got) != 2 || !got[0].Cut || string(got[0].Raw) != "Subject: a" || !got[1].Cut {
		t.Errorf("%+v", got)
	}
}

// TestCollect: what is kept is moved from new to cur; what is not stays.
func TestCollect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"new", "cur", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		if err := os.WriteFile(filepath.Join(dir, "new", fmt.Sprint(i, ".host")), message(i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp", "half"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	away, batches := errors.New("away"), 0
	n, err := mailbox.Collect(t.Context(), dir, 50, 2, func(_ context.Context, items []mailbox.Item) error {
		if batches++; batches == 2 {
			return away
		}
		return nil
	})
	if n != 2 || !errors.Is(err, away) {
		t.Fatalf("%d %v", n, err)
	}
	var kept []mailbox.Item
	n, err = mailbox.Collect(t.Context(), dir, 50, 2, func(_ context.Context, items []mailbox.Item) error {
		kept = append(kept, items...)
		return nil
	})
	if n != 3 || err != nil || len(kept) != 3 || !kept[0].Cut || len(kept[0].Raw) != 50 {
		t.Fatalf("%d %v %+v", n, err, kept)
	}
	moved, _ := filepath.Glob(filepath.Join(dir, "cur", "*:2,S"))
	left, _ := filepath.Glob(filepath.Join(dir, "*", "half"))
	if len(moved) != 5 || len(left) != 1 {
		t.Errorf("%v %v", moved, left)
	}
	if _, err := mailbox.Collect(t.Context(), t.TempDir(), 50, 2, nil); err == nil {
		t.Error("a directory that is no Maildir was taken")
	}
	// Walk finds what was moved, and leaves alone what is half delivered.
	found := 0
	err = mailbox.Walk(t.Context(), dir, 1000, func(i mailbox.Item) error {
		found++
		if i.Source != pipeline.FromMaildir {
			t.Errorf("%+v", i)
		}
		return nil
	})
	if found != 5 || err != nil {
		t.Errorf("%d %v", found, err)
	}
}

// FuzzRead: however the bytes arrive, the messages are the same; none is made up,
// none is longer than the limit, and a file that is no mbox is one message.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"Subject: a\n\nb\n", "From a\nSubject: a\n\nb\n\nFrom b\r\nSubject: c\r\n\r\n>From x\n>>From y\n", "From \n\nFrom \n\n", "\r\r\n\nFrom x",
		"From a\nSubject: " + strings.Repeat("x", 70_000) + "\n\nFrom b\n\n.",
	} {
		f.Add([]byte(s), 1000)
	}
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		limit = limit&0xffff + 1
		read := func(r io.Reader) (all []mailbox.Item) {
			if err := mailbox.Read(r, pipeline.FromFile, limit, func(i mailbox.Item) error { all = append(all, i); return nil }); err != nil {
				t.Fatal(err)
			}
			return all
		}
		whole, total := read(bytes.NewReader(raw)), 0
		pieces := read(iotest.HalfReader(bytes.NewReader(raw)))
		if len(whole) != len(pieces) {
			t.Fatalf("%d messages, and %d in pieces", len(whole), len(pieces))
		}
		mbox := bytes.HasPrefix(raw, []byte("From "))
		for n, i := range whole {
			if !bytes.Equal(i.Raw, pieces[n].Raw) || i.Cut != pieces[n].Cut || i.Index != pieces[n].Index {
				t.Fatalf("%+v and %+v", i, pieces[n])
			}
			if len(i.Raw) > limit || i.Cut && len(i.Raw) != limit || len(bytes.TrimSpace(i.Raw)) == 0 || n > 0 && i.Index <= whole[n-1].Index {
				t.Fatalf("%+v with limit %d", i, limit)
			}
			if mbox != (i.Source == pipeline.FromMbox) || !mbox && (n > 0 || !bytes.Equal(i.Raw, raw[:min(limit, len(raw))])) {
				t.Fatalf("%+v of %q", i, raw)
			}
			total += len(i.Raw)
		}
		if total > len(raw) {
			t.Fatalf("%d bytes out of %d", total, len(raw))
		}
	})
}
