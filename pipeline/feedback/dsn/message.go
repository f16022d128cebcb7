package dsn

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// Limits of what is looked at. What lies beyond is ignored, not an error: the raw
// message is kept elsewhere.
const (
	MaxMessage = 4 << 20 // bytes of one message
	maxDepth   = 8       // nested multiparts
	maxParts   = 200     // over the whole message
	maxHeader  = 400     // fields of one header
	maxText    = 64 << 10
)

// header is a message or part header: field names in lower case, values unfolded,
// in order of appearance.
type header []field

type field struct{ name, value string }

// first returns the first value of a field, "" without one.
func (h header) first(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// all returns every value of a field.
func (h header) all(name string) (list []string) {
	for _, f := range h {
		if f.name == name {
			list = append(list, f.value)
		}
	}
	return list
}

// part is a leaf of the MIME tree, decoded.
type part struct {
	kind   string // media type in lower case
	header header
	body   []byte
}

// normalise makes line ends LF, whatever they were (CRLF, lone CR of old
// Macintoshes), and drops NUL and the "From " line of an mbox.
func normalise(raw []byte) []byte {
	if len(raw) > MaxMessage {
		raw = raw[:MaxMessage]
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	raw = bytes.ReplaceAll(raw, []byte{0}, nil)
	raw = bytes.TrimLeft(raw, "\n \t")
	// A mailbox line, or the boundary of a gateway that forgot its own header.
	if bytes.HasPrefix(raw, []byte("From ")) || bytes.HasPrefix(raw, []byte("--")) {
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw = raw[i+1:]
		}
	}
	return raw
}

// splitHeader cuts a header from the body that follows it. Lines that are no
// header end it: real systems forget the empty line.
func splitHeader(b []byte) (header, []byte) {
	var h header
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			return h, rest
		}
		if line[0] == ' ' || line[0] == '\t' || len(h) > 0 && bytes.HasPrefix(line, []byte("boundary=")) {
			if len(h) == 0 {
				return h, b
			}
			h[len(h)-1].value += " " + string(bytes.TrimSpace(line))
			b = rest
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !fieldName(name) {
			return h, b
		}
		if len(h) < maxHeader {
			h = append(h, field{strings.ToLower(string(bytes.TrimSpace(name))), string(bytes.TrimSpace(value))})
		}
		b = rest
	}
	return h, nil
}

// fieldName reports whether b may name a header field (RFC 5322 §3.6.8).
func fieldName(b []byte) bool {
	b = bytes.TrimRight(b, " \t")
	if len(b) == 0 || len(b) > 76 {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '{' || c == '<' {
			return false
		}
	}
	return true
}

// walk collects the leaves of a message. Multiparts that are never closed, or whose
// type is broken, are taken as far as they go.
func walk(h header, body []byte, depth int, out []part) []part {
	if len(out) >= maxParts {
		return out
	}
	kind, params := mediaType(h.first("content-type"))
	if boundary := params["boundary"]; strings.HasPrefix(kind, "multipart/") && boundary != "" && depth < maxDepth {
		before := len(out)
		for _, b := range splitParts(body, boundary) {
			ph, pb := splitHeader(b)
			out = walk(ph, pb, depth+1, out)
		}
		if len(out) > before {
			return out
		}
	}
	if strings.HasPrefix(kind, "multipart/") {
		kind = "text/plain" // it says multipart and has no parts: read it as it is
	}
	return append(out, part{kind: kind, header: h, body: decode(h.first("content-transfer-encoding"), body)})
}

// splitParts cuts a multipart body at its boundary lines.
func splitParts(body []byte, boundary string) (parts [][]byte) {
	mark := []byte("--" + boundary)
	var current []byte
	open := false
	for len(body) > 0 && len(parts) < maxParts {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		trimmed := bytes.TrimRight(line, " \t")
		if bytes.HasPrefix(trimmed, mark) && (len(trimmed) == len(mark) || bytes.Equal(trimmed[len(mark):], []byte("--"))) {
			if open {
				parts = append(parts, current)
			}
			current, open = nil, len(trimmed) == len(mark)
			body = rest
			if open {
				current = body[:0:0]
			}
			continue
		}
		if open {
			current = append(current, line...)
			current = append(current, '\n')
		}
		body = rest
	}
	if open {
		parts = append(parts, current)
	}
	return parts
}

var boundaryIs = regexp.MustCompile(`(?i)boundary=`)

// mediaType reads a Content-Type. One that mime refuses is read by hand: the type,
// and the boundary, which is what matters.
func mediaType(s string) (string, map[string]string) {
	if s == "" {
		return "text/plain", nil
	}
	if kind, params, err := mime.ParseMediaType(s); err == nil {
		return kind, params
	}
	kind, rest, _ := strings.Cut(s, ";")
	params := map[string]string{}
	if loc := boundaryIs.FindStringIndex(rest); loc != nil {
		v := strings.TrimSpace(rest[loc[1]:])
		if strings.HasPrefix(v, `"`) {
			v, _, _ = strings.Cut(v[1:], `"`)
		} else {
			v, _, _ = strings.Cut(v, ";")
		}
		params["boundary"] = strings.TrimSpace(v)
	}
	return strings.ToLower(strings.TrimSpace(kind)), params
}

// decode undoes a transfer encoding. Where it is broken, what was decoded until
// then is taken.
func decode(encoding string, body []byte) []byte {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		if err != nil && len(out) < len(body)/4 {
			return body
		}
		return out
	case "base64":
		clean := bytes.Map(func(r rune) rune {
			if r == '\n' || r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, body)
		out := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
		n, err := base64.StdEncoding.Decode(out, clean)
		if err != nil && n == 0 {
			return body
		}
		return bytes.ReplaceAll(out[:n], []byte("\r\n"), []byte("\n"))
	}
	return body
}

// text makes UTF-8 of bytes whose charset hardly matters: what the rules look for
// is ASCII in nearly all charsets of mail.
func text(b []byte) string {
	if len(b) > maxText {
		b = b[:maxText]
	}
	if bytes.Contains(b, []byte("\x1b$")) { // a message of Japan that still speaks of its shift codes
		if out, err := japanese.ISO2022JP.NewDecoder().Bytes(b); err == nil {
			b = out
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
