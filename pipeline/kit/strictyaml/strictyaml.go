// Package strictyaml decodes YAML that people write: an unknown key, a key given
// twice and a wrong type are errors that name the line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// maxSize bounds a document; a campaign.yaml of 100 kB is already a large one.
const maxSize = 1 << 20

// Decode reads one YAML document into v. name is used in errors.
func Decode(name string, data []byte, v any) error {
	if len(data) > maxSize {
		return fmt.Errorf("%s: larger than %d bytes", name, maxSize)
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
