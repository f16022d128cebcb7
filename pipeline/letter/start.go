package letter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

// Start returns the files with which a campaign begins to write in another locale: its
// letters, the parts that they share and what the language brings along, as they are
// in from, and the wording of all data kinds in a file of their own. What nobody
// translates after that the linter finds (L34). The names are those that Load reads.
func (s *Set) Start(fsys fs.FS, from, to string) (map[string]string, error) {
	if s.voices[from] == nil {
		return nil, fmt.Errorf("the campaign does not write in %q", from)
	}
	files := map[string]string{"catalogue." + to + ".yaml": s.catalogue.in(from, to)}
	names := []string{"locale.%s.yaml", "parts.%s.md"}
	for _, kind := range s.templates() {
		names = append(names, kind+".%s.md")
	}
	for _, name := range names {
		text, faults := readText(fsys, fmt.Sprintf(name, from))
		if faults != nil {
			return nil, &LoadError{Faults: faults}
		}
		files[fmt.Sprintf(name, to)] = text
	}
	return files, nil
}

// in is the wording of all data kinds in from, as catalogue.TO.yaml.
func (c *catalogue) in(from, to string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# The wording of the data kinds in %s. It began as that of %s: translate every text.\nkinds:\n", to, from)
	for _, e := range c.entries {
		fmt.Fprintf(&b, "  - code: %s\n", e.code)
		for _, x := range []struct{ key, text string }{{"name", e.Name[from]}, {"fields", e.Fields[from]}, {"consequence", e.Consequence[from]}} {
			if x.text != "" {
				fmt.Fprintf(&b, "    %s:\n      %s: %s\n", x.key, to, quoted(x.text))
			}
		}
		if len(e.Advice[from]) > 0 {
			fmt.Fprintf(&b, "    advice:\n      %s:\n", to)
		}
		for _, a := range e.Advice[from] {
			fmt.Fprintf(&b, "        - %s\n", quoted(a))
		}
	}
	return b.String()
}

// quoted is a text between quotation marks: a string of JSON is one of YAML.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be written
	return strings.TrimSpace(b.String())
}
