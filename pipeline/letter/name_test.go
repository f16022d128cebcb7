package letter

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/templates"
)

func testLocale(t testing.TB, code string) *locale {
	t.Helper()
	l, faults := loadLocale(templates.Letters(), code)
	if faults != nil {
		t.Fatal(faults)
	}
	return l
}

func TestTitleCase(t *testing.T) {
	t.Parallel()
	l := testLocale(t, "fr")
	for in, want := range map[string]string{
		"DUPONT": "Dupont", "O'NEIL": "O'Neil", "O’NEIL": "O’Neil", "JEAN-PIERRE": "Jean-Pierre", "DE LA TOUR": "de La Tour", "DU PONT DES LOGES": "du Pont des Loges",
		"LE GOFF": "Le Goff", "D'ORMESSON": "d'Ormesson", "L'HERMITE": "L'Hermite", "MCCARTHY": "McCarthy", "MACDONALD": "Macdonald", "MAC DONALD": "Mac Donald", "MACRON": "Macron",
		"VAN DER BERG": "van der Berg", "VON": "Von", "ÉLÉONORE": "Éléonore", "ŒILLET": "Œillet", "N'GUYEN": "N'Guyen", "SAINT-EXUPÉRY": "Saint-Exupéry", "HENRI IV": "Henri IV",
		"RAMÓN Y CAJAL": "Ramón y Cajal", "DUPONT (NÉE MARTIN)": "Dupont (Née Martin)", "SMITH-MCKAY": "Smith-McKay",
		// As given: not in capitals only, one letter, no letters with case.
		"Dupont": "Dupont", "de la Tour": "de la Tour", "McCarthy": "McCarthy", "DUPONt": "DUPONt", "J": "J", "X": "X", "李明": "李明", "محمد": "محمد", "": "", "'": "'", "-": "-", "123": "123",
	} {
		if got := l.titleCase(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	person := func(title, first, last string) pipeline.Person {
		return pipeline.Person{Title: title, FirstName: first, LastName: last}
	}
	company := pipeline.Person{Company: "MODÈLE SA"}
	contact := person("Mme", "Anne", "Modèle")
	contact.Company = "MODÈLE SA"
	minor := person("M.", "Léo", "MODÈLE")
	minor.Representative = "ANNE MODÈLE"
	for _, c := range []struct {
		locale string
		p      pipeline.Person
		want   addressee
	}{
		{"fr", person("M.", "Paul", "DURAND"), addressee{name: "Paul Durand", salutation: "Monsieur Paul Durand,", courtesy: "Monsieur"}},
		{"fr", person("MME", "ANNE", "DURAND"), addressee{name: "Anne Durand", salutation: "Madame Anne Durand,", courtesy: "Madame"}},
		{"fr", person("Mlle", "", "Durand"), addressee{name: "Durand", salutation: "Madame Durand,", courtesy: "Madame"}},
		{"fr", person("", "Camille", "Durand"), addressee{name: "Camille Durand", salutation: "Madame, Monsieur,", attention: "À l’attention de Camille Durand", courtesy: "Madame, Monsieur"}},
		{"fr", person("M. et Mme", "", "DURAND"), addressee{name: "Durand", salutation: "Madame, Monsieur,", attention: "À l’attention de Durand", courtesy: "Madame, Monsieur"}},
		{"fr", person("M. ou Mme", "A", "B"), addressee{name: "A B", salutation: "Madame, Monsieur,", attention: "À l’attention d’A B", courtesy: "Madame, Monsieur"}},
		{"fr", company, addressee{name: "MODÈLE SA", salutation: "Madame, Monsieur,", attention: "À l’attention de MODÈLE SA", courtesy: "Madame, Monsieur"}},
		{"fr", contact, addressee{name: "Anne Modèle", salutation: "Madame Anne Modèle,", attention: "À l’attention d’Anne Modèle, MODÈLE SA", courtesy: "Madame"}},
		{"fr", minor, addressee{name: "Anne Modèle", salutation: "Madame, Monsieur,", attention: "À l’attention d’Anne Modèle, en qualité de représentant légal de Léo Modèle", courtesy: "Madame, Monsieur", represented: "Léo Modèle"}},
		{"en", person("M.", "Paul", "DURAND"), addressee{name: "Paul Durand", salutation: "Dear Mr Paul Durand,", courtesy: "Mr"}},
		{"en", person("Mme", "Anne", "Durand"), addressee{name: "Anne Durand", salutation: "Dear Ms Anne Durand,", courtesy: "Ms"}},
		{"en", person("Mr and Mrs", "", "Smith"), addressee{name: "Smith", salutation: "Dear Smith,", courtesy: "Sir or Madam"}},
		{"en", person("", "Kim", "Smith"), addressee{name: "Kim Smith", salutation: "Dear Kim Smith,", courtesy: "Sir or Madam"}},
		{"en", company, addressee{name: "MODÈLE SA", salutation: "Dear MODÈLE SA,", courtesy: "Sir or Madam"}},
		{"en", minor, addressee{name: "Anne Modèle", salutation: "Dear Anne Modèle,", attention: "For the attention of Anne Modèle, as legal representative of Léo Modèle", courtesy: "Sir or Madam", represented: "Léo Modèle"}},
	} {
		if got := testLocale(t, c.locale).address(c.p); got != c.want {
			t.Errorf("%s: %+v\nwant %+v", c.locale, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	fr, en := testLocale(t, "fr"), testLocale(t, "en")
	for _, c := range []struct{ got, want string }{
		{fr.date(day(2026, 1, 12)), "12\u00a0janvier 2026"}, {fr.date(day(2026, 8, 1)), "1er\u00a0août 2026"}, {fr.date(time.Time{}), ""},
		{en.date(day(2026, 1, 12)), "12\u00a0January 2026"}, {en.date(day(2026, 8, 1)), "1\u00a0August 2026"},
		{fr.period(day(2026, 1, 12), time.Time{}), "le 12\u00a0janvier 2026"}, {fr.period(day(2026, 1, 12), day(2026, 1, 12)), "le 12\u00a0janvier 2026"},
		{fr.period(day(2026, 1, 1), day(2026, 1, 15)), "entre le 1er et le 15\u00a0janvier 2026"},
		{fr.period(day(2026, 1, 28), day(2026, 2, 3)), "entre le 28\u00a0janvier et le 3\u00a0février 2026"},
		{fr.period(day(2025, 12, 28), day(2026, 1, 3)), "entre le 28\u00a0décembre 2025 et le 3\u00a0janvier 2026"},
		{en.period(day(2026, 1, 12), day(2026, 1, 15)), "between 12 and 15\u00a0January 2026"},
		{en.period(day(2025, 12, 28), day(2026, 1, 3)), "between 28\u00a0December 2025 and 3\u00a0January 2026"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	us := testLocale(t, "en")
	us.Dates.Day = "{month}\u00a0{d}, {yyyy}"
	if got := us.period(day(2026, 1, 12), day(2026, 1, 15)); got != "between January\u00a012 and January\u00a015, 2026" {
		t.Error(got)
	}
}

func TestTypeset(t *testing.T) {
	t.Parallel()
	fr, en := testLocale(t, "fr"), testLocale(t, "en")
	for _, c := range []struct{ got, want string }{
		{fr.typeset("Quoi ? « Oui » : l'autre ; n° 5 !"), "Quoi\u00a0? «\u00a0Oui\u00a0»\u00a0: l’autre\u00a0; n°\u00a05\u00a0!"},
		{fr.typeset("800 000 clients, 5 %, le 16 janvier"), "800\u00a0000 clients, 5\u00a0%, le 16\u00a0janvier"},
		{fr.typeset("https://a.test :mot 'cité' d'\U000F0000"), "https://a.test :mot 'cité' d’\U000F0000"},
		{fr.typeset("de 8 h à 20 h, 3 heures, 20 hier, 5 Go, Paris Cedex 07, TSA 10001, BP 12"), "de 8\u00a0h à 20\u00a0h, 3\u00a0heures, 20 hier, 5\u00a0Go, Paris Cedex\u00a007, TSA\u00a010001, BP\u00a012"},
		{fr.typeset("un ABP 12, le TSA du 3"), "un ABP 12, le TSA du 3"},
		{en.typeset("8 am to 8 pm, 3 amps, Paris Cedex 07"), "8\u00a0am to 8\u00a0pm, 3 amps, Paris Cedex\u00a007"},
		{en.typeset("Don't: 800 000 ; 12 January"), "Don’t: 800\u00a0000 ; 12\u00a0January"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a": "a", "": "", " a  b\t\r\nc ": "a b c", "a\u202eb\u2066c\u200f": "abc", "a\u200bb\ufeff": "ab", "\xffa": "\ufffda", "a\u2028b": "a b", "a\x00b": "a b", "\U000F0001a\ue000": "a",
		"می\u200cخواهم": "می\u200cخواهم", "é": "é", "a\U000E0041b": "ab", "\u200b \u200b": "",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if got := clean(clean(in)); got != want {
			t.Errorf("%q is not settled: %q", in, got)
		}
	}
	if got := solid("01 99\t00"); got != "01\u00a099\u00a000" {
		t.Errorf("%q", got)
	}
}
