package letter

import (
	"bytes"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
)

// FuzzPieces: a document parsed in pieces is the document parsed as a whole.
func FuzzPieces(f *testing.F) {
	for _, s := range []string{
		"Madame,\n\nDes données.\n\n## Vos données\n\nDonnées liées :\n\n- Identité.\n- Contact.\n\nDonnées d’un contrat :\n\n- Facture\n\n  suite\n\nFin.\n",
		"a\n\n> b\n\nc\n\n1. x\n2. y\n\nd\n",
		"a\n\n    b\n\nc | d\n---|---\n1 | 2\n\ne\n===\n\nf\n---\n\ng\n***\n\nh\n",
		"- a\n\n  b\n\n- c\n\nd\n\n\n\ne\\\nf  \ng\n",
		"`a\n\nb`\n\n```\nc\n\nd\n```\n", "<pre>\na\n\nb\n</pre>\n", "[a][b]\n\n[b]: https://example.com\n\nc [b]\n", "*a\n\nb*\n\n**c\n## d\n**\n",
	} {
		f.Add([]byte(s))
	}
	parser := markdown.New()
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || bytes.IndexByte(text, valueLead) >= 0 || bytes.ContainsAny(text, "\r\x00") || !apart(text) {
			t.Skip()
		}
		c := newSections(parser, &locale{}, nil)
		parsed, err := parser.Parse(bytes.Clone(text))
		if err != nil {
			t.Skip()
		}
		want := make([]pipeline.Block, 0, 40)
		for _, b := range parsed {
			want = append(want, c.block(b))
		}
		doc, err := c.document(bytes.Clone(text))
		got := doc.filled(nil)
		for i := range got {
			got[i].Shared = nil // a place for renderers, no part of the letter
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v\n got %+v\nwant %+v", text, err, got, want)
		}
	})
}
