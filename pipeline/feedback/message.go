package feedback

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// Message is one message for one recipient, as it arrived.
type Message struct {
	Source pipeline.InboundSource
	From   string // reverse path of the envelope; "" is the null sender
	To     string // recipient of the envelope; "" where the source does not know it
	ID     string // unique id that the source gave; "": the content says what is the same
	Raw    []byte // RFC 5322 with any line ends, or what a provider posted
}

// Labels of what is derived by MAC.
const (
	labelContent = "feedback/content"
	labelID      = "feedback/id"
)

// key is what makes a message the same when it comes again: what the provider
// calls it, or recipient and content.
func (m Message) key(keys *seal.Keys, tokens Tokens) [32]byte {
	if m.ID != "" {
		return keys.MAC(labelID, []byte(m.Source), []byte(m.ID))
	}
	to := strings.ToLower(m.To)
	if t, ok := tokens.ReturnPath(m.To); ok {
		to = t.Text
	}
	sum := digest(m.Raw)
	return keys.MAC(labelContent, []byte(to), sum[:])
}

// sealed is the form in which a message is kept: a line of JSON for the envelope,
// then the message.
func (m Message) sealed(keys *seal.Keys, key [32]byte) ([]byte, error) {
	head, err := json.Marshal(sealedHead{m.From, m.To, m.ID})
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, len(head)+1+len(m.Raw))
	plain = append(append(append(plain, head...), '\n'), m.Raw...)
	return keys.Seal(plain, key[:]), nil
}

type sealedHead struct {
	From string `json:"from"`
	To   string `json:"to"`
	ID   string `json:"id,omitempty"`
}

// Open unseals a message that was kept.
func Open(keys *seal.Keys, in pipeline.Inbound) (Message, error) {
	plain, err := keys.Open(in.Sealed, in.Key[:])
	if err != nil {
		return Message{}, err
	}
	head, raw, ok := bytes.Cut(plain, []byte("\n"))
	var h sealedHead
	if !ok || json.Unmarshal(head, &h) != nil {
		return Message{}, errors.New("what is sealed is no message")
	}
	return Message{Source: in.Source, From: h.From, To: h.To, ID: h.ID, Raw: raw}, nil
}

// digest is of the content of a message: not of line ends, nor of the fields that
// servers add on the way, so that the same message by two ways is the same.
func digest(raw []byte) (sum [32]byte) {
	h := sha256.New()
	skip, header := false, true
	for line := range lines(raw) {
		if header {
			switch {
			case len(line) == 0:
				header = false
			case line[0] == ' ' || line[0] == '\t':
				if skip {
					continue
				}
			default:
				skip = onTheWay(line)
				if skip {
					continue
				}
			}
		}
		_, _ = h.Write(line)
		_, _ = h.Write([]byte{'\n'})
	}
	h.Sum(sum[:0])
	return sum
}

// onTheWay reports whether a header line is one that servers and mailboxes add.
func onTheWay(line []byte) bool {
	if bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From ")) {
		return true
	}
	name, _, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return false
	}
	switch strings.ToLower(string(bytes.TrimSpace(name))) {
	case "received", "return-path", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "delivery-date", "lines",
		"status", "x-status", "x-uid", "x-uidl", "x-mozilla-status", "x-mozilla-status2", "x-keywords", "content-length":
		return true
	}
	return false
}

// lines yields the lines of a message without their ends (CRLF, LF or lone CR),
// without empty lines at the end.
func lines(raw []byte) func(yield func([]byte) bool) {
	raw = bytes.TrimRight(raw, "\r\n")
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			i := bytes.IndexAny(raw, "\r\n")
			if i < 0 {
				yield(raw)
				return
			}
			line, end := raw[:i], i+1
			if raw[i] == '\r' && end < len(raw) && raw[end] == '\n' {
				end++
			}
			raw = raw[end:]
			if !yield(line) {
				return
			}
		}
	}
}

// maxHeader bounds the header that fields looks at.
const maxHeader = 256 << 10

// Fields returns the values of header fields by name in lower case, unfolded, in
// order of appearance.
func Fields(raw []byte, names ...string) map[string][]string {
	out, into := map[string][]string{}, ""
	raw = raw[:min(len(raw), maxHeader)]
	first := true
	for line := range lines(raw) {
		if first && bytes.HasPrefix(line, []byte("From ")) {
			first = false
			continue
		}
		first = false
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if into != "" {
				out[into][len(out[into])-1] += " " + string(bytes.TrimSpace(line))
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		into = ""
		if !ok {
			continue
		}
		for _, n := range names {
			if strings.EqualFold(n, string(bytes.TrimSpace(name))) {
				into = n
				out[n] = append(out[n], string(bytes.TrimSpace(value)))
			}
		}
	}
	return out
}

// FromMailbox is a message of which only the file is left: the envelope is what
// servers wrote into its header. Of several recipients the first that has the form
// of a token counts; that it is signed is found out later.
func FromMailbox(source pipeline.InboundSource, raw []byte, tokens Tokens) Message {
	f := Fields(raw, "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "return-path", "to")
	m := Message{Source: source, Raw: raw}
	if len(f["return-path"]) > 0 {
		m.From = bare(f["return-path"][0])
	}
	for _, name := range []string{"x-original-to", "envelope-to", "x-envelope-to", "delivered-to", "to"} {
		for _, v := range f[name] {
			for one := range strings.SplitSeq(v, ",") {
				to := bare(one)
				if _, ok := tokens.ReturnPath(to); ok {
					m.To = to
					return m
				}
				if m.To == "" && name != "to" {
					m.To = to
				}
			}
		}
	}
	return m
}

// bare takes angle brackets off an address.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	return strings.TrimSpace(s)
}
