package letter

import (
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// Specimen chooses a letter to somebody who does not exist: what a writer looks at,
// who has no business with the letters of customers.
type Specimen struct {
	Template string // one of Templates; "": the first
	Locale   string // "": the campaign's fallback
	Sender   string // "": the first by its key
	Kind     pipeline.AttemptKind
	Channel  pipeline.Channel
	Format   string
	// Person is SpecimenMuch, SpecimenLittle or SpecimenRepresented; "" is SpecimenMuch.
	Person string
}

// The people of specimens.
const (
	SpecimenMuch        = "much"        // everything of them was exposed, in several contracts
	SpecimenLittle      = "little"      // one kind of data, in one contract
	SpecimenRepresented = "represented" // as much, and somebody else is written to for them
)

// Templates lists the letters of the campaign.
func (s *Set) Templates() []string { return s.templates() }

// Specimen asks for the letter, dated as a campaign begins: the day after the
// discovery.
func (s *Set) Specimen(q Specimen) Request {
	if !slices.Contains(s.templates(), q.Template) {
		q.Template = s.templates()[0]
	}
	if s.voices[q.Locale] == nil {
		q.Locale = s.spec.Letters.FallbackLocale
	}
	p := s.specimen()
	p.Title, p.Email, p.Country = "Mme", "camille@example.org", "FR"
	p.Address, p.Postcode, p.City = []string{"12 rue de l'Exemple"}, "75011", "Paris"
	switch q.Person {
	case SpecimenLittle:
		if len(p.Own) > 0 {
			p.Own, p.Contracts = nil, []pipeline.Contract{{ID: "0000000001", Label: "Specimen A", Data: p.Own[:1]}}
		}
	case SpecimenRepresented:
		p.Representative = "Dominique Exemple"
	}
	if q.Kind == "" {
		q.Kind = pipeline.First
	}
	role := pipeline.Primary
	if q.Template == templateSupplement {
		role = pipeline.Supplement
	}
	day := s.spec.Incident.Discovered
	r := Request{
		Notice: pipeline.Notice{Role: role, Locale: q.Locale, Sender: q.Sender, Channel: q.Channel, Kind: q.Kind, Format: q.Format, Attempt: 1},
		Person: p, Kind: q.Kind, Channel: q.Channel, Date: day.AddDate(0, 0, 1),
	}
	if day.IsZero() {
		r.Date = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if role == pipeline.Supplement || q.Kind != pipeline.First {
		r.FirstWritten = day.Time
	}
	return r
}
