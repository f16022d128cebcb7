package email

// MessageID returns the Message-ID of an attempt, with angle brackets. It is the
// same on every technical retry of the attempt, because many receivers drop a
// second message with the same id.
func MessageID(mac MAC, notice int64, attempt int, domain string) string { return "" }

// ReturnPath returns the signed return path of an attempt (VERP):
// b<key>-<notice and attempt>-<signature>@domain.
func ReturnPath(mac MAC, key int, notice int64, attempt int, domain string) (string, error) {
	return "", nil
}

// Token is what a return path or an ENVID says, not verified yet.
type Token struct {
	Key     int
	Notice  int64
	Attempt int
	Domain  string // "" of an ENVID
	mac     [10]byte
}

// ParseReturnPath reads the return path that a bounce came back to. Wrappers of
// BATV and SRS are taken off, case does not matter. The token is not to be
// believed before Verify.
func ParseReturnPath(address string) (Token, error) { return Token{}, nil }

// Verify reports whether the token was signed with mac.
func (t Token) Verify(mac MAC) bool { return false }
