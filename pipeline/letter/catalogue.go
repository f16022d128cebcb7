package letter

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// household is the data kind that asks the reader to tell the others at home.
const household = "household"

// catalogueFile is the form of catalogue.yaml: the order is the order in letters.
type catalogueFile struct {
	Kinds []catalogueKind `yaml:"kinds"`
}

type catalogueKind struct {
	Code        string             `yaml:"code"`
	Name        pipeline.Texts     `yaml:"name"`
	Fields      pipeline.Texts     `yaml:"fields"`
	Consequence pipeline.Texts     `yaml:"consequence"`
	Advice      pipeline.TextLists `yaml:"advice"`
}

// kindEntry is one data kind with the file that its wording comes from.
type kindEntry struct {
	code string
	file string            // that worded it last
	in   map[string]string // locale → file that worded it last in that locale
	pipeline.DataKind
}

// catalogue is the wording of all data kinds, in order.
type catalogue struct {
	entries []kindEntry
	index   map[string]int
	text    map[string]string // file → text, so that the linter finds lines
}

// loadCatalogue reads catalogue.yaml, the wording of single locales in
// catalogue.LOCALE.yaml, and puts the campaign's own wording over them.
func loadCatalogue(fsys fs.FS, spec *pipeline.Spec) (*catalogue, []Fault) {
	c := &catalogue{index: map[string]int{}, text: map[string]string{}}
	faults := c.read(fsys, "catalogue.yaml")
	for _, l := range spec.Letters.Locales {
		name := "catalogue." + l + ".yaml"
		if _, err := fs.Stat(fsys, name); err == nil {
			faults = append(faults, c.read(fsys, name)...)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(spec.DataKinds)) {
		c.merge(code, "campaign.yaml", spec.DataKinds[code])
	}
	return c, faults
}

func (c *catalogue) read(fsys fs.FS, name string) []Fault {
	text, faults := readText(fsys, name)
	if faults != nil {
		return faults
	}
	var f catalogueFile
	if err := strictyaml.Decode(name, []byte(text), &f); err != nil {
		return []Fault{{File: name, Sentence: strings.TrimPrefix(err.Error(), name+": ")}}
	}
	c.text[name] = text
	seen := map[string]bool{}
	for i, k := range f.Kinds {
		switch {
		case k.Code == "":
			faults = append(faults, Fault{File: name, Sentence: fmt.Sprintf("kind %d has no code", i+1)})
		case seen[k.Code]:
			faults = append(faults, Fault{File: name, Line: lineOf(text, "code: "+k.Code), Sentence: fmt.Sprintf("the kind %s stands here twice", k.Code)})
		default:
			seen[k.Code] = true
			c.merge(k.Code, name, pipeline.DataKind{Name: k.Name, Fields: k.Fields, Consequence: k.Consequence, Advice: k.Advice})
		}
	}
	return faults
}

// merge puts wording over what is there, text by text and locale by locale.
func (c *catalogue) merge(code, file string, k pipeline.DataKind) {
	i, ok := c.index[code]
	if !ok {
		i = len(c.entries)
		c.index[code] = i
		c.entries = append(c.entries, kindEntry{code: code, file: file, in: map[string]string{}, DataKind: pipeline.DataKind{
			Name: pipeline.Texts{}, Fields: pipeline.Texts{}, Consequence: pipeline.Texts{}, Advice: pipeline.TextLists{}}})
	}
	e := &c.entries[i]
	e.file = file
	for _, t := range []pipeline.Texts{k.Name, k.Fields, k.Consequence} {
		for l := range t {
			e.in[l] = file
		}
	}
	for l := range k.Advice {
		e.in[l] = file
	}
	maps.Copy(e.Name, k.Name)
	maps.Copy(e.Fields, k.Fields)
	maps.Copy(e.Consequence, k.Consequence)
	maps.Copy(e.Advice, k.Advice)
}

// kindText is the wording of a data kind in one locale, ready for the parser.
type kindText struct {
	item   itemView
	advice []Markdown
	worded bool // name, fields, consequence and advice are all there
}

// texts returns the wording of all kinds in a locale, in order.
func (c *catalogue) texts(locale string) []kindText {
	out := make([]kindText, len(c.entries))
	for i, e := range c.entries {
		t := &out[i]
		t.item = itemView{Name: line(e.Name[locale]), Fields: line(e.Fields[locale]), Consequence: line(e.Consequence[locale])}
		for _, a := range e.Advice[locale] {
			if a := line(a); a != "" {
				t.advice = append(t.advice, a)
			}
		}
		t.worded = t.item.Name != "" && t.item.Fields != "" && t.item.Consequence != "" && len(t.advice) > 0
	}
	return out
}

// exposed is one data kind of a customer: its place in the catalogue.
type exposed struct {
	kind     int
	possible bool
}

// sort brings exposures into the order of the catalogue, each kind once; what is
// confirmed once is confirmed. It fails on a kind that nobody has worded.
func (c *catalogue) sort(list []pipeline.Exposure) ([]exposed, error) {
	out := make([]exposed, 0, len(list))
	for _, e := range list {
		i, ok := c.index[e.Kind]
		if !ok {
			return nil, unknownKind(e.Kind)
		}
		at := slices.IndexFunc(out, func(x exposed) bool { return x.kind == i })
		if at < 0 {
			out = append(out, exposed{i, e.Possible})
		} else if !e.Possible {
			out[at].possible = false
		}
	}
	slices.SortFunc(out, func(a, b exposed) int { return cmp.Compare(a.kind, b.kind) })
	return out, nil
}

func unknownKind(code string) error {
	return &pipeline.Error{Code: "data-kind-unknown", Permanent: true,
		Sentence: fmt.Sprintf("the catalogue has no complete wording for the data kind %q in the language of the letter", code),
		Hint:     "word it in letters/catalogue.yaml or under data_kinds in campaign.yaml: name, fields, consequence and advice"}
}

// line makes one line of the campaign's text safe for the parser.
func line(s string) Markdown { return Markdown(markdown.Escape(clean(s))) }

// paragraphs makes a text of the campaign safe for the parser and keeps its
// paragraphs, which blank lines separate.
func paragraphs(s string) Markdown {
	var out []string
	for _, p := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p := line(p); p != "" {
			out = append(out, string(p))
		}
	}
	return Markdown(strings.Join(out, "\n\n"))
}

// lineOf returns the line of the first occurrence of part in text, 0 without one.
func lineOf(text, part string) int {
	i := strings.Index(text, part)
	if i < 0 {
		return 0
	}
	return 1 + strings.Count(text[:i], "\n")
}
