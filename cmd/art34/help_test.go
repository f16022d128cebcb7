package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestEveryHelpHasExamples: nobody has to guess what a command looks like. Every
// example names its own command, and only options that it has.
func TestEveryHelpHasExamples(t *testing.T) {
	t.Parallel()
	var c cli
	var out bytes.Buffer
	parser, err := newParser(&c, &out, &out)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		if n.Hidden {
			return
		}
		for _, child := range n.Children {
			walk(child, strings.TrimSpace(path+" "+child.Name))
		}
		if n.Type != kong.CommandNode || len(n.Children) > 0 {
			return
		}
		examples := 0
		for line := range strings.Lines(n.Detail) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "art34 ") || !strings.HasPrefix(line, "art34 "+path) {
				continue
			}
			examples++
			known := map[string]bool{}
			for at := n; at != nil; at = at.Parent {
				for _, f := range at.Flags {
					known[f.Name] = true
				}
			}
			for _, word := range strings.Fields(line) {
				if name, ok := strings.CutPrefix(word, "--"); ok {
					if name, _, _ = strings.Cut(name, "="); !known[name] {
						t.Errorf("art34 %s: the example %q uses --%s, which is no option", path, line, name)
					}
				}
			}
		}
		if examples == 0 {
			t.Errorf("art34 %s --help has no example", path)
		}
	}
	walk(parser.Model.Node, "")
}
