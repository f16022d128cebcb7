package email

import (
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Labels of what is derived by MAC.
const (
	labelReturnPath = "email/return-path"
	labelMessageID  = "email/message-id"
)

const (
	maxKey     = 31
	maxAttempt = 255
)

// digits is base32hex in lower case: it survives relays that fold case, and sorts
// like what it encodes (RFC 4648, section 7).
const digits = "0123456789abcdefghijklmnopqrstuv"

// encoding is the alphabet of tokens. It is never changed.
var encoding = base32.NewEncoding(digits).WithPadding(base32.NoPadding)

// MessageID returns the Message-ID of an attempt, with angle brackets: notice,
// attempt and signature in 31 characters of base 32. It is the same on every
// technical retry of the attempt, because many receivers drop a second message
// with the same id; and it can be read back (ParseMessageID) from a reply, or from
// a report whose envelope no longer has our return path.
func MessageID(mac MAC, notice int64, attempt int, domain string) string {
	var id [19]byte
	binary.BigEndian.PutUint64(id[:8], uint64(notice))
	id[8] = byte(attempt)
	sign := idSignature(mac, notice, attempt)
	copy(id[9:], sign[:])
	var b [1 + messageIDLength + 1]byte
	b[0] = '<'
	encoding.Encode(b[1:1+messageIDLength], id[:])
	b[1+messageIDLength] = '@'
	return string(b[:]) + domain + ">"
}

// messageIDLength is the local part of a Message-ID: 19 octets in base 32.
const messageIDLength = 31

// ParseMessageID reads a Message-ID that MessageID made, with or without angle
// brackets. Case does not matter. The token is not to be believed before Verify.
func ParseMessageID(id string) (Token, error) {
	s := strings.ToLower(strings.TrimSpace(id))
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	s, domain, _ := strings.Cut(s, "@")
	var b [19]byte
	if len(s) != messageIDLength || !decode(b[:], s) || b[8] == 0 {
		return Token{}, ErrToken
	}
	t := Token{Notice: int64(binary.BigEndian.Uint64(b[:8])), Attempt: int(b[8]), Domain: domain, sign: [10]byte(b[9:]), ofMessage: true}
	if t.Notice <= 0 {
		return Token{}, ErrToken
	}
	return t, nil
}

// ReturnPath returns the signed return path of an attempt (variable envelope
// return path): b<key>-<notice and attempt>-<signature>@domain. The local part has
// 35 octets of the 64 that RFC 5321, section 4.5.3.1.1, allows, no capital, no
// "+", and nothing of the customer. attempt is 1 to 255, key 0 to 31. Notice 0 is a
// probe of the way back: it belongs to nobody.
func ReturnPath(mac MAC, key int, notice int64, attempt int, domain string) (string, error) {
	if attempt < 1 || attempt > maxAttempt {
		return "", fmt.Errorf("attempt %d has no return path: 1 to %d", attempt, maxAttempt)
	}
	if key < 0 || key > maxKey {
		return "", fmt.Errorf("key %d has no return path: 0 to %d", key, maxKey)
	}
	var id [9]byte
	binary.BigEndian.PutUint64(id[:8], uint64(notice))
	id[8] = byte(attempt)
	sign := signature(mac, key, notice, attempt)

	var b [tokenLength + 1]byte
	b[0], b[1], b[2] = 'b', digits[key], '-'
	encoding.Encode(b[3:18], id[:])
	b[18] = '-'
	encoding.Encode(b[19:35], sign[:])
	b[35] = '@'
	return string(b[:]) + domain, nil
}

// tokenLength is 1 + 1 + 1 + 15 + 1 + 16.
const tokenLength = 35

// Token is what a return path, an ENVID or a Message-ID says, not verified yet.
type Token struct {
	Key     int
	Notice  int64 // 0: a probe of the way back
	Attempt int
	Domain  string // in lower case; "" of an ENVID

	sign      [10]byte
	ofMessage bool // read from a Message-ID
}

// ErrToken says that an address is none of our return paths.
var ErrToken = errors.New("not a return path of ours")

// ParseReturnPath reads the address that a bounce came to, or the ENVID that it
// quotes. Case does not matter; wrappers of BATV and SRS are taken off. The token
// is not to be believed before Verify.
func ParseReturnPath(address string) (Token, error) {
	s := strings.ToLower(strings.TrimSpace(address))
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	domain := ""
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		s, domain = s[:at], s[at+1:]
	}
	s = unwrap(s)
	if len(s) != tokenLength || s[0] != 'b' || s[2] != '-' || s[18] != '-' {
		return Token{}, ErrToken
	}
	key := strings.IndexByte(digits, s[1])
	var id [9]byte
	t := Token{Key: key, Domain: domain}
	if !decode(id[:], s[3:18]) || !decode(t.sign[:], s[19:]) || key < 0 || id[8] == 0 {
		return Token{}, ErrToken
	}
	t.Notice, t.Attempt = int64(binary.BigEndian.Uint64(id[:8])), int(id[8])
	if t.Notice < 0 {
		return Token{}, ErrToken
	}
	return t, nil
}

// unwrap takes off what relays on the way put before a local part. The original
// is always what stands after the last "=".
//
//	prvs=0123abcdef=LOCAL                       BATV
//	btv1==0123abcdef==LOCAL, msprvs1=…=LOCAL    variants of it
//	SRS0=HHH=TT=domain=LOCAL, SRS1=HHH=relay==HHH=TT=domain=LOCAL
func unwrap(local string) string {
	for _, prefix := range []string{"prvs=", "btv1=", "msprvs1=", "srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-"} {
		if strings.HasPrefix(local, prefix) {
			return local[strings.LastIndexByte(local, '=')+1:]
		}
	}
	return local
}

// decode reads exactly len(to) octets, and refuses spare bits so that one token
// has one spelling.
func decode(to []byte, s string) bool {
	var b [19]byte
	if encoding.DecodedLen(len(s)) != len(to) {
		return false
	}
	n, err := encoding.Decode(b[:], []byte(s))
	if err != nil || n != len(to) || encoding.EncodeToString(b[:n]) != s {
		return false
	}
	copy(to, b[:])
	return true
}

// String is the token as it was made: the local part of a return path, or of a
// Message-ID.
func (t Token) String() string {
	var id [19]byte
	binary.BigEndian.PutUint64(id[:8], uint64(t.Notice))
	id[8] = byte(t.Attempt)
	copy(id[9:], t.sign[:])
	if t.ofMessage {
		return encoding.EncodeToString(id[:])
	}
	return "b" + digits[t.Key:t.Key+1] + "-" + encoding.EncodeToString(id[:9]) + "-" + encoding.EncodeToString(id[9:])
}

// Verify reports whether the token was signed with mac.
func (t Token) Verify(mac MAC) bool {
	want := signature(mac, t.Key, t.Notice, t.Attempt)
	if t.ofMessage {
		want = idSignature(mac, t.Notice, t.Attempt)
	}
	return subtle.ConstantTimeCompare(want[:], t.sign[:]) == 1
}

// signature covers all that the token says. The domain is not part of it: relays
// may rewrite it, and the token is worth nothing at another domain.
func signature(mac MAC, key int, notice int64, attempt int) (sign [10]byte) {
	sum := mac(labelReturnPath, []byte{byte(key)}, numbers(notice, attempt))
	copy(sign[:], sum[:])
	return sign
}

// idSignature is another one than that of the return path: who sees a Message-ID
// quoted somewhere cannot make a return path of it.
func idSignature(mac MAC, notice int64, attempt int) (sign [10]byte) {
	sum := mac(labelMessageID, numbers(notice, attempt))
	copy(sign[:], sum[:])
	return sign
}

func numbers(notice int64, attempt int) []byte {
	b := make([]byte, 16)
	binary.BigEndian.PutUint64(b[:8], uint64(notice))
	binary.BigEndian.PutUint64(b[8:], uint64(attempt))
	return b
}
