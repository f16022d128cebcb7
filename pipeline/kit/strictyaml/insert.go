package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrPlace: there is no such place in a document, or it is written in a way in which
// nothing can be put beside it.
var ErrPlace = errors.New("no such place in the document")

// Beside puts another key and its value, a string or a list of strings, before the key
// that path ends in, and leaves everything else of the document as people wrote it.
// Whoever calls it compares what the document says then with what it should say.
func Beside(data []byte, path []string, key string, value any) ([]byte, error) {
	entry, flow, err := find(data, path)
	if err != nil {
		return nil, err
	}
	text, err := inline(value)
	if err != nil {
		return nil, err
	}
	at := entry.Key.GetToken().Position
	apart := "\n" + strings.Repeat(" ", at.Column-1)
	if flow {
		apart = ", "
	}
	return insert(data, at.Line, at.Column, key+": "+text+apart)
}

// Append puts a string at the end of the list that is the value of path.
func Append(data []byte, path []string, value string) ([]byte, error) {
	entry, _, err := find(data, path)
	if err != nil {
		return nil, err
	}
	list, ok := entry.Value.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return nil, ErrPlace
	}
	last := list.Values[len(list.Values)-1].GetToken()
	text, err := inline(value)
	if err != nil {
		return nil, err
	}
	if list.IsFlowStyle {
		return insert(data, last.Position.Line, last.Position.Column+utf8.RuneCountInString(strings.TrimSpace(last.Origin)), ", "+text)
	}
	item := strings.Repeat(" ", list.Start.Position.Column-1) + "- " + text
	if last.Position.Line == bytes.Count(data, []byte("\n"))+1 { // the last line has no end
		return append(slices.Clone(data), "\n"+item...), nil
	}
	return insert(data, last.Position.Line+1, 1, item+"\n")
}

// find is the entry of a key in mappings of mappings, and whether it stands between
// braces.
func find(data []byte, path []string) (entry *ast.MappingValueNode, flow bool, err error) {
	f, err := parser.ParseBytes(data, 0)
	if err != nil || len(f.Docs) != 1 || len(path) == 0 {
		return nil, false, ErrPlace
	}
	at := f.Docs[0].Body
	for _, key := range path {
		var entries []*ast.MappingValueNode
		switch m := at.(type) {
		case *ast.MappingNode:
			entries, flow = m.Values, m.IsFlowStyle
		case *ast.MappingValueNode:
			entries, flow = []*ast.MappingValueNode{m}, m.IsFlowStyle
		}
		i := slices.IndexFunc(entries, func(e *ast.MappingValueNode) bool { return e.Key.GetToken().Value == key })
		if i < 0 {
			return nil, false, ErrPlace
		}
		entry = entries[i]
		at = entry.Value
	}
	return entry, flow, nil
}

// inline is a value on one line: what is JSON is YAML.
func inline(value any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return strings.TrimSpace(b.String()), err
}

// insert puts text at a place; lines and columns count from 1.
func insert(data []byte, line, column int, text string) ([]byte, error) {
	lines := strings.SplitAfter(string(data), "\n")
	if line < 1 || line > len(lines) {
		return nil, ErrPlace
	}
	runes := []rune(lines[line-1])
	if column < 1 || column-1 > len(runes) {
		return nil, ErrPlace
	}
	lines[line-1] = string(runes[:column-1]) + text + string(runes[column-1:])
	return []byte(strings.Join(lines, "")), nil
}
