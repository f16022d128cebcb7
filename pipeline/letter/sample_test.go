package letter_test

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/templates"
)

func date(y int, m time.Month, d int) pipeline.Date {
	return pipeline.Date{Time: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// sampleSpec is a campaign of an operator that does not exist.
func sampleSpec() *pipeline.Spec {
	hours := pipeline.Texts{"fr": "appel gratuit, du lundi au samedi de 8 h à 20 h", "en": "free call, Monday to Saturday, 8 am to 8 pm, Paris time"}
	return &pipeline.Spec{
		CodeName: "MUGUET", Kind: "breach",
		Incident: pipeline.Incident{
			HappenedFrom: date(2026, 1, 12), HappenedTo: date(2026, 1, 15), Discovered: date(2026, 1, 16),
			Facts: pipeline.Texts{
				"fr": "Une personne inconnue de nous a exploité une faille de la page « Mon compte » de notre espace client. Elle a ainsi pu consulter et copier des fiches de clients, dont la vôtre. Cette faille est corrigée depuis le 16 janvier et l'accès de cette personne est coupé.",
				"en": "Somebody unknown to us exploited a flaw in the “My account” page of our customer area. In this way they were able to view and copy customer records, including yours. The flaw was fixed on 16 January and this person's access has been cut off.",
			},
			NotTaken: pipeline.Texts{
				"fr": "Vos mots de passe, vos coordonnées bancaires complètes et le contenu de vos communications : ils ne se trouvaient pas sur cette page.",
				"en": "Your passwords, your full bank details and the content of your communications: they were not on this page.",
			},
			Measures: pipeline.TextLists{
				"fr": {"Nous avons fermé la page le jour même et corrigé la faille.", "Nous avons déclaré la violation à la CNIL le 17 janvier et déposé plainte auprès du procureur de la République.", "Une société extérieure a vérifié toutes les pages de l'espace client ; nous surveillons depuis chaque consultation inhabituelle."},
				"en": {"We closed the page on the same day and fixed the flaw.", "We reported the breach to the data protection authority CNIL on 17 January and filed a criminal complaint with the public prosecutor.", "An outside company has checked every page of the customer area; since then we have been monitoring every unusual access."},
			},
			WhyNow: pipeline.Texts{
				"fr": "Il nous a fallu quatre jours pour établir, client par client, quelles fiches avaient été copiées : nous ne voulions ni vous inquiéter à tort ni vous oublier.",
				"en": "It took us four days to establish, customer by customer, which records had been copied: we wanted neither to alarm you for nothing nor to overlook you.",
			},
		},
		Controller: pipeline.Controller{Name: "Télécom Exemple SA", Address: []string{"1 rue de l'Exemple", "75990 Paris Cedex 20"},
			DPO: pipeline.Contact{Name: "Anne Modèle", Post: "Télécom Exemple, DPO, TSA 10001, 75990 Paris Cedex 20", Phone: "01 99 00 12 34", Email: "dpo@example.fr"}},
		Senders: map[string]pipeline.Sender{
			"main": {LegalName: "Télécom Exemple SA", DisplayName: "Télécom Exemple", From: "infos@example.fr", ReplyTo: "cellule@example.fr", EnvelopeDomain: "bounce.example.fr",
				Signatory:     pipeline.Signatory{Name: "Claire Fictive", Title: pipeline.Texts{"fr": "directrice de la relation client", "en": "Director of Customer Relations"}},
				ReturnAddress: []string{"Télécom Exemple", "TSA 10000", "75990 Paris Cedex 20"}, RegisteredLine: "Télécom Exemple SA au capital de 1 000 000 €, 1 rue de l'Exemple, 75990 Paris Cedex 20, RCS Paris 000 000 000",
				Phone: "0 801 99 00 00", Hours: hours},
			"second": {LegalName: "Mobi Exemple SAS", DisplayName: "Mobi", From: "infos@mobi.example", ReplyTo: "cellule@mobi.example", EnvelopeDomain: "bounce.mobi.example",
				ReturnAddress: []string{"Mobi", "TSA 20000", "75990 Paris Cedex 20"}, Phone: "01 99 00 20 20", Hours: hours},
		},
		SenderOf: map[string]string{"second-brand": "second", "*": "main"},
		Letters:  pipeline.Letters{Template: "breach", Locales: []string{"fr", "en"}, FallbackLocale: "fr"},
	}
}

// samplePerson is a customer with two contracts and four data kinds.
func samplePerson() pipeline.Person {
	return pipeline.Person{
		CustomerIDs: []string{"C-100200"}, Title: "MME", FirstName: "CLAIRE", LastName: "O'NEIL", Email: "claire@example.com", Reference: pipeline.NewReference(0x1F2E3D4C5B6A),
		Own: []pipeline.Exposure{{Kind: "household"}, {Kind: "identity"}},
		Contracts: []pipeline.Contract{
			{ID: "1203 3445 56", Kind: "internet", Label: "Fibre Confort", Data: []pipeline.Exposure{{Kind: "contact"}, {Kind: "bank-truncated"}, {Kind: "subscription"}}},
			{ID: "FM-77001234", Kind: "mobile-postpaid", Label: "Forfait 80 Go", Data: []pipeline.Exposure{{Kind: "contact"}, {Kind: "subscription", Possible: true}}},
		},
	}
}

// sampleRequest asks for the first e-mail to samplePerson.
func sampleRequest(locale string) letter.Request {
	return letter.Request{
		Notice: pipeline.Notice{ID: 42, Role: pipeline.Primary, Locale: locale, Sender: "main"}, Person: samplePerson(),
		Kind: pipeline.First, Channel: pipeline.Email, Date: time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC),
	}
}

func load(t testing.TB, spec *pipeline.Spec) *letter.Set {
	t.Helper()
	set, err := letter.Load(templates.Letters(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func render(t testing.TB, set *letter.Set, r letter.Request) *pipeline.Letter {
	t.Helper()
	l, err := set.Render(r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
