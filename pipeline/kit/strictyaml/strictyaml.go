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
)

// maxSize bounds a document; a campaign.yaml of 100 kB is already a large one.
const maxSize = 1 << 20

// Decode reads one YAML document into v. name is used in errors.
func Decode(name string, data []byte, v any) error {
	if len(data) > maxSize {
		return fmt.Errorf("%s: larger than %d bytes", name, maxSize)
	}
	if line, ok := text(data); !ok {
		return fmt.Errorf("%s: not a text file (line %d holds what is no UTF-8 text); is it the right file?", name, line)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField())
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: empty", name)
		}
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one document; take out the second ---", name)
	}
	return nil
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
