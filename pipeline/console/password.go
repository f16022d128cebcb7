package console

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What argon2id costs: 19 MiB, two passes, one lane, as the OWASP password storage
// cheat sheet asks at least. At most hashLanes run at once: more would let strangers
// use up the memory of the machine.
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashLanes  = 2
	hashLength = 32
	saltLength = 16
)

// Lengths of a password in characters. Length is what makes it hard to guess; rules
// about digits and signs make it hard to remember (NIST SP 800-63B).
const (
	shortestPassword = 12
	longestPassword  = 128
)

// hasher makes and checks encoded hashes of passwords.
type hasher struct {
	lanes  chan struct{}
	memory uint32 // KiB; tests take less
}

func newHasher() hasher { return hasher{make(chan struct{}, hashLanes), hashMemory} }

func (h hasher) key(password string, salt []byte, memory, passes uint32) []byte {
	h.lanes <- struct{}{}
	defer func() { <-h.lanes }()
	return argon2.IDKey([]byte(password), salt, passes, memory, 1, hashLength)
}

// encode hashes a password in the usual text form, "$argon2id$v=19$m=…".
func (h hasher) encode(password string, salt []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, h.memory, hashPasses, b64(salt), b64(h.key(password, salt, h.memory, hashPasses)))
}

// matches reports whether the password is the one that was encoded. One that was
// never set costs as much time as a wrong one: who asks learns nothing from it.
func (h hasher) matches(encoded, password string) bool {
	if len(password) > 4*longestPassword {
		password = ""
	}
	salt, want, memory, passes := make([]byte, saltLength), []byte(nil), h.memory, uint32(hashPasses)
	parts := strings.Split(encoded, "$")
	if len(parts) == 6 && parts[1] == "argon2id" {
		var version int
		_, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=1", &version, &memory, &passes)
		s, err2 := base64.RawStdEncoding.DecodeString(parts[4])
		w, err3 := base64.RawStdEncoding.DecodeString(parts[5])
		if err == nil && err2 == nil && err3 == nil && version == argon2.Version && memory <= 1<<20 && passes <= 64 {
			salt, want = s, w
		}
	}
	got := h.key(password, salt, memory, passes)
	return len(want) == len(got) && subtle.ConstantTimeCompare(got, want) == 1
}

// weak says what is wrong with a new password as the key of a message, "" if
// nothing.
func weak(password, login, name string) string {
	n := utf8.RuneCountInString(password)
	low := strings.ToLower(password)
	switch {
	case n < shortestPassword:
		return "problem.password_short"
	case n > longestPassword:
		return "problem.password_long"
	case len(login) > 3 && strings.Contains(low, login), strings.Count(low, low[:1]) == len(low), common(low):
		return "problem.password_common"
	}
	for _, part := range strings.Fields(strings.ToLower(name)) {
		if len(part) > 4 && strings.Contains(low, part) {
			return "problem.password_common"
		}
	}
	return ""
}

// common reports whether a password is made of what everybody tries first.
func common(low string) bool {
	rest := strings.Trim(low, "0123456789!.?-_ ")
	for _, w := range []string{"", "password", "passwort", "motdepasse", "azertyuiop", "qwertyuiop", "azerty", "qwerty", "administrator", "administrateur", "admin", "bienvenue", "welcome", "changeme", "letmein", "art34", "abcdefghijkl", "soleil", "doudou"} {
		if rest == w || rest == w+w {
			return true
		}
	}
	return false
}
