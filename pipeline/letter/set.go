package letter

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
)

// Templates by name.
const (
	templateBreach     = "breach"
	templateSupplement = "supplement"
	templateAwareness  = "awareness"
)

// Set holds the letters of a campaign, parsed. It is safe for concurrent use.
type Set struct {
	spec      *pipeline.Spec
	catalogue *catalogue
	voices    map[string]*voice
	states    sync.Pool
}

// voice is everything that a campaign can say in one locale.
type voice struct {
	*locale
	localeText string // of locale.LOCALE.yaml
	partsFile  string
	parts      string
	sheets     map[string]*sheet
	kinds      []kindText
	incident   incidentView
	controller controllerView
	senders    map[string]senderView
	letterhead map[string]pipeline.Sender // senders as the margins of a letter show them
	sections   *sections
	said       said // for the linter
}

// Load reads all letters of a campaign: the template that spec names, the
// supplement where there can be one, in every locale of the campaign. fsys holds
// the files named in the package comment. The error is a *LoadError that lists
// every fault with its file and line. spec must be valid and not change any more.
func Load(fsys fs.FS, spec *pipeline.Spec) (*Set, error) {
	s := &Set{spec: spec, voices: map[string]*voice{}}
	s.states.New = func() any { return new(state) }
	var faults []Fault
	s.catalogue, faults = loadCatalogue(fsys, spec)
	parser := markdown.New()
	for _, code := range spec.Letters.Locales {
		v, more := s.loadVoice(fsys, code, parser)
		faults = append(faults, more...)
		s.voices[code] = v
	}
	if len(faults) > 0 {
		return nil, &LoadError{Faults: unique(faults)}
	}
	return s, nil
}

// unique sorts faults by file and line and takes out repetitions: a part that two
// letters use is checked twice.
func unique(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Sentence, b.Sentence)
	})
	return slices.Compact(faults)
}

// Kinds lists the codes of the data kinds that the catalogue and the campaign
// know, in the order of the catalogue.
func (s *Set) Kinds() []string {
	out := make([]string, len(s.catalogue.entries))
	for i, e := range s.catalogue.entries {
		out[i] = e.code
	}
	return out
}

// KindName is what letters in a locale call a data kind; the code itself if they
// have no word for it.
func (s *Set) KindName(locale, code string) string {
	i, ok := s.catalogue.index[code]
	if !ok {
		return code
	}
	for _, l := range []string{s.spec.Locale(locale), s.spec.Letters.FallbackLocale} {
		if name := clean(s.catalogue.entries[i].Name[l]); name != "" {
			return name
		}
	}
	return code
}

// templates lists the letters that a campaign needs.
func (s *Set) templates() []string {
	if s.spec.Letters.Template == templateBreach {
		return []string{templateBreach, templateSupplement}
	}
	return []string{s.spec.Letters.Template}
}

func (s *Set) loadVoice(fsys fs.FS, code string, parser *markdown.Parser) (*voice, []Fault) {
	l, faults := loadLocale(fsys, code)
	if faults != nil {
		return nil, faults
	}
	v := &voice{locale: l, partsFile: "parts." + code + ".md", sheets: map[string]*sheet{}, senders: map[string]senderView{}, letterhead: map[string]pipeline.Sender{},
		sections: newSections(parser, l, s.spec.Letters.AllowLinks), kinds: s.catalogue.texts(code)}
	v.localeText, _ = readText(fsys, "locale."+code+".yaml")
	if v.parts, faults = readText(fsys, v.partsFile); faults == nil {
		faults = tooHeavy(v.partsFile, v.parts)
	}
	if faults != nil {
		return nil, faults
	}
	for _, kind := range s.templates() {
		src, more := readLetter(fsys, kind+"."+code+".md")
		if more != nil {
			faults = append(faults, more...)
			continue
		}
		sh, more := compile(src, kind, v.partsFile, v.parts)
		faults = append(faults, more...)
		v.sheets[kind] = sh
	}
	s.bind(v)
	v.said = s.saidBy(v)
	return v, faults
}

// bind gives a voice the campaign's own texts.
func (s *Set) bind(v *voice) {
	i := s.spec.Incident
	v.incident = incidentView{
		HappenedFrom: line(v.date(i.HappenedFrom.Time)), HappenedTo: line(v.date(i.HappenedTo.Time)), Discovered: line(v.date(i.Discovered.Time)),
		Facts: paragraphs(i.Facts[v.Code]), NotTaken: paragraphs(i.NotTaken[v.Code]), WhyNow: paragraphs(i.WhyNow[v.Code]),
	}
	if !i.HappenedFrom.IsZero() {
		v.incident.When = line(v.period(i.HappenedFrom.Time, i.HappenedTo.Time))
	}
	for _, m := range i.Measures[v.Code] {
		if m := line(m); m != "" {
			v.incident.Measures = append(v.incident.Measures, m)
		}
	}
	c := s.spec.Controller
	v.controller = controllerView{Name: line(c.Name), Address: line(strings.Join(c.Address, ", ")),
		DPO: contactView{Name: line(c.DPO.Name), Post: line(c.DPO.Post), Phone: line(solid(c.DPO.Phone)), Email: line(c.DPO.Email)}}
	for key, b := range s.spec.Senders {
		v.letterhead[key] = v.head(b)
		v.senders[key] = senderView{
			LegalName: line(b.LegalName), DisplayName: line(b.DisplayName), Phone: line(solid(b.Phone)), Hours: line(b.Hours[v.Code]),
			ReplyTo: line(b.ReplyTo), ReturnAddress: line(strings.Join(b.ReturnAddress, ", ")),
			Signatory: line(b.Signatory.Name), SignatoryTitle: line(b.Signatory.Title[v.Code]),
		}
	}
}

// head is a sender as the margins of a letter show him.
func (v *voice) head(b pipeline.Sender) pipeline.Sender {
	b.RegisteredLine = v.typeset(b.RegisteredLine)
	if hours := b.Hours[v.Code]; hours != "" {
		b.Hours = maps.Clone(b.Hours)
		b.Hours[v.Code] = v.typeset(hours)
	}
	return b
}
