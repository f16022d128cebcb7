// Package strictyaml decodes YAML that people write: an unknown key, a key given
// twice and a wrong type are errors that name the line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxSize bounds a document; a campaign.yaml of 100 kB is already a large one.
const maxSize = 256 << 10

// Decode reads one YAML document into v. name is used in errors.
func Decode(name string, data []byte, v any) error {
	if len(data) > maxSize {
		return fmt.Errorf("%s: larger than %d bytes", name, maxSize)
	}
	if line, ok := text(data); !ok {
		return fmt.Errorf("%s: not a text file (line %d holds what is no UTF-8 text); is it the right file?", name, line)
	}
	if line, ok := shallow(data); !ok {
		return fmt.Errorf("%s: line %d is nested too deeply; is it the right file?", name, line)
	}
	if line, why := plain(data); why != "" {
		return fmt.Errorf("%s: line %d: %s", name, line, why)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: empty", name)
		}
		if line, ok := keyed(data); !ok {
			return fmt.Errorf("%s: line %d is no key with its value; is it the right file?", name, line)
		}
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document; take out the second ---", name)
	}
	return nil
}

// What a document may hold, so that a hostile one costs no more than a long one: the
// parser calls itself for each level, and takes time with the square of them.
const (
	maxDepth = 100   // brackets open at a time; marks "- " in front of one line
	maxMarks = 1_000 // tags and anchors
)

// shallow reports whether a document stays within them, else the line where it does
// not. It knows nothing of quotes: texts have brackets too, and close them mostly.
func shallow(data []byte) (line int, ok bool) {
	line = 1
	open, leading, marks, fresh := 0, 0, 0, true
	for i, c := range data {
		begins := i == 0 || data[i-1] <= ' ' || data[i-1] == ','
		ends := i+1 == len(data) || data[i+1] <= ' '
		switch {
		case c == '\n':
			line, leading, fresh = line+1, 0, true
		case c == ' ' || c == '\t' || c == '\r':
		case c == '[' || c == '{':
			open, fresh = open+1, false
		case c == ']' || c == '}':
			open, fresh = max(0, open-1), false
		case fresh && (c == '-' || c == '?' || c == ':') && ends:
			leading++
		case (c == '!' || c == '&') && begins && !ends:
			marks++ // what is tagged may begin with a mark again
		default:
			fresh = false
		}
		if open > maxDepth || leading > maxDepth || marks > maxMarks {
			return line, false
		}
	}
	return 0, true
}

// maxTokens bounds a document that is wide: the largest of ours has a tenth of it.
const maxTokens = 40_000

// plain says where a document has what none of ours needs, and why it may not: an
// alias of an alias of an alias is a list of a billion in a kilobyte.
func plain(data []byte) (line int, why string) {
	tokens := lexer.Tokenize(string(data))
	for i, t := range tokens {
		switch {
		case t.Type == token.AnchorType || t.Type == token.AliasType || t.Type == token.MergeKeyType:
			return t.Position.Line, "anchors (&), aliases (*) and << are not taken; write it out, or put the text into quotes"
		case i >= maxTokens:
			return t.Position.Line, fmt.Sprintf("more than %d values; is it the right file?", maxTokens)
		}
	}
	return 0, ""
}

// keyed reports whether the first line that says something is a key, else which line
// that is. A list of customers that was given in place of a campaign.yaml is not
// quoted in an error.
func keyed(data []byte) (line int, ok bool) {
	for text := range bytes.Lines(data) {
		line++
		text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
		if len(text) == 0 || text[0] == '#' || text[0] == '%' || bytes.HasPrefix(text, []byte("---")) {
			continue
		}
		if text[0] == '"' || text[0] == '\'' {
			_, _, ok = bytes.Cut(text[1:], []byte{text[0], ':'})
			return line, ok
		}
		key, _, found := bytes.Cut(text, []byte(":"))
		return line, found && !bytes.ContainsAny(key, ";,{[\t|")
	}
	return line, true
}

// text reports whether data is UTF-8 text that a terminal may show, else the line
// where it is not.
func text(data []byte) (line int, ok bool) {
	line = 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			return line, false
		case r == '\n':
			line++
		}
		i += n
	}
	return 0, true
}
