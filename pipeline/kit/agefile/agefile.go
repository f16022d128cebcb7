// Package agefile encrypts a stream to the recipient of a print shop in the age
// format (age-encryption.org/v1). It is the only home of filippo.io/age.
package agefile

import (
	"errors"
	"io"
	"strings"

	"filippo.io/age"
)

// Extension is what encrypted files are called.
const Extension = ".age"

// Recipient is a public key to encrypt to.
type Recipient struct{ r age.Recipient }

// ErrRecipient says that a text is no age recipient.
var ErrRecipient = errors.New("not an age recipient; it starts with age1 and is printed by age-keygen")

// ParseRecipient reads a recipient: "age1…" (X25519) or "age1pq1…" (hybrid). The
// text of an identity, the secret half, is refused like anything else, and never
// repeated in the error.
func ParseRecipient(s string) (Recipient, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "age1pq1") {
		r, err := age.ParseHybridRecipient(s)
		if err != nil {
			return Recipient{}, ErrRecipient
		}
		return Recipient{r}, nil
	}
	r, err := age.ParseX25519Recipient(s)
	if err != nil {
		return Recipient{}, ErrRecipient
	}
	return Recipient{r}, nil
}

// Encrypt returns a writer that encrypts to r what is written to it, into w. The
// caller must close it to end the file; closing does not close w.
func Encrypt(w io.Writer, r Recipient) (io.WriteCloser, error) {
	if r.r == nil {
		return nil, ErrRecipient
	}
	return age.Encrypt(w, r.r)
}

// EncryptTo is Encrypt for several readers: each of them can open the file.
func EncryptTo(w io.Writer, to ...Recipient) (io.WriteCloser, error) {
	var list []age.Recipient
	for _, r := range to {
		if r.r == nil {
			return nil, ErrRecipient
		}
		list = append(list, r.r)
	}
	if len(list) == 0 {
		return nil, ErrRecipient
	}
	return age.Encrypt(w, list...)
}

// Decrypt returns the content of an encrypted file, for the holder of the secret
// identity ("AGE-SECRET-KEY-1…", one or more lines).
func Decrypt(r io.Reader, identity string) (io.Reader, error) {
	ids, err := age.ParseIdentities(strings.NewReader(identity))
	if err != nil {
		return nil, errors.New("not an age identity; it starts with AGE-SECRET-KEY-1")
	}
	return age.Decrypt(r, ids...)
}

// NewIdentity makes a key pair, for practice print shops and tests: the recipient
// to encrypt to and the identity to decrypt with.
func NewIdentity() (recipient, identity string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	return id.Recipient().String(), id.String(), nil
}
