package feedback

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// HeaderForwarded marks what was sent on to the cell: what carries it is never sent
// on again.
const HeaderForwarded = "X-Art34-Forwarded"

// mostHops is how many servers a message may have passed before it counts as going
// in circles (RFC 5321 §6.3).
const mostHops = 50

// forwardable reports whether an answer may be sent on: a person wrote it, and it
// is not going in circles.
func forwardable(m Message) bool {
	f := Fields(m.Raw, strings.ToLower(HeaderForwarded), "auto-submitted", "precedence", "received", "list-id")
	auto := f["auto-submitted"]
	if len(f[strings.ToLower(HeaderForwarded)]) > 0 || len(f["list-id"]) > 0 || len(f["received"]) > mostHops || m.From == "" && enveloped(m.Source) {
		return false
	}
	for _, v := range auto {
		if !strings.EqualFold(strings.TrimSpace(v), "no") {
			return false
		}
	}
	for _, v := range f["precedence"] {
		switch strings.ToLower(v) {
		case "bulk", "list", "junk":
			return false
		}
	}
	return true
}

// Resent returns an answer as it is sent on: unchanged, below the fields of RFC
// 5322 §3.6.6. date is in the form of RFC 5322.
func Resent(raw []byte, from, to, date string, id int64) []byte {
	var b []byte
	for _, field := range [][2]string{
		{"Resent-From", from}, {"Resent-To", to}, {"Resent-Date", date},
		{"Resent-Message-ID", "<forwarded-" + strconv.FormatInt(id, 10) + from[strings.LastIndexByte(from, '@'):] + ">"}, {HeaderForwarded, strconv.FormatInt(id, 10)},
	} {
		b = append(b, field[0]+": "+field[1]+"\r\n"...)
	}
	first := true
	for line := range lines(raw) {
		if !first || !strings.HasPrefix(string(line), "From ") {
			b = append(append(b, line...), '\r', '\n')
		}
		first = false
	}
	return b
}

// enveloped reports whether a source knows the reverse path: there an empty one is
// the null sender, and whatever it says nobody waits for an answer.
func enveloped(s pipeline.InboundSource) bool {
	return s == pipeline.FromLMTP || s == pipeline.FromSMTP
}
