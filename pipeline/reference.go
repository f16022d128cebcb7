package pipeline

import (
	"errors"
	"strings"
)

// Reference is the code of a notice that is printed on the letter and read out on
// the phone: 11 characters of Crockford's base 32 (55 bits) and a check
// character, written in three groups of four, "7KQ2-M9XD-4T0V". The check is
// Damm's over GF(32): it catches every single wrong character and every swap of
// two neighbours. The zero value means no reference.
type Reference string

const refAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// refLen is the length without hyphens, check character included.
const refLen = 12

// ErrReference says that a text is no reference, or was misread.
var ErrReference = errors.New("not a reference: 12 letters and digits, the last one checks the others; one was misheard or mistyped")

// NewReference encodes the lowest 55 bits of n.
func NewReference(n uint64) Reference {
	var b [refLen]byte
	for i := refLen - 2; i >= 0; i-- {
		b[i] = byte(n & 31)
		n >>= 5
	}
	b[refLen-1] = damm(b[:refLen-1])
	for i := range b {
		b[i] = refAlphabet[b[i]]
	}
	return Reference(b[:])
}

// ParseReference reads a reference as people write it: in any case, with or
// without hyphens and spaces, O for 0, I and L for 1.
func ParseReference(s string) (Reference, error) {
	var v [refLen]byte
	n := 0
	for _, r := range strings.ToUpper(s) {
		switch r {
		case '-', ' ', '\u00a0', '\u202f', '.', '\u2011', '\u2013':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		i := strings.IndexRune(refAlphabet, r)
		if i < 0 || n == refLen {
			return "", ErrReference
		}
		v[n] = byte(i)
		n++
	}
	if n != refLen || damm(v[:refLen-1]) != v[refLen-1] {
		return "", ErrReference
	}
	for i := range v {
		v[i] = refAlphabet[v[i]]
	}
	return Reference(v[:]), nil
}

// String writes the reference in groups of four.
func (r Reference) String() string {
	if len(r) != refLen {
		return string(r)
	}
	return string(r[:4] + "-" + r[4:8] + "-" + r[8:])
}

// Compact is the reference without hyphens, as in bar codes.
func (r Reference) Compact() string { return string(r) }

// damm computes the check value. With the quasigroup x∘y = 2(x+y) over GF(32)
// every single error and every transposition of neighbours, the check character
// included, changes it: 2 is neither 0 nor 1.
func damm(v []byte) byte {
	var c byte
	for _, x := range v {
		c = double(c ^ x)
	}
	return c
}

// double multiplies by 2 in GF(32) modulo x⁵+x²+1.
func double(x byte) byte {
	x <<= 1
	if x&32 != 0 {
		x ^= 0b100101
	}
	return x
}
