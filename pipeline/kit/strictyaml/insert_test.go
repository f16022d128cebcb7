package strictyaml_test

import (
	"testing"

	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// TestBeside: a key comes beside another, however the document is written, and
// comments stay where they are.
func TestBeside(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ was, is string }{
		{"a: {fr: «é» d'ici, en: b} # c\n", "a: {fr: «é» d'ici, de: \"ü: \\\"x\\\" <b>\\n\\ny\", en: b} # c\n"},
		{"# top\na:      # é\n  fr: x\n  # about en\n  en: >\n    long\n    text\nb: 1\n", "# top\na:      # é\n  fr: x\n  # about en\n  de: \"ü: \\\"x\\\" <b>\\n\\ny\"\n  en: >\n    long\n    text\nb: 1\n"},
		{"a:\n    en: x\n", "a:\n    de: \"ü: \\\"x\\\" <b>\\n\\ny\"\n    en: x\n"},
		{"a: {\n  fr: x,\n  en: y\n}\n", "a: {\n  fr: x,\n  de: \"ü: \\\"x\\\" <b>\\n\\ny\", en: y\n}\n"},
	} {
		got, err := strictyaml.Beside([]byte(x.was), []string{"a", "en"}, "de", "ü: \"x\" <b>\n\ny")
		if err != nil {
			t.Errorf("%q: %v", x.was, err)
			continue
		}
		var m struct {
			A map[string]string `yaml:"a"`
			B int               `yaml:"b"`
		}
		if err := strictyaml.Decode("x.yaml", got, &m); err != nil || m.A["de"] != "ü: \"x\" <b>\n\ny" {
			t.Errorf("%q: %v %+v", got, err, m)
		}
		if string(got) != x.is {
			t.Errorf("%q\nwant %q", got, x.is)
		}
	}
	got, err := strictyaml.Beside([]byte("a: {b: {en: [x, y]}}"), []string{"a", "b", "en"}, "de", []string{"é", "z, {"})
	if err != nil || string(got) != `a: {b: {de: ["é","z, {"], en: [x, y]}}` {
		t.Errorf("%s %v", got, err)
	}
	for _, bad := range []string{"", "a: 1", "a: [en]", "b: {en: x}", "a: *x", "a: {en: x", "- a"} {
		if got, err := strictyaml.Beside([]byte(bad), []string{"a", "en"}, "de", "x"); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

// TestAppend: a list grows at its end.
func TestAppend(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ was, is string }{
		{"l: {x: [fr, en]}    # é", `l: {x: [fr, en, "de"]}    # é`},
		{"l:\n  x: [ 'fr' , \"en\" ] # c\ny: 1\n", "l:\n  x: [ 'fr' , \"en\", \"de\" ] # c\ny: 1\n"},
		{"l:\n  x:\n    - fr # c\n    - en # d\ny: 1\n", "l:\n  x:\n    - fr # c\n    - en # d\n    - \"de\"\ny: 1\n"},
		{"l:\n  x:\n  - en", "l:\n  x:\n  - en\n  - \"de\""},
	} {
		got, err := strictyaml.Append([]byte(x.was), []string{"l", "x"}, "de")
		if err != nil || string(got) != x.is {
			t.Errorf("%q: %v\nwant %q", got, err, x.is)
		}
	}
	for _, bad := range []string{"l: {x: []}", "l: {x: en}", "l: {y: [en]}", ""} {
		if got, err := strictyaml.Append([]byte(bad), []string{"l", "x"}, "de"); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}
