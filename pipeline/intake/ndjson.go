package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxExtra bounds the further columns of NDJSON, whose lines may each bring new
// ones.
const maxExtra = 64

// ndjsonReader reads one JSON object a line: flat, with the names of the columns
// as keys, or nested:
//
//	{"customer_id": "C1", "data": ["identity"], "contracts": [{"id": "M1", "kind": "internet", "label": "…", "data": ["contact"]}]}
//
// certainty, source and observed_at may stand in a contract or beside
// customer_id, where they count for all that has none.
type ndjsonReader struct {
	file    *file
	schema  *schema
	decoder *decoder
	scan    *csvScanner // for its lines
	extra   []string
	known   map[string]int // folded key → slot; -1: ignored
	ignored []string
}

func newNDJSONReader(f *file, s *schema) *ndjsonReader {
	r := &ndjsonReader{file: f, schema: s, decoder: newDecoder(f.body), known: map[string]int{}}
	r.scan = newCSVScanner(r.decoder, f.limits)
	r.scan.width = 1 // lines without content count as rows
	for k, i := range s.index {
		r.known[k] = i
	}
	return r
}

func (r *ndjsonReader) fill(b *batch) error {
	for !b.full() {
		rec, line, err := r.scan.textLine()
		if errors.Is(err, io.EOF) {
			if len(b.rows) == 0 {
				return io.EOF
			}
			break
		}
		if err != nil {
			return r.file.broken(err)
		}
		row := b.add(rec.row, len(r.schema.names)+len(r.extra))
		row.problem = rec.problem
		if row.problem == noCode {
			row.problem, row.column = r.object(b, row, line)
		}
	}
	b.extra = slices.Clip(r.extra)
	b.bytes = r.file.raw.n
	return nil
}

// object reads one line.
func (r *ndjsonReader) object(b *batch, row *row, line []byte) (code, string) {
	if !utf8.Valid(line) {
		return badEncoding, ""
	}
	if bytes.IndexByte(line, 0) >= 0 {
		return nulByte, ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil || fields == nil {
		return badJSON, ""
	}
	problem, column := noCode, ""
	fail := func(c code, name string) {
		if problem == noCode || name < column { // maps have no order; reports have
			problem, column = c, name
		}
	}
	for key, raw := range fields {
		folded := foldName(key)
		if r.schema.role == roleImpact && (folded == "contracts" || folded == "data") {
			if c, name := r.nested(row, folded, raw); c != noCode {
				fail(c, name)
			}
			continue
		}
		slot, ok := r.slot(key, folded)
		if slot < 0 {
			if !ok {
				fail(badShape, "")
			}
			continue
		}
		text, ok := scalar(raw)
		switch {
		case !ok:
			fail(badShape, r.schema.name(slot, r.extra))
			continue
		case len(text) > r.file.limits.Field:
			fail(longField, r.schema.name(slot, r.extra))
			continue
		}
		for slot >= len(row.cells) {
			row.cells = append(row.cells, nil)
		}
		if row.cells[slot] != nil {
			fail(badShape, r.schema.name(slot, r.extra)) // the same column under two spellings
		}
		row.cells[slot] = keep(b, text)
	}
	r.inherit(row)
	return problem, column
}

// slot returns where a key belongs; -1 means nowhere, and false that there are
// too many different ones.
func (r *ndjsonReader) slot(key, folded string) (int, bool) {
	if slot, ok := r.known[folded]; ok {
		return slot, true
	}
	slot := -1
	switch {
	case !r.schema.extra || marketing(folded):
		if len(r.ignored) < maxExtra {
			r.ignored = append(r.ignored, cleanName(key))
		}
	case len(r.extra) >= maxExtra:
		return -1, false
	default:
		slot = len(r.schema.names) + len(r.extra)
		r.extra = append(r.extra, cleanName(key))
	}
	if len(r.known) < 4*maxExtra {
		r.known[folded] = slot
	}
	return slot, true
}

// scalar returns the text of a JSON string, number, boolean or null; an array of
// them is joined by "|".
func scalar(raw json.RawMessage) (string, bool) {
	switch raw[0] {
	case '"':
		var s string
		return s, json.Unmarshal(raw, &s) == nil
	case 'n':
		return "", true
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return "", false
		}
		texts := make([]string, 0, len(list))
		for _, x := range list {
			t, ok := scalar(x)
			if !ok || x[0] == '[' || strings.ContainsRune(t, '|') {
				return "", false
			}
			texts = append(texts, t)
		}
		return strings.Join(texts, "|"), true
	case '{':
		return "", false
	}
	return string(raw), true // a number keeps its spelling: 6.12E+08 shows
}

// nested reads "contracts" and "data".
func (r *ndjsonReader) nested(row *row, key string, raw json.RawMessage) (code, string) {
	if raw[0] == 'n' {
		return noCode, ""
	}
	if key == "data" {
		kinds, ok := texts(raw)
		if !ok {
			return badShape, "data"
		}
		row.nested = append(row.nested, nested{own: true, kinds: kinds})
		return noCode, ""
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return badShape, "contracts"
	}
	for _, m := range list {
		var n nested
		for k, v := range m {
			var ok bool
			switch foldName(k) {
			case "id", "contractid":
				n.id, ok = scalar(v)
			case "kind", "contractkind":
				n.kind, ok = scalar(v)
			case "label", "contractlabel":
				n.label, ok = scalar(v)
			case "certainty":
				n.certainty, ok = scalar(v)
			case "source":
				n.src, ok = scalar(v)
			case "observedat":
				n.obs, ok = scalar(v)
			case "data", "datakinds":
				n.kinds, ok = texts(v)
			default:
				ok = true
			}
			if !ok {
				return badShape, "contracts"
			}
		}
		if len(n.id)+len(n.kind)+len(n.label)+len(n.src)+len(n.obs)+len(n.certainty) > r.file.limits.Field {
			return longField, "contracts"
		}
		row.nested = append(row.nested, n)
	}
	return noCode, ""
}

// texts reads a list of strings, or one string with several separated by "|".
func texts(raw json.RawMessage) ([]string, bool) {
	s, ok := scalar(raw)
	if !ok || s == "" {
		return nil, ok
	}
	return strings.Split(s, "|"), true
}

// inherit gives nested impacts what the line says for all of them.
func (r *ndjsonReader) inherit(row *row) {
	for i := range row.nested {
		n := &row.nested[i]
		for _, x := range []struct {
			to   *string
			slot int
		}{{&n.certainty, iCertainty}, {&n.src, iSource}, {&n.obs, iObservedAt}} {
			if *x.to == "" {
				*x.to = string(row.cells[x.slot])
			}
		}
	}
	// The own data first, whatever the order of the keys.
	slices.SortStableFunc(row.nested, func(a, b nested) int {
		switch {
		case a.own == b.own:
			return 0
		case a.own:
			return -1
		}
		return 1
	})
}

func (r *ndjsonReader) about() (encoding, delimiter string, ignored []string) {
	return r.decoder.name(), "", r.ignored
}
