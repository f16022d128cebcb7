package feedback

import (
	"strings"
)

// words is a text as the rules read it.
type words struct {
	low   string // in lower case
	clean string // the same without addresses, links and empty phrases
}

func newWords(t string) words {
	low := strings.ToLower(t)
	return words{low, clean(low)}
}

// clean takes addresses and links out of a text in lower case before the words are
// read: a customer may be called spam@blocked.example. It also takes out what
// Postfix and SES put before any refusal at RCPT, which has no meaning.
func clean(low string) string {
	for _, phrase := range []string{"recipient address rejected:", "unknown address error"} {
		if strings.Contains(low, phrase) {
			low = strings.ReplaceAll(low, phrase, " ")
		}
	}
	if !strings.Contains(low, "@") && !strings.Contains(low, "://") {
		return low
	}
	var b strings.Builder
	b.Grow(len(low))
	for from := 0; ; {
		at := strings.IndexAny(low[from:], "@:")
		if at < 0 {
			b.WriteString(low[from:])
			return b.String()
		}
		at += from
		begin, end := linkAt(low, from, at)
		if low[at] == '@' {
			begin, end = addressAt(low, from, at)
		}
		if begin < 0 {
			b.WriteString(low[from : at+1])
			from = at + 1
			continue
		}
		b.WriteString(low[from:begin])
		b.WriteString("<>")
		from = end
	}
}

// addressAt returns the bounds of the address around the "@" at i, with its angle
// brackets; -1 where it is none. Nothing before from is looked at.
func addressAt(low string, from, i int) (begin, end int) {
	for begin = i; begin > from && strings.IndexByte(" \t\n\r\f\v<>\"(),;:", low[begin-1]) < 0; {
		begin--
	}
	for end = i + 1; end < len(low) && domainByte(low[end]); {
		end++
	}
	if begin == i || end == i+1 {
		return -1, 0
	}
	if begin > from && low[begin-1] == '<' {
		begin--
	}
	if end < len(low) && low[end] == '>' {
		end++
	}
	return begin, end
}

// linkAt returns the bounds of the link whose colon stands at i; -1 where it is
// none.
func linkAt(low string, from, i int) (begin, end int) {
	if !strings.HasPrefix(low[i:], "://") {
		return -1, 0
	}
	switch {
	case strings.HasSuffix(low[from:i], "https"):
		begin = i - 5
	case strings.HasSuffix(low[from:i], "http"):
		begin = i - 4
	default:
		return -1, 0
	}
	end = i + 3
	for end < len(low) && strings.IndexByte(" \t\n\r\f\v", low[end]) < 0 {
		end++
	}
	return begin, end
}

func domainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

// specific returns the first status code in a text that says more than "failed",
// else the one of the report.
func specific(said, status string) string {
	for i := 1; i+3 < len(said); i++ {
		if said[i] != '.' || said[i-1] != '4' && said[i-1] != '5' || i > 1 && wordByte(said[i-2]) {
			continue
		}
		if code := codeAt(said[i-1:]); code != "" && !strings.HasSuffix(code, ".0.0") {
			return code
		}
	}
	return status
}

// codeAt returns the enhanced status code that a text begins with, "" without one.
func codeAt(s string) string {
	i := 1
	for range 2 {
		if i >= len(s) || s[i] != '.' {
			return ""
		}
		from := i + 1
		for i = from; i < len(s) && i < from+3 && s[i] >= '0' && s[i] <= '9'; {
			i++
		}
		if i == from {
			return ""
		}
	}
	if i < len(s) && (wordByte(s[i]) || s[i] == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9') {
		return "" // longer: an address of a host, a version
	}
	return s[:i]
}

// replyCode returns the first SMTP reply code of a failure in a text, "" without one.
func replyCode(said string) string {
	for i := 0; i+3 <= len(said); i++ {
		if said[i] != '4' && said[i] != '5' || said[i+1] < '0' || said[i+1] > '5' || said[i+2] < '0' || said[i+2] > '9' {
			continue
		}
		if i > 0 && strings.IndexByte(" \t\n\r:;>([\"'", said[i-1]) < 0 {
			continue
		}
		if i+3 == len(said) || strings.IndexByte(" \t\n\r-#:;,", said[i+3]) >= 0 {
			return said[i : i+3]
		}
	}
	return ""
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.'
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
