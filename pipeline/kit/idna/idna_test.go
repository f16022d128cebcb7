package idna

import (
	"errors"
	"strings"
	"testing"
)

func TestToASCII(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		err      error
	}{
		{"jean@example.com", "jean@example.com", nil},
		{"Jean.Dupont@Example.COM", "Jean.Dupont@example.com", nil},
		{"jean@exämple.test", "jean@xn--exmple-cua.test", nil},
		{"jean@XN--EXMPLE-CUA.test", "jean@xn--exmple-cua.test", nil},
		{"jean@例え.テスト", "jean@xn--r8jz45g.xn--zckzah", nil},
		{"jean@exa\u0301mple.test", "jean@xn--exmple-qta.test", nil},
		{"jean@example.com.", "jean@example.com", nil},
		{`"a@b"@example.com`, `"a@b"@example.com`, nil},
		{"rené@example.fr", "", ErrLocal},
		{"example.com", "", ErrAddress},
		{"@example.com", "", ErrAddress},
		{"jean@", "", ErrAddress},
		{"jean@-example.com", "", ErrDomain},
		{"jean@example-.com", "", ErrDomain},
		{"jean@exa mple.com", "", ErrDomain},
		{"jean@exa_mple.com", "", ErrDomain},
		{"jean@example..com", "", ErrDomain},
		{"jean@.example.com", "", ErrDomain},
		{"jean@xn--a.test", "", ErrDomain},
		{"jean@exam\r\nple.com", "", ErrDomain},
		{"jean@" + strings.Repeat("a", 64) + ".com", "", ErrDomain},
		{strings.Repeat("a", 65) + "@example.com", "", ErrAddress},
		{"jean@" + strings.Repeat("a.", 124) + "com", "", ErrAddress},
	} {
		got, err := ToASCII(tt.in)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("ToASCII(%q) = %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func FuzzToASCII(f *testing.F) {
	for _, s := range []string{"a@b.test", "a@exämple.test", "a@xn--exmple-cua.test", "@", "a@b@c", "a@\u00ad.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ToASCII(s)
		if err != nil {
			return
		}
		for i := range len(got) {
			if got[i] >= 0x80 {
				t.Fatalf("%q gives %q, which is not ASCII", s, got)
			}
		}
		again, err := ToASCII(got)
		if err != nil || again != got {
			t.Fatalf("%q gives %q, which gives %q, %v", s, got, again, err)
		}
	})
}
