package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type helpAllCmd struct{}

// Run writes the reference of the command line; the README holds it, and a test
// compares the two.
func (helpAllCmd) Run(k *kong.Context, a *app) error {
	return writeReference(a.out, k.Model)
}

// writeReference writes every command with its options, variables and examples as
// Markdown.
func writeReference(w io.Writer, m *kong.Application) error {
	var b strings.Builder
	for _, leaf := range m.Leaves(true) {
		fmt.Fprintf(&b, "### art34 %s\n\n", leaf.Path())
		fmt.Fprintf(&b, "%s\n\n", leaf.Help)
		if leaf.Detail != "" {
			text, examples, _ := strings.Cut(leaf.Detail, "Example")
			fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(text))
			writeOptions(&b, leaf)
			_, examples, _ = strings.Cut(examples, ":")
			fmt.Fprintf(&b, "```sh\n%s\n```\n\n", strings.ReplaceAll(strings.TrimSpace(examples), "\n    ", "\n"))
			continue
		}
		writeOptions(&b, leaf)
	}
	b.WriteString("### Options of every command\n\n")
	writeOptions(&b, m.Node)
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// writeOptions writes the arguments and options of one command as a table.
func writeOptions(b *strings.Builder, n *kong.Node) {
	var rows []string
	for _, p := range n.Positional {
		rows = append(rows, fmt.Sprintf("| `%s` | %s | |", p.Summary(), p.Help))
	}
	for _, f := range n.Flags {
		if f.Hidden || f.Name == "help" {
			continue
		}
		name := "--" + f.Name
		if !f.IsBool() {
			name += " " + f.FormatPlaceHolder()
		}
		env := ""
		if len(f.Envs) > 0 {
			env = "`" + f.Envs[0] + "`"
		}
		help := strings.ReplaceAll(f.Help, "|", "\\|")
		if f.HasDefault && f.Default != "" && !strings.Contains(help, "default:") {
			help += " Default: `" + f.Default + "`."
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", strings.ReplaceAll(name, "|", "\\|"), help, env))
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "| option | does | variable |\n|---|---|---|\n%s\n\n", strings.Join(rows, "\n"))
	}
}
