package intake

import (
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestSameAddress: what is the same to an ear is, and no number is guessed.
func TestSameAddress(t *testing.T) {
	t.Parallel()
	french := pipeline.Person{Address: []string{"Bât. C", "12 rue de l'Étoile"}, Postcode: "75 011", City: "Paris"}
	saint := pipeline.Person{Address: []string{"Résidence Les Lilas", "Appt 14, 3e étage", "4 bis avenue du Général-de-Gaulle"}, Postcode: "93200", City: "Saint-Denis Cedex 2"}
	split := pipeline.Person{Address: []string{"4", "rue Saint-Honoré"}, Postcode: "75001", City: "PARIS 01"}
	british := pipeline.Person{Address: []string{"Flat 2B", "221 Baker Street"}, Postcode: "NW1 6XE", City: "London"}
	american := pipeline.Person{Address: []string{"1600 N. Main St. Apt #5"}, Postcode: "90210-1234", City: "Beverly Hills"}
	village := pipeline.Person{Address: []string{"Le Bourg"}, Postcode: "12345", City: "Trou"}
	numbers := pipeline.Person{Address: []string{"8 rue du 12 mai 1945"}, Postcode: "31000", City: "Toulouse"}
	for _, x := range []struct {
		on                   pipeline.Person
		line, postcode, city string
		want                 bool
	}{
		{french, "12, RUE DE L ETOILE", "75011", "", true},
		{french, "12 rue de l’Étoile", "", "paris", true},
		{french, "12 r\u00adue de l'\u00c9toile", "75011", "Paris 11e arrondissement", true},
		{french, "Bat C 12 rue de l'etoile", "F-75011", "Paris", true},
		{french, "n° 12 rue de l'Etoile, bâtiment c", "75011", "Paris", true},
		{french, "12 rue de l'Étoile", "", "", false},
		{french, "", "75011", "Paris", false},
		{french, "12 rue de l'Étoile", "-", "", false},
		{french, "12 rue de l'Étoile", "-", ".", false},
		{french, "2 rue de l'Étoile", "75011", "Paris", false},
		{french, "112 rue de l'Étoile", "75011", "Paris", false},
		{french, "12 bis rue de l'Étoile", "75011", "Paris", false},
		{french, "12 rue de l'Étoile", "75012", "Paris", false},
		{french, "12 rue de l'Étoile", "75011", "Lyon", false},
		{french, "Bat D 12 rue de l'Étoile", "75011", "Paris", false},
		{french, "12 avenue de l'Étoile", "75011", "Paris", false},
		{french, "12", "75011", "Paris", false},
		{french, "rue", "75011", "", false},
		{french, "rue de l'Étoile", "75011", "", false},
		{french, "Bat C", "75011", "", false},

		{saint, "4bis av. du gal de gaulle", "93200", "St Denis", true},
		{saint, "4 B, av du Gen. de Gaulle, résidence les Lilas, apt 14", "93200", "", true},
		{saint, "Res. les lilas 4 bis ave du général de gaulle appartement 14 3ème étage", "93200", "saint denis", true},
		{saint, "4 avenue du Général de Gaulle", "93200", "Saint-Denis", false},
		{saint, "4 ter avenue du Général de Gaulle", "93200", "Saint-Denis", false},
		{saint, "4 bis avenue du Général de Gaulle, appt 12", "93200", "Saint-Denis", false},
		{saint, "14 bis avenue du Général de Gaulle, appt 4", "93200", "Saint-Denis", false},
		{saint, "4 bis avenue du Général de Gaulle 2e étage", "93200", "Saint-Denis", false},
		{saint, "Résidence Les Lilas", "93200", "Saint-Denis", false},

		{split, "4 rue St Honore", "75001", "Paris", true},
		{split, "4", "75001", "Paris", false},
		{split, "14 rue St Honore", "75001", "Paris", false},

		{british, "221 baker st", "nw16xe", "", true},
		{british, "flat 2b, 221 Baker Street", "NW1 6XE", "London", true},
		{british, "flat 3b, 221 Baker Street", "NW1 6XE", "London", false},
		{british, "221 Baker Street", "NW1 6XF", "London", false},

		{american, "1600 North Main Street, apartment 5", "90210", "beverly hills", true},
		{american, "1600 N Main St Unit 5", "90210-1234", "", true},
		{american, "1600 N Main St", "90210-1235", "", false},
		{american, "1600 S Main St", "90210", "", false},
		{american, "1600 N Main St #6", "90210", "", false},

		{village, "le bourg", "12345", "Trou", true},
		{village, "le bourg", "12346", "Trou", false},
		{numbers, "8, rue du 12-Mai-1945", "31000", "", true},
		{numbers, "12 rue du 8 mai 1945", "31000", "", false},
		{pipeline.Person{}, "12 rue", "75011", "Paris", false},
	} {
		if got := SameAddress(x.on, x.line, x.postcode, x.city); got != x.want {
			t.Errorf("%q %q %q against %v: %v", x.line, x.postcode, x.city, x.on.Address, got)
		}
	}
}

// TestSpokenEmailAndPhone: an e-mail address and a number lead to the same key however
// they are said.
func TestSpokenEmailAndPhone(t *testing.T) {
	t.Parallel()
	for want, list := range map[string][]string{
		"jeanne.martin@xn--mller-kva.example": {" Jeanne.Martin@MÜLLER.example ", "<jeanne.martin@xn--mller-kva.example>", "mailto:jeanne.martin@müller.EXAMPLE."},
		"+33639981001":                        {"06 39 98 10 01", "06.39.98.10.01", "+33 6 39 98 10 01", "0033 639981001", "+33 (0)6 39 98 10 01"},
		"+442079460018":                       {"+44 20 7946 0018", "0044 20 7946 0018", "+44 (0)20 7946 0018"},
		"+14155550132":                        {"+1 415 555 0132", "001 (415) 555-0132"},
	} {
		for _, said := range list {
			found := false
			for _, k := range QueryKeys(said) {
				found = found || k.Value == want && (k.Kind == KeyEmail || k.Kind == KeyPhone)
			}
			if !found {
				t.Errorf("%q does not lead to %s: %v", said, want, QueryKeys(said))
			}
		}
	}
}

func FuzzSameAddress(f *testing.F) {
	f.Add("12 bis rue de l'Étoile", "75011", "Paris")
	f.Add("apt 4 # n° 12", "9", "")
	f.Fuzz(func(t *testing.T, line, postcode, city string) {
		p := pipeline.Person{Address: []string{"12 bis rue de l'Étoile"}, Postcode: "75011", City: "Paris"}
		if SameAddress(p, line, postcode, city) && foldText(postcode) != "" && !samePostcode(postcode, p.Postcode) {
			t.Error("another postcode")
		}
	})
}
