package vouch_test

import (
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/vouch"
)

func letters() []vouch.Sent {
	return []vouch.Sent{{
		Channel: pipeline.Email, Subject: "Muguet Télécom : une partie de vos données a été exposée", Addresses: []string{"info@muguet.example", "reponse@muguet.example"}, Names: []string{"Muguet Télécom", "Muguet SA"},
		Text:   "Bonjour Madame O’Neil,\n\nDes données qui vous concernent ont été exposées le 12 janvier 2026.\nAppelez le 09 70 12 34 56. Victime d’une fraude ? Le service public 17Cyber (17cyber.gouv.fr) vous guide. Écrivez à dpo@muguet.example.",
		Links:  []string{"https://aide.muguet.example/incident"},
		Phones: []string{"+33 9 70 12 34 56"},
	}, {
		Channel: pipeline.Post, Subject: "Vos données", Names: []string{"Muguet SA"}, Text: "Cette lettre est la copie du courriel que nous vous avons envoyé le 13 janvier.",
	}}
}

const sentence = "des donnees qui vous concernent ont ete exposees"

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		heard vouch.Heard
		want  vouch.Verdict
	}{
		"everything":                          {vouch.Heard{Subject: "TR: muguet telecom, une partie de vos données a été exposée", Sender: "Muguet Télécom <INFO@muguet.example>", Sentence: sentence, Links: "http://www.aide.muguet.example/incident/\n17cyber.gouv.fr", Phones: "0970123456"}, vouch.Genuine},
		"a sentence":                          {vouch.Heard{Sentence: "Des données qui vous concernent, ont été EXPOSÉES"}, vouch.Genuine},
		"over two lines":                      {vouch.Heard{Sentence: "exposées le 12 janvier 2026 appelez le 09 70"}, vouch.Genuine},
		"the other letter":                    {vouch.Heard{Sentence: "la copie du courriel que nous vous avons envoyé"}, vouch.Genuine},
		"nothing":                             {vouch.Heard{}, vouch.Foreign},
		"subject alone":                       {vouch.Heard{Subject: "Vos données"}, vouch.Foreign},
		"two words":                           {vouch.Heard{Sentence: "Des données"}, vouch.Foreign},
		"half a word":                         {vouch.Heard{Sentence: "es données qui vous concernent ont été exposées"}, vouch.Foreign},
		"our text, other link":                {vouch.Heard{Sentence: sentence, Links: "https://muguet.example.aide-incident.test/"}, vouch.Foreign},
		"our text, other path":                {vouch.Heard{Sentence: sentence, Links: "https://aide.muguet.example/incident?next=https://evil.test"}, vouch.Foreign},
		"a host in disguise":                  {vouch.Heard{Sentence: sentence, Links: "https://aide.muguet.example@evil.test/incident"}, vouch.Foreign},
		"a script":                            {vouch.Heard{Sentence: sentence, Links: "javascript:alert(1)"}, vouch.Foreign},
		"a letter of Cyrillic":                {vouch.Heard{Sentence: sentence, Links: "17cybеr.gouv.fr"}, vouch.Foreign},
		"the domain of an address is no link": {vouch.Heard{Sentence: sentence, Links: "muguet.example"}, vouch.Foreign},
		"two links, one ours":                 {vouch.Heard{Sentence: sentence, Links: "17cyber.gouv.fr\nevil.test"}, vouch.Foreign},
		"our text, other phone":               {vouch.Heard{Sentence: sentence, Phones: "08 99 00 00 00"}, vouch.Foreign},
		"no digits":                           {vouch.Heard{Sentence: sentence, Phones: "call me"}, vouch.Foreign},
		"abroad":                              {vouch.Heard{Sentence: sentence, Phones: "+33 (0)9 70 12 34 56"}, vouch.Genuine},
		"another sender":                      {vouch.Heard{Sentence: sentence, Sender: "Muguet Télécom <info@muguet.example.test>"}, vouch.Foreign},
		"a name of ours":                      {vouch.Heard{Sentence: sentence, Sender: "muguet telecom"}, vouch.Genuine},
		"asks for the card":                   {vouch.Heard{Sentence: sentence, Asks: true}, vouch.Foreign},
		"two letters mixed":                   {vouch.Heard{Subject: "Vos données", Sentence: sentence}, vouch.Foreign},
	} {
		if got := vouch.Compare(c.heard, letters()); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, got.Verdict, c.want, got.Parts)
		}
	}
	if got := vouch.Compare(vouch.Heard{Sentence: sentence}, nil); got.Verdict != vouch.Unsent {
		t.Errorf("nothing sent: %+v", got)
	}
	if got := vouch.Compare(vouch.Heard{Sentence: sentence, Phones: "0899000000"}, letters()); len(got.Parts) != 2 || !got.Parts[0].Ours || got.Parts[1].Ours || got.Nearest != 0 {
		t.Errorf("what is ours and what is not: %+v", got)
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("Vos données", "x <a@b>", "une phrase assez longue", "https://a\nb", "+33", true)
	f.Fuzz(func(t *testing.T, subject, sender, sentence, links, phones string, asks bool) {
		got := vouch.Compare(vouch.Heard{Subject: subject, Sender: sender, Sentence: sentence, Links: links, Phones: phones, Asks: asks}, letters())
		if got.Verdict == vouch.Genuine && (asks || !vouch.Enough(sentence)) {
			t.Errorf("vouched for %+v", got)
		}
	})
}
