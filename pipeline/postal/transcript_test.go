package postal

import (
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

func TestTranscript(t *testing.T) {
	t.Parallel()
	l := frenchLetter(2)
	l.Blocks = []pipeline.Block{
		p("Madame\u00a0Martin,"), h("Vos données"),
		table([]string{"Contrat", "Offre"}, []string{"00\u00a0300", "Fibre"}, []string{"00\u00a0337", ""}),
		ul("un", "deux"),
		{Kind: pipeline.List, Ordered: true, Items: [][]pipeline.Block{{p("premier")}, {p("second"), p("suite")}}},
		note(p("**Jamais** de code.")),
		{Kind: pipeline.Divider},
		p("Cordialement\nCamille Durand"),
		{Kind: pipeline.Paragraph, Spans: []pipeline.Span{{Text: "Voir "}, {Text: "notre page", Link: "https://exemple.example/info"}, {Text: "."}}},
	}
	want := `Exemple Télécom
TSA 30034
59091 LILLE CEDEX 9
01 99 00 34 34

MME JEANNE MARTIN
01000 BOURG

23 janvier 2026
Votre référence : 0938-NKRJ-2NWB
Objet : des données de vos contrats ont été copiées

Madame Martin,

Vos données

Contrat : 00 300
Offre : Fibre

Contrat : 00 337

- un
- deux

1. premier
2. second
suite

Jamais de code.

Cordialement
Camille Durand

Voir notre page (https://exemple.example/info).

Exemple Télécom SA, société anonyme au capital de 10 640 226 396 €, 1 avenue de l’Exemple, 75015 Paris, RCS Paris 000 000 000
`
	if got := string(Transcript(l, []string{"MME JEANNE MARTIN", "01000 BOURG"})); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if strings.Contains(want, "\u00a0") {
		t.Error("a no-break blank in the expectation")
	}
}
