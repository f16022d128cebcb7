package agefile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	plain := bytes.Repeat([]byte("Zurück an Absender\n"), 10000)
	for _, id := range []struct{ public, secret string }{{classic.Recipient().String(), classic.String()}, {hybrid.Recipient().String(), hybrid.String()}} {
		r, err := ParseRecipient(" " + id.public + "\n")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w, err := Encrypt(&b, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b.Bytes(), []byte("Absender")) {
			t.Error("the file is in clear")
		}
		got, err := Decrypt(&b, id.secret)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(got); err != nil || !bytes.Equal(back, plain) {
			t.Error("the content is another", err)
		}
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "age1", "age1pq1xyz", "ssh-ed25519 AAAA", id.String(), id.Recipient().String() + "x"} {
		_, err := ParseRecipient(bad)
		if !errors.Is(err, ErrRecipient) {
			t.Errorf("accepted or another error: %v", err)
		}
		if err != nil && strings.Contains(err.Error(), id.String()) {
			t.Error("the error repeats a secret")
		}
	}
	if _, err := Encrypt(io.Discard, Recipient{}); !errors.Is(err, ErrRecipient) {
		t.Error(err)
	}
	if _, err := Decrypt(strings.NewReader(""), "nonsense"); err == nil {
		t.Error("nonsense is an identity")
	}
}
