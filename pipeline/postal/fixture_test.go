package postal

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// The letters here are written by hand in the form in which package letter hands
// them over; the people and companies do not exist.

var testDay = time.Date(2026, 1, 23, 0, 0, 0, 0, time.UTC)

func p(text string) pipeline.Block {
	return pipeline.Block{Kind: pipeline.Paragraph, Spans: spans(text)}
}

func h(text string) pipeline.Block {
	return pipeline.Block{Kind: pipeline.Heading, Level: 2, Spans: spans(text)}
}

func ul(items ...string) pipeline.Block {
	b := pipeline.Block{Kind: pipeline.List}
	for _, i := range items {
		b.Items = append(b.Items, []pipeline.Block{p(i)})
	}
	return b
}

func note(items ...pipeline.Block) pipeline.Block {
	return pipeline.Block{Kind: pipeline.Quote, Items: [][]pipeline.Block{items}}
}

func table(rows ...[]string) pipeline.Block {
	b := pipeline.Block{Kind: pipeline.Table}
	for _, r := range rows {
		var row []pipeline.Cell
		for _, c := range r {
			row = append(row, spans(c))
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}

// spans reads **strong** and _em_.
func spans(text string) []pipeline.Span {
	var out []pipeline.Span
	for i, s := range strings.Split(text, "**") {
		for k, e := range strings.Split(s, "__") {
			if e != "" {
				out = append(out, pipeline.Span{Text: e, Strong: i%2 == 1, Em: k%2 == 1})
			}
		}
	}
	return out
}

func sender() pipeline.Sender {
	return pipeline.Sender{
		LegalName: "Exemple Télécom SA", DisplayName: "Exemple Télécom", From: "info@exemple-telecom.example", Logo: "logo.png",
		ReturnAddress:  []string{"TSA 30034", "59091 LILLE CEDEX 9"},
		RegisteredLine: "Exemple Télécom SA, société anonyme au capital de 10 640 226 396 €, 1 avenue de l’Exemple, 75015 Paris, RCS Paris 000 000 000",
		Phone:          "01 99 00 34 34",
		Hours:          pipeline.Texts{"fr": "du lundi au samedi, de 8 h à 20 h\n(appel non surtaxé)", "en": "Monday to Saturday, 8 am to 8 pm\n(local rate)", "de": "Montag bis Samstag, 8 bis 20 Uhr"},
	}
}

func frenchLabels() pipeline.Labels {
	return pipeline.Labels{Date: "23 janvier 2026", Subject: "Objet", Reference: "Votre référence", Page: "Page {n}/{total}", Colon: "\u00a0: "}
}

func frenchLetter(contracts int) *pipeline.Letter {
	rows := [][]string{{"Contrat", "Offre", "Données concernées"}}
	offers := []string{"Fibre Sérénité", "Forfait mobile 5G 100 Go", "Offre convergente Famille", "Carte prépayée Liberté"}
	for i := range contracts {
		data := "coordonnées (adresse postale, adresse e-mail, téléphone)\u00a0; caractéristiques de l’abonnement"
		if i%2 == 1 {
			data = "identité (nom, prénom, date de naissance)\u00a0; coordonnées\u00a0; quatre derniers chiffres de l’IBAN"
		}
		rows = append(rows, []string{fmt.Sprintf("**00\u00a0%03d\u00a0417\u00a0%02d**", 300+i*37, i+10), offers[i%len(offers)], data})
	}
	blocks := []pipeline.Block{
		p("Madame Martin,"),
		p("Entre le 12 et le 15 janvier 2026, une personne non autorisée a accédé à l’un de nos systèmes de gestion des abonnements et en a copié des données. **Certaines de ces données sont les vôtres.** Nous vous devons des excuses, et une information complète."),
		h("Vos données concernées"),
		p("Données qui vous concernent personnellement\u00a0: titre, nom et prénom."),
		table(rows...),
		p("**N’ont pas été copiés\u00a0:** vos mots de passe, vos numéros de carte bancaire, votre IBAN complet, le contenu de vos appels et de vos messages."),
		h("Ce que quelqu’un pourrait en faire"),
		ul("vous appeler ou vous écrire en se faisant passer pour nous, en citant votre numéro de contrat pour vous mettre en confiance\u00a0;",
			"tenter d’obtenir de vous un mot de passe, un code reçu par SMS ou des coordonnées bancaires complètes."),
		h("Ce que nous vous conseillons"),
		ul("Ne communiquez jamais un code reçu par SMS, un mot de passe ou un numéro de carte, même si la personne connaît votre contrat.",
			"Surveillez les prélèvements sur votre compte et signalez à votre banque ceux que vous ne reconnaissez pas.",
			"Prévenez les autres personnes de votre foyer."),
		note(p("**Nous ne vous demanderons jamais** votre mot de passe, un code ou vos coordonnées bancaires, ni par téléphone, ni par e-mail, ni par SMS.")),
		p("L’accès a été fermé le 16 janvier, le jour de sa découverte. Nous avons prévenu la CNIL et déposé plainte. Il nous a fallu quelques jours pour établir, client par client, ce qui avait été copié\u00a0: cette lettre est exacte pour vous."),
		p("Notre équipe dédiée vous répond au **01\u00a099\u00a000\u00a034\u00a034**. Munissez-vous de votre référence **7KQ2-M9XD-4T0V**. Vous pouvez aussi écrire à notre délégué à la protection des données, Exemple Télécom, TSA\u00a030034, 59091\u00a0LILLE CEDEX\u00a09."),
		p("Nous vous prions d’agréer, Madame, l’expression de nos salutations distinguées."),
		p("**Camille Durand**\nDirectrice de la relation client"),
	}
	return &pipeline.Letter{
		Locale: "fr", Subject: "des données de vos contrats ont été copiées", Kind: pipeline.First, Channel: pipeline.Post, Format: pipeline.FormatStandard,
		Date: testDay, Sender: sender(), SenderKey: "main", Reference: pipeline.NewReference(0x1234567890ABC), Recipient: "Jeanne Martin", Labels: frenchLabels(), Blocks: blocks,
	}
}

func englishLetter() *pipeline.Letter {
	l := frenchLetter(0)
	l.Locale, l.Subject, l.Recipient = "en", "data of your contracts was copied", "Sarah O’Connor"
	l.Labels = pipeline.Labels{Date: "23 January 2026", Subject: "Subject", Reference: "Your reference", Page: "Page {n} of {total}", Colon: ": "}
	l.Blocks = []pipeline.Block{
		p("Dear Ms O’Connor,"),
		p("Between 12 and 15 January 2026 somebody who had no right to do so got into one of our subscription systems and copied data from it. **Some of that data is yours.** We owe you an apology and the full facts."),
		h("Your data"),
		table([]string{"Contract", "Offer", "Data"}, []string{"**00\u00a0312\u00a0417\u00a010**", "Fibre", "contact details (postal address, e-mail address, telephone); details of the subscription"},
			[]string{"**00\u00a0349\u00a0417\u00a011**", "Mobile 5G 100 GB", "identity (name, date of birth); contact details"}),
		p("**Not copied:** your passwords, card numbers, your full bank details, the content of your calls and messages."),
		h("What somebody could do with it"),
		ul("call or write to you and pretend to be us, quoting your contract number to win your trust;", "try to get a password, a code or your bank details from you."),
		h("What we advise"),
		ul("Never give away a code that you got by text message, a password or a card number.", "Tell the others in your household."),
		p("The way in was closed on 16 January, the day it was found. We have informed the regulator (CNIL) and filed a complaint with the police."),
		p("Our team answers on **01\u00a099\u00a000\u00a034\u00a034**. Please have your reference ready. You may also write to our data protection officer at the address above."),
		p("Yours sincerely,"),
		p("**Camille Durand**\nDirector, Customer Relations"),
	}
	return l
}

func largeLetter() *pipeline.Letter {
	l := frenchLetter(2)
	l.Format = pipeline.FormatLargePrint
	return l
}

// logoPNG is a coloured mark on a transparent ground.
var logoPNG = sync.OnceValue(func() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 480, 120))
	for y := range 120 {
		for x := range 480 {
			dx, dy := x-60, y-60
			switch {
			case dx*dx+dy*dy < 56*56 && dx*dx+dy*dy > 30*30:
				img.Set(x, y, color.NRGBA{230, 90, 0, 255})
			case x > 140 && y > 40 && y < 80 && (x/28)%2 == 0:
				img.Set(x, y, color.NRGBA{20, 20, 60, 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// newPress makes a press; it is cheap enough for every test.
func newPress(t testing.TB, c Config) *Press {
	t.Helper()
	if c.Logos == nil {
		c.Logos = map[string][]byte{"logo.png": logoPNG()}
	}
	press, err := NewPress(c)
	if err != nil {
		t.Fatal(err)
	}
	return press
}

func person() pipeline.Person {
	return pipeline.Person{Title: "Mme", FirstName: "Jeanne", LastName: "Martin", Address: []string{"Résidence les Lilas", "12 bis, rue de l’Église"}, Postcode: "01000", City: "Saint-Étienne-du-Bois", Country: "FR"}
}

func item(t testing.TB, press *Press, l *pipeline.Letter, who pipeline.Person) Item {
	t.Helper()
	a, err := press.Address(who)
	if err != nil {
		t.Fatal(err)
	}
	return Item{Notice: 7, Attempt: 1, Letter: l, Address: a, Country: who.Country, Postcode: press.Postcode(who)}
}

// seq is a run's letters.
func seq(items ...Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}
}

func itoa(n int) string { return fmt.Sprint(n) }
