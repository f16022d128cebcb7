package redact

import "testing"

func TestPersonal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"moved, now jean@orange.example": "an e-mail address", "<a.b@c.example>": "an e-mail address",
		"call 06 39 98 10 01": "a phone number", "call 0639981001.": "a phone number", "+33 6 39 98 10 01": "a phone number", "0033 639981001": "a phone number", "+44 (0)20 7946 0018": "a phone number",
		"calls back on Monday": "", "since 2026-01-12 08:00": "", "R000042 and R000043": "", "ticket 20260112001": "", "version 2.0.1, 12,000 letters": "", "C10002009": "", "@press": "", "": "",
	} {
		if got := Personal(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
