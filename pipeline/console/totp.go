package console

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Time-based one-time passwords as RFC 6238 has them and every authenticator takes
// them: HMAC-SHA-1, six digits, steps of 30 seconds.
const (
	totpStep   = 30 * time.Second
	totpSecret = 20 // bytes, RFC 4226 section 4 R6
	totpDrift  = 1  // steps before and after now: clocks differ
)

// totpCode is the code of a time step, RFC 4226 section 5.3.
func totpCode(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// totpMatch returns the time step whose code this is, or false. A step that is not
// after last is not taken: nobody uses a code twice, also not who looked over a
// shoulder.
func totpMatch(secret []byte, code string, now time.Time, last int64) (int64, bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return r
	}, code)
	at := now.Unix() / int64(totpStep/time.Second)
	found, ok := int64(0), 0
	for step := at - totpDrift; step <= at+totpDrift; step++ {
		same := subtle.ConstantTimeCompare([]byte(totpCode(secret, step)), []byte(code))
		if step > last && same == 1 {
			found, ok = step, 1
		}
	}
	return found, ok == 1
}

// totpText is the secret as people type it into an authenticator, in groups of
// four.
func totpText(secret []byte) string {
	s := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}

// totpURL is what an authenticator on the same machine opens.
func totpURL(secret []byte, login string) string {
	q := url.Values{"secret": {strings.ReplaceAll(totpText(secret), " ", "")}, "issuer": {"Art34"}}
	return "otpauth://totp/" + url.PathEscape("Art34:"+login) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// SecondFactor is what an authenticator with this secret shows at a time.
func SecondFactor(secret []byte, at time.Time) string { return totpCode(secret, at.Unix()/30) }
