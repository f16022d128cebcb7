package seal

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var at = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

func newKeyring(t testing.TB) (*Keyring, []byte, string) {
	t.Helper()
	path, master := filepath.Join(t.TempDir(), "keys.json"), NewMaster()
	k, err := Create(path, master, at)
	if err != nil {
		t.Fatal(err)
	}
	return k, master, path
}

func campaignKeys(t testing.TB, k *Keyring, id int64) *Keys {
	t.Helper()
	keys, err := k.Campaign(id)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t)
	a, b := campaignKeys(t, k, 1), campaignKeys(t, k, 2)
	plain, row := []byte("somebody at example.com"), []byte("row 1")
	sealed := a.Seal(plain, row)
	if got, err := a.Open(sealed, row); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened %q, %v", got, err)
	}
	if len(sealed) != len(plain)+Overhead {
		t.Errorf("%d bytes longer, want %d", len(sealed)-len(plain), Overhead)
	}
	if bytes.Equal(sealed, a.Seal(plain, row)) {
		t.Error("sealing twice gave the same bytes: the nonce is not fresh")
	}
	for name, f := range map[string]func() ([]byte, error){
		"in another row":      func() ([]byte, error) { return a.Open(sealed, []byte("row 2")) },
		"without its row":     func() ([]byte, error) { return a.Open(sealed, nil) },
		"in another campaign": func() ([]byte, error) { return b.Open(sealed, row) },
		"cut":                 func() ([]byte, error) { return a.Open(sealed[:len(sealed)-1], row) },
		"lengthened":          func() ([]byte, error) { return a.Open(append(bytes.Clone(sealed), 0), row) },
		"empty":               func() ([]byte, error) { return a.Open(nil, row) },
		"header moved into aad": func() ([]byte, error) {
			return a.Open(sealed[headerSize:], append(bytes.Clone(sealed[:headerSize]), row...))
		},
	} {
		if got, err := f(); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%s: opened %q, %v", name, got, err)
		}
	}
	for i := range sealed {
		bent := bytes.Clone(sealed)
		bent[i] ^= 1
		if _, err := a.Open(bent, row); !errors.Is(err, ErrSealed) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
}

func TestSealKeepsItsArguments(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t)
	keys := campaignKeys(t, k, 1)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "aad") // longer than the buffer on the stack too
		p, a := bytes.Clone(plain), bytes.Clone(aad)
		sealed := keys.Seal(plain, aad)
		s := bytes.Clone(sealed)
		got, err := keys.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, p) || !bytes.Equal(plain, p) || !bytes.Equal(aad, a) || !bytes.Equal(sealed, s) {
			t.Fatalf("%v", err)
		}
	})
}

func TestTokensAndMACs(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t)
	a, b := campaignKeys(t, k, 1), campaignKeys(t, k, 2)
	tokens := map[[16]byte]string{}
	for _, keys := range []*Keys{a, b} {
		for _, p := range [][2]string{{"email", "a@example.com"}, {"phone", "a@example.com"}, {"emaila", "@example.com"}, {"email", ""}, {"", "email"}} {
			tok, name := keys.Token(p[0], p[1]), fmt.Sprintf("%p %q", keys, p)
			if tok != keys.Token(p[0], p[1]) {
				t.Errorf("%s differs from itself", name)
			}
			if other, ok := tokens[tok]; ok {
				t.Errorf("%s and %s have the same token", name, other)
			}
			tokens[tok] = name
		}
	}
	macs := map[[32]byte]bool{}
	for _, parts := range [][][]byte{nil, {{}}, {{}, {}}, {[]byte("ab")}, {[]byte("a"), []byte("b")}, {[]byte("b"), []byte("a")}, {bytes.Repeat([]byte("x"), 500)}} {
		for _, label := range []string{"verp", "message-id"} {
			m := a.MAC(label, parts...)
			if macs[m] {
				t.Errorf("MAC(%s, %q) is that of something else", label, parts)
			}
			macs[m] = true
		}
	}
	if tok, mac := a.Token("l", "p"), a.MAC("l", []byte("p")); bytes.Equal(tok[:], mac[:16]) {
		t.Error("a token can be had by asking for a MAC")
	}
}

func TestKeysAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t)
	keys := campaignKeys(t, k, 1)
	token, mac := keys.Token("email", "a@example.com"), keys.MAC("verp", []byte("1"))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 200 {
				row := []byte{byte(g)}
				if got, err := keys.Open(keys.Seal(row, row), row); err != nil || !bytes.Equal(got, row) {
					t.Error(err)
				}
				if keys.Token("email", "a@example.com") != token || keys.MAC("verp", []byte("1")) != mac {
					t.Error("hashes mix")
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	k, _, _ := newKeyring(f)
	keys := campaignKeys(f, k, 1)
	good := keys.Seal([]byte("plain"), []byte("row"))
	f.Add(good, []byte("row"))
	f.Add([]byte{}, []byte{})
	f.Add(good[:headerSize], []byte("row"))
	f.Add(good[:Overhead-1], []byte{})
	f.Fuzz(func(t *testing.T, sealed, aad []byte) {
		got, err := keys.Open(sealed, aad)
		if bytes.Equal(sealed, good) && string(aad) == "row" {
			if err != nil || string(got) != "plain" {
				t.Errorf("%q %v", got, err)
			}
		} else if err == nil {
			t.Errorf("%x opened for %q", sealed, aad)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k, _, _ := newKeyring(b)
	keys, plain, row := campaignKeys(b, k, 1), make([]byte, 600), make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		keys.Seal(plain, row)
	}
}

func BenchmarkOpen(b *testing.B) {
	k, _, _ := newKeyring(b)
	keys, row := campaignKeys(b, k, 1), make([]byte, 32)
	sealed := keys.Seal(make([]byte, 600), row)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := keys.Open(sealed, row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToken(b *testing.B) {
	k, _, _ := newKeyring(b)
	keys := campaignKeys(b, k, 1)
	b.ReportAllocs()
	for b.Loop() {
		keys.Token("email", "somebody@example.com")
	}
}
