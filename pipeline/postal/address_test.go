package postal

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

func TestAddressLines(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	type who = pipeline.Person
	for _, x := range []struct {
		name string
		who  who
		want string // lines joined by |
	}{
		{"person", who{Title: "Mme", FirstName: "Jeanne", LastName: "Martin", Address: []string{"12 rue de la Paix"}, Postcode: "75002", City: "Paris", Country: "FR"},
			"MME JEANNE MARTIN|12 RUE DE LA PAIX|75002 PARIS"},
		{"order of the norm", who{FirstName: "Ali", LastName: "Ben-Saïd", Address: []string{"12, rue de l'Église", "Appt. 4, 2e étage", "Résidence les Lilas", "Lieu-dit le Moulin"}, Postcode: "38000", City: "Grenoble"},
			"ALI BEN-SAID|APPT 4 2E ETAGE|RESIDENCE LES LILAS|12 RUE DE L EGLISE|LIEU DIT LE MOULIN|38000 GRENOBLE"},
		{"lost zero", who{LastName: "Petit", Address: []string{"3 place d’Armes"}, Postcode: "1000", City: "Bourg-en-Bresse"}, "PETIT|3 PLACE D ARMES|01000 BOURG EN BRESSE"},
		{"blanks and prefix in the postcode", who{LastName: "Petit", Address: []string{"3 rue A"}, Postcode: "F-75 001", City: "75001 Paris"}, "PETIT|3 RUE A|75001 PARIS"},
		{"spreadsheet's decimals", who{LastName: "Petit", Address: []string{"3 rue A"}, Postcode: "1000.0", City: "Bourg"}, "PETIT|3 RUE A|01000 BOURG"},
		{"ligatures", who{LastName: "Œuvrard-Strauß Łukasz Ø", Address: []string{"1 rue du Cœur Æ"}, Postcode: "67000", City: "Strasbourg"}, "OEUVRARD-STRAUSS LUKASZ O|1 RUE DU COEUR AE|67000 STRASBOURG"},
		{"combining accents and no-break signs", who{LastName: "Lefe\u0301vre", FirstName: "Jean\u2011Luc", Address: []string{"1\u00a0rue\u202fde l’E\u0301te\u0301"}, Postcode: "35000", City: "Rennes"}, "JEAN-LUC LEFEVRE|1 RUE DE L ETE|35000 RENNES"},
		{"company with contact", who{Company: "S.A.R.L. Dupont & Fils", Title: "Monsieur", FirstName: "Paul", LastName: "D'Arc", Address: []string{"ZI des Sables", "4 avenue de l'Europe", "BP 123"}, Postcode: "14200", City: "Hérouville-Saint-Clair Cedex 3"},
			"SARL DUPONT & FILS|M PAUL D'ARC|ZI DES SABLES|4 AVENUE DE L EUROPE|BP 123|14200 HEROUVILLE ST CLAIR CEDEX 03"},
		{"company by its CEDEX alone", who{Company: "Exemple", Postcode: "92987", City: "Paris La Défense Cedex"}, "EXEMPLE|92987 PARIS LA DEFENSE CEDEX"},
		{"joint title", who{Title: "M. et Mme", FirstName: "Paul", LastName: "Roy", Address: []string{"1 rue A"}, Postcode: "20000", City: "Ajaccio"}, "M ET MME PAUL ROY|1 RUE A|20000 AJACCIO"},
		{"representative", who{FirstName: "Tom", LastName: "Roy", Representative: "Mme Anne Roy", Address: []string{"1 rue A"}, Postcode: "29200", City: "Brest"}, "MME ANNE ROY|1 RUE A|29200 BREST"},
		{"street longer than 32", who{LastName: "Roy", Address: []string{"128 bis boulevard du Maréchal de Lattre de Tassigny"}, Postcode: "21000", City: "Dijon"}, "ROY|128 B BD DU MAL DE LATTRE DE TASSIGNY|21000 DIJON"},
		{"first names give way", who{Title: "Monsieur", FirstName: "Jean-Baptiste Emmanuel Alexandre", LastName: "Delacroix-Beaumarchais", Address: []string{"1 rue A"}, Postcode: "21000", City: "Dijon"}, "M JB E A DELACROIX-BEAUMARCHAIS|1 RUE A|21000 DIJON"},
		{"overseas department", who{LastName: "Hoarau", Address: []string{"5 rue du Piton"}, Postcode: "97400", City: "Saint-Denis", Country: "RE"}, "HOARAU|5 RUE DU PITON|97400 ST DENIS"},
		{"Monaco", who{LastName: "Noghès", Address: []string{"2 avenue des Fleurs"}, Postcode: "98000", City: "Monaco", Country: "MC"}, "NOGHES|2 AVENUE DES FLEURS|98000 MONACO"},
		{"the armies", who{LastName: "Brun", Address: []string{"SP 12345"}, Postcode: "00100", City: "Armées"}, "BRUN|SP 12345|00100 ARMEES"},
		{"Germany", who{Title: "Frau", FirstName: "Jürgen", LastName: "Großmann", Address: []string{"Schloßstraße 12"}, Postcode: "10115", City: "Berlin", Country: "DE"}, "Frau Jürgen Großmann|Schloßstraße 12|10115 BERLIN|ALLEMAGNE"},
		{"Britain", who{FirstName: "Ann", LastName: "Lee", Address: []string{"Flat 3", "221B Baker Street", "United Kingdom"}, Postcode: "nw1 6xe", City: "London", Country: "UK"}, "Ann Lee|Flat 3|221B Baker Street|LONDON|NW1 6XE|ROYAUME-UNI"},
		{"United States", who{FirstName: "Ann", LastName: "Lee", Address: []string{"1 Main St"}, Postcode: "10001", City: "New York NY", Country: "us"}, "Ann Lee|1 Main St|NEW YORK NY 10001|ETATS-UNIS D'AMERIQUE"},
		{"Ireland without a code", who{FirstName: "Ann", LastName: "Lee", Address: []string{"1 Main St"}, City: "Dingle", Country: "IE"}, "Ann Lee|1 Main St|DINGLE|IRLANDE"},
		{"Poland", who{FirstName: "Łucja", LastName: "Żółć", Address: []string{"ul. Świętokrzyska 1"}, Postcode: "00-001", City: "Łódź", Country: "PL"}, "Łucja Żółć|ul. Świętokrzyska 1|00-001 ŁÓDŹ|POLOGNE"},
	} {
		got, err := press.Address(x.who)
		if err != nil || strings.Join(got, "|") != x.want {
			t.Errorf("%s:\n got %s %v\nwant %s", x.name, strings.Join(got, "|"), err, x.want)
		}
	}
}

func TestAddressRefused(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	fr := func(change func(p *pipeline.Person)) pipeline.Person {
		p := person()
		change(&p)
		return p
	}
	for _, x := range []struct {
		code string
		who  pipeline.Person
	}{
		{"no-recipient", fr(func(p *pipeline.Person) { p.FirstName, p.LastName = "", " . " })},
		{"no-address", fr(func(p *pipeline.Person) { p.Address = nil })},
		{"no-address", fr(func(p *pipeline.Person) { p.Address = []string{" ", "--"} })},
		{"no-postcode", fr(func(p *pipeline.Person) { p.Postcode = "" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Postcode = "99130" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Postcode = "2A004" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Postcode = "00100" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Postcode = "96000" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Postcode = "7.5E+04" })},
		{"postcode-invalid", fr(func(p *pipeline.Person) { p.Country, p.Postcode = "MC", "75001" })},
		{"city-missing", fr(func(p *pipeline.Person) { p.City = "" })},
		{"city-missing", fr(func(p *pipeline.Person) { p.City = "01000" })},
		{"country-unknown", fr(func(p *pipeline.Person) { p.Country = "France" })},
		{"country-unknown", fr(func(p *pipeline.Person) { p.Country = "ZZ" })},
		{"address-invalid", fr(func(p *pipeline.Person) { p.Address = []string{"Sans domicile fixe"} })},
		{"address-invalid", fr(func(p *pipeline.Person) { p.Address = []string{"NPAI"} })},
		{"address-not-encodable", fr(func(p *pipeline.Person) { p.LastName = "Иванов" })},
		{"address-not-encodable", fr(func(p *pipeline.Person) { p.LastName = "Mar\xfftin" })},
		{"address-not-encodable", fr(func(p *pipeline.Person) { p.Country, p.LastName = "JP", "山田" })},
		{"address-not-encodable", fr(func(p *pipeline.Person) { p.LastName = "Martin 😀" })},
		{"address-line-too-long", fr(func(p *pipeline.Person) {
			p.Address = []string{"12 rue " + strings.Repeat("Anticonstitutionnellement ", 2)}
		})},
		{"address-line-too-long", fr(func(p *pipeline.Person) { p.LastName = strings.Repeat("Abcdefghij-", 4) })},
		{"address-line-too-long", fr(func(p *pipeline.Person) { p.Country, p.City = "DE", strings.Repeat("Neustadt ", 5) })},
		{"address-too-many-lines", fr(func(p *pipeline.Person) {
			p.Address = []string{"12 rue de l'Avenir tout en haut", "13 rue du Passé tout en bas", "14 rue du Présent au milieu", "15 rue du Temps qui passe", "BP 12"}
		})},
		{"no-postcode", fr(func(p *pipeline.Person) { p.Country, p.Postcode = "DE", "" })},
	} {
		lines, err := press.Address(x.who)
		if pipeline.ErrorCode(err) != x.code {
			t.Errorf("want %s, got %v %q", x.code, err, lines)
		}
		if press.Printable(x.who) == nil {
			t.Errorf("%s: Printable says yes", x.code)
		}
	}
}

func TestPostcodeForms(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"75001": "75001", "1000": "01000", " 01 000 ": "01000", "FR-13001": "13001", "97150": "97150", "98000": "98000", "20137": "20137", "00100": "00100",
		"99138": "", "2B033": "", "123": "", "123456": "", "97900": "", "98100": "", "00000": "", "": "", "ABCDE": "", "0100": "", "１２３４５": "",
	} {
		got, ok := frenchPostcode(given)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", given, got, ok, want)
		}
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	if len(countries) != 250 {
		t.Errorf("%d countries; ISO 3166-1 has 249, and Kosovo", len(countries))
	}
	if !slices.IsSortedFunc(countries, func(a, b country) int { return strings.Compare(a.code, b.code) }) {
		t.Error("the table is not in order of codes")
	}
	for _, c := range countries {
		for _, name := range []string{c.fr, c.en} {
			if name == "" || utf8.RuneCountInString(name) > maxLine || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ'-() ") != "" {
				t.Errorf("%s: %q", c.code, name)
			}
		}
	}
}

func TestSortKey(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	order := []pipeline.Person{
		{LastName: "A", Address: []string{"9 rue des Lilas"}, Postcode: "1000", City: "Bourg"},
		{LastName: "B", Address: []string{"10 rue des Lilas"}, Postcode: "01000", City: "Bourg"},
		{LastName: "C", Address: []string{"1 rue des Roses"}, Postcode: "01000", City: "Bourg"},
		{LastName: "D", Address: []string{"1 rue A"}, Postcode: "75001", City: "Paris"},
		{LastName: "E", Address: []string{"1 rue A"}, Postcode: "97400", City: "Saint-Denis", Country: "RE"},
		{LastName: "F", Address: []string{"1 rue A"}, Postcode: "98000", City: "Monaco", Country: "MC"},
		{LastName: "G", Address: []string{"1 rue A"}, Postcode: "1000", City: "Bruxelles", Country: "BE"},
		{LastName: "H", Address: []string{"Weg 1"}, Postcode: "10115", City: "Berlin", Country: "DE"},
	}
	last := ""
	for _, who := range order {
		a, err := press.Address(who)
		if err != nil {
			t.Fatal(err)
		}
		key := SortKey("", who, a)
		if key <= last {
			t.Errorf("%s sorts before the one above", who.LastName)
		}
		last = key
	}
}

// FuzzAddress holds every printable address to the norm, whatever the directory
// says.
func FuzzAddress(f *testing.F) {
	f.Add("Mme", "Jeanne", "Martin", "", "12 rue de la Paix", "Résidence A", "75002", "Paris", "FR")
	f.Add("M.", "J. P.", "O'Neil", "S.A. X", "BP 1\n2", "é\u0301\u202f", "1000", "Bourg CEDEX 9", "")
	f.Add("", "", "Ǽ ﬁ Œ", "", "1 rue", "\xff", "98000", "Monaco", "MC")
	f.Add("Mr", "A", "B", "C", "Flat 1", "Street", "NW1", "London", "GB")
	press := newPress(f, Config{})
	f.Fuzz(func(t *testing.T, title, first, last, company, a1, a2, code, city, to string) {
		lines, err := press.Address(pipeline.Person{Title: title, FirstName: first, LastName: last, Company: company, Address: []string{a1, a2}, Postcode: code, City: city, Country: to})
		if err != nil {
			if pipeline.ErrorCode(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if len(lines) < 2 || len(lines) > maxLines+1 {
			t.Fatalf("%d lines", len(lines))
		}
		french := frenchPost(strings.ToUpper(strings.TrimSpace(to))) || strings.TrimSpace(to) == ""
		for i, l := range lines {
			if l == "" || utf8.RuneCountInString(l) > maxLine || strings.ContainsAny(l, "\n\r\t") || strings.Contains(l, "  ") || l != strings.TrimSpace(l) {
				t.Fatalf("line %d: %q", i+1, l)
			}
			if french && strings.Trim(l, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -'&/+@") != "" {
				t.Fatalf("line %d of a French address: %q", i+1, l)
			}
		}
		if last := lines[len(lines)-1]; french && strings.Trim(last, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") != "" {
			t.Fatalf("locality %q", last)
		}
	})
}
