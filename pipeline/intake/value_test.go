package intake

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

func testChecker() *checker {
	return newChecker(&Config{Spec: testSpec(), Limits: DefaultLimits(), OwnDomains: []string{"Telecom.Example.FR"}, KnownKinds: []string{"identity"}})
}

// found returns the codes of the last check.
func (k *checker) found() string {
	var list []string
	for _, f := range k.f.list {
		list = append(list, f.code.String())
	}
	k.f.reset()
	return strings.Join(list, " ")
}

func TestEmail(t *testing.T) {
	t.Parallel()
	local64 := strings.Repeat("a", 60) + "bcde"
	domain := strings.Repeat("d", 61) + "." + strings.Repeat("e", 61) + "." + strings.Repeat("f", 57) + ".example" // 189
	for in, want := range map[string]string{
		"":                                   "",
		"amelie@orange.example":              "amelie@orange.example",
		" Amelie.D+tag@ORANGE.Example\u00a0": "Amelie.D+tag@orange.example",
		"o'neill_x-1@free.example":           "o'neill_x-1@free.example",
		"{a|b}~`$%&*!?^=/#@free.example":     "{a|b}~`$%&*!?^=/#@free.example",
		"jean@exämple.test":                  "jean@xn--exmple-cua.test",
		"jean@XN--EXMPLE-CUA.test":           "jean@xn--exmple-cua.test",
		`"jean.martin"@free.example`:         "jean.martin@free.example",
		"jean@free.example.":                 "jean@free.example email-tidied",
		"jean@free.example,":                 "jean@free.example email-tidied",
		"<jean@free.example>":                "jean@free.example email-tidied",
		"MAILTO:jean@free.example":           "jean@free.example email-tidied",
		`"Martin, Jean" <jean@free.example>`: "jean@free.example email-name",
		local64 + "@orange.example":          local64 + "@orange.example",
		local64 + "x@orange.example":         "email-long",
		local64 + "@" + domain:               local64 + "@" + domain,
		local64 + "@x" + domain:              "email-long",
		"NULL":                               "null-text",
		"-":                                  "null-text",
		"jean":                               "email-syntax",
		"jean@":                              "email-syntax",
		"@free.example":                      "email-syntax",
		"jean@free@free.example":             "email-syntax",
		"jean(x)@free.example":               "email-syntax",
		"jean,martin@free.example":           "email-syntax",
		"jean martin@free.example":           "email-space",
		"jean@free .example":                 "email-space",
		"jean@free\texample":                 "email-space",
		"jean@free.example jean@x.example":   "email-several",
		"a@x.example;b@x.example":            "email-several",
		"a@x.example/b@x.example":            "email-several",
		".jean@free.example":                 "email-dots",
		"jean.@free.example":                 "email-dots",
		"je..an@free.example":                "email-dots",
		"jean@free..example":                 "email-domain",
		"jean@free":                          "email-domain",
		"jean@-free.example":                 "email-domain",
		"jean@192.0.2.1":                     "email-domain",
		"jean@fr_ee.example":                 "email-domain",
		"jean@[192.0.2.1]":                   "email-literal",
		"jéan@free.example":                  "email-non-ascii",
		`"jean martin"@free.example`:         "email-quoted",
		`"je\"an"@free.example`:              "email-quoted",
		"nomail@free.example":                "email-placeholder",
		"Pas.De.Mail@free.example":           "email-placeholder",
		"no-reply@free.example":              "email-placeholder",
		"inconnu":                            "null-text",
		"aucun":                              "email-placeholder",
		"xxx@xxx.example":                    "email-placeholder",
		"000@free.example":                   "email-placeholder",
		"jean@nomail.example":                "email-placeholder",
		"jean@somewhere.invalid":             "email-placeholder",
		"jean@telecom.example.fr":            "email-own-domain",
		"jean@shop.telecom.example.fr":       "email-own-domain",
		"jean@nottelecom.example.fr":         "jean@nottelecom.example.fr",
		"test@orange.example":                "test@orange.example",
		"jean@\xff.example":                  "encoding",
	} {
		k := testChecker()
		got := strings.TrimSpace(k.email([]byte(in), "email") + " " + k.found())
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzEmail: whatever is let through can be handed to a relay as it is.
func FuzzEmail(f *testing.F) {
	for _, s := range []string{"a@b.example", `"a b"@c.example`, "A <a@b.example>", "é@b.example", "a@é.example", "a@b.example, c@d.example", "mailto:a@b.example.", "a@[1.2.3.4]", strings.Repeat("a", 65) + "@b.example"} {
		f.Add(s)
	}
	k := testChecker()
	f.Fuzz(func(t *testing.T, in string) {
		k.f.reset()
		got := k.email([]byte(in), "email")
		if got == "" {
			if in != "" && strings.TrimFunc(in, func(r rune) bool { return !utf8.ValidRune(r) || spaces(string(r)) == "" }) != "" && len(k.f.list) == 0 {
				t.Fatalf("%q is gone without a finding", in)
			}
			return
		}
		wire, err := idna.ToASCII(got)
		if err != nil || wire != got {
			t.Fatalf("%q became %q, on the wire %q: %v", in, got, wire, err)
		}
		if strings.ContainsAny(got, " \t\r\n<>\"(),:;\\[]") || strings.Count(got, "@") != 1 || len(got) > 254 {
			t.Fatalf("%q became %q", in, got)
		}
		if again := k.email([]byte(got), "email"); again != got {
			t.Fatalf("%q became %q and then %q", in, got, again)
		}
	})
}

func TestPhone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, country, want string }{
		{"06 39 98 10 01", "FR", "+33639981001"},
		{"06.39.98.10.01", "", "+33639981001"},
		{"06/39/98/10/01", "FR", "+33639981001"},
		{"+33 6 39 98 10 01", "GB", "+33639981001"},
		{"+33 (0)6 39 98 10 01", "FR", "+33639981001"},
		{"0033639981001", "FR", "+33639981001"},
		{"33639981001", "FR", "+33639981001"},
		{"0639981001.0", "FR", "+33639981001 number-decimal"},
		{`="0639981001"`, "FR", "+33639981001 excel-quoted"},
		{"639981001", "FR", "+33639981001 phone-zero"},
		{"0199001001 ou 0639981001", "FR", "phone-unfit"},
		{"0199001001 / 0639981001", "FR", "+33199001001 phone-several"},
		{"020 7946 0018", "GB", "+442079460018"},
		{"06 39 98 10 01", "GB", "+33639981001"},
		{"030 23125 015", "DE", "+493023125015"},
		{"0692 12 34 56", "RE", "+262692123456"},
		{"6,39E+08", "FR", "phone-mangled"},
		{"12", "FR", "phone-unfit"},
		{"00", "FR", "phone-unfit"},
		{"call me", "FR", "phone-unfit"},
		{"-", "FR", "null-text"},
		{strings.Repeat("1", 41), "FR", "phone-unfit"},
	} {
		k := testChecker()
		if got := strings.TrimSpace(k.phone([]byte(c.in), "phone", c.country) + " " + k.found()); got != c.want {
			t.Errorf("%q in %s: %q, want %q", c.in, c.country, got, c.want)
		}
	}
}

// FuzzPhone: the result is E.164, and the fast way agrees with the long one.
func FuzzPhone(f *testing.F) {
	for _, s := range []string{"06 39 98 10 01", "0033639981001", "+33199001001", "639981001", "+1 (202) 555-0100", "0199001001/0639981001"} {
		f.Add(s)
	}
	k := testChecker()
	f.Fuzz(func(t *testing.T, in string) {
		got := k.phone([]byte(in), "phone", "FR")
		if got != "" && (got[0] != '+' || !digits(got[1:]) || len(got) > 18) {
			t.Fatalf("%q became %q", in, got)
		}
		if fast := frenchPhone(in, "FR"); fast != "" {
			if slow := e164(in, "FR"); slow != fast {
				t.Fatalf("%q: fast %q, slow %q", in, fast, slow)
			}
		}
	})
}

func TestDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-01-31": "2026-01-31", "31/01/2026": "2026-01-31", "31.01.2026": "2026-01-31", "31-01-2026": "2026-01-31", "2026/01/31": "2026-01-31", "20260131": "2026-01-31",
		"2026-01-31T10:00:00Z": "2026-01-31", "2026-01-31 10:00:00": "2026-01-31", "31/01/2026 10:00": "2026-01-31", "03/04/2026": "2026-04-03",
		"01/31/2026": "date-unfit", "2026-02-30": "date-unfit", "31/01/26": "date-unfit", "yesterday": "date-unfit", "46053": "date-unfit", "0001-01-01": "date-unfit", "NULL": "null-text",
	} {
		k := testChecker()
		if got := strings.TrimSpace(k.date([]byte(in), "email_date") + " " + k.found()); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	k := testChecker()
	k.spreadsheet = true
	for in, want := range map[string]string{"46053": "2026-01-31", "46053.5": "2026-01-31", "12": "date-unfit", "999999999": "date-unfit"} {
		if got := strings.TrimSpace(k.date([]byte(in), "email_date") + " " + k.found()); got != want {
			t.Errorf("day %q: %q, want %q", in, got, want)
		}
	}
}

func TestSmallValues(t *testing.T) {
	t.Parallel()
	k := testChecker()
	text := func(s string) []byte { return []byte(s) }
	for _, c := range []struct{ got, want string }{
		{k.locale(text("fr_FR"), ""), "fr-fr"}, {k.locale(text("EN"), ""), "en"}, {k.locale(text("f"), ""), ""}, {k.locale(text("français"), ""), ""},
		{k.format(text("Large Print"), ""), "large-print"}, {k.format(text("STANDARD"), ""), ""}, {k.format(text("gros caractères"), ""), "large-print"}, {k.format(text("audio"), ""), "audio"},
		{k.flags(text("VIP; no_email,vip|protected adult"), ""), "no-email|protected-adult|vip"},
		{k.country(text("France"), ""), "FR"}, {k.country(text("fra"), ""), "FR"}, {k.country(text("DEUTSCHLAND"), ""), "DE"}, {k.country(text("États-Unis"), ""), "US"}, {k.country(text("royaume uni"), ""), "GB"},
		{k.country(text("UK"), ""), "GB"}, {k.country(text("La Réunion"), ""), "RE"}, {k.country(text("Côte d'Ivoire"), ""), "CI"}, {k.country(text("España"), ""), "ES"}, {k.country(text("be"), ""), "BE"}, {k.country(text("XX"), ""), ""},
		{k.postcode(text("75 011"), "", "FR"), "75011"}, {k.postcode(text("F-75011"), "", ""), "75011"}, {k.postcode(text("1000.0"), "", "FR"), "01000"}, {k.postcode(text("'01000"), "", "FR"), "01000"},
		{k.postcode(text("1000"), "", "BE"), "1000"}, {k.postcode(text("sw1a 1aa"), "", "GB"), "sw1a 1aa"}, {k.postcode(text("97400"), "", "RE"), "97400"},
		{area("FR", "35000"), "35"}, {area("RE", "97400"), "97"}, {area("MC", "98000"), "98"}, {area("DE", "10117"), ""}, {area("FR", "350"), ""},
		{k.clean(text("  a\u00a0 b\r\nc\u200b "), "", false), "a b c"}, {k.clean(text("e\u0301te\u0301"), "", false), "été"}, {k.clean(text("Null"), "", true), "Null"}, {k.clean(text("Null"), "", false), ""},
		{k.clean(text("a\u202eb\u2066c"), "", false), "abc"}, {k.clean(text("שלום"), "", true), "שלום"}, {k.clean(text("👩\u200d👧"), "", true), "👩\u200d👧"},
		{k.clean(text("RÃ©mi MÃ¼ller"), "", true), "Rémi Müller"}, {k.clean(text("Ângelo"), "", true), "Ângelo"}, {k.clean(text("lâche Â"), "", true), "lâche Â"},
		{foldID(" ab\u00a0１2\u200b "), "AB12"}, {foldNumber("ab-12.3/x"), "AB123X"}, {foldText("L’Hermitte-Œuvrard ß"), "lhermitteoeuvrardss"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestMangledNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"6.12E+08": true, "6,12E+08": true, "1E+11": true, "1.5e10": true, "-1.2E-05": true, "12E05": false, "E12": false, "1E": false, "A1E+5": false, "1.2.3E+5": false, "12.5E+3": false, "FR1E+5": false, "": false,
	} {
		if got := rounded(in); got != want {
			t.Errorf("rounded(%q) = %v", in, got)
		}
	}
	for in, want := range map[string]bool{
		"2026-01-12 00:00:00": true, "2026-01-12": true, "12/01/2026": true, "12-janv": true, "janv-12": true, "Jan-26": true, "12-Jan-2026": true, "1-août": true,
		"12-345": false, "MARS-2": true, "MARS": false, "2026-0112": false, "2026-01-12-X": false, "AB-12-CD": false, "20260112": false, "123-456-789": false, "mai-juin": false,
	} {
		if got := dated(in); got != want {
			t.Errorf("dated(%q) = %v", in, got)
		}
	}
}

func TestSameName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Amélie Dubreuil", "DUBREUIL Amelie", true}, {"Jean-Pierre Martin", "Jean Martin", true}, {"Marie Dupont", "Marie Dupont-Martin", true}, {"J. Dupont", "Jean Dupont", true},
		{"Dupont", "Jean Dupont", true}, {"O'Neil", "ONEIL", true}, {"De La Tour", "Delatour", true}, {"Nguyễn Thị", "NGUYEN THI", true}, {"Œuvrard Luc", "Luc OEUVRARD", true},
		{"Jean Dupont", "Marie Dupont", false}, {"Jean Dupont", "Jean Durand", false}, {"J", "Jean", false}, {"Boulangerie Aux Deux Épis", "Garage du Rond-Point", false}, {"", "Jean", true},
	} {
		if got := sameName(c.a, c.b); got != c.same {
			t.Errorf("sameName(%q, %q) = %v", c.a, c.b, got)
		}
		if got := sameName(c.b, c.a); got != c.same {
			t.Errorf("sameName(%q, %q) = %v", c.b, c.a, got)
		}
	}
}

func TestQueryKeys(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(1 << 40)
	p := pipeline.Person{CustomerIDs: []string{"C-10 01", "X2"}, LastName: "de La Tour", Company: "Aux Deux Épis", Email: "Jean@xn--exmple-cua.test", Phone: "+33639981001", Postcode: "SW1A 1AA",
		Reference: ref, Contracts: []pipeline.Contract{{ID: "M/77"}}}
	keys := SearchKeys(p)
	for _, q := range []string{"c1001", "C-10 01", "X2", "m77", "jean@exämple.test", "<JEAN@EXÄMPLE.TEST>", "06 39 98 10 01", "+33639981001", "0033 639981001", ref.String(), strings.ToLower(ref.String()), "DE LA TOUR SW1A 1AA",
		"Jean de la Tour sw1a1aa", "SW1A1AA delatour", "delatour Jean SW1A 1AA", "aux deux epis sw1a 1aa"} {
		if !slices.ContainsFunc(QueryKeys(q), func(k Key) bool { return slices.Contains(keys, k) }) {
			t.Errorf("%q finds nothing: %v of %v", q, QueryKeys(q), keys)
		}
	}
	for _, q := range []string{"", "  ", "c100", "TOUR 75001", strings.Repeat("x", 400)} {
		if slices.ContainsFunc(QueryKeys(q), func(k Key) bool { return slices.Contains(keys, k) }) {
			t.Errorf("%q finds somebody", q)
		}
	}
}

// TestFits: a first name that is said has to agree.
func TestFits(t *testing.T) {
	t.Parallel()
	p := pipeline.Person{FirstName: "Jean-Pierre", LastName: "de La Tour", Postcode: "SW1A 1AA", Company: "Aux Épis"}
	for q, want := range map[string]bool{
		"de la tour SW1A 1AA": true, "Jean de la Tour sw1a1aa": true, "jean pierre delatour SW1A 1AA": true, "J. de La Tour SW1A 1AA": true, "SW1A1AA delatour Pierre": true, "aux epis SW1A 1AA": true,
		"M. de la Tour SW1A 1AA": true, "Madame Jean de La Tour SW 1A 1AA": true, "Mme Paul de La Tour SW1A 1AA": false,
		"Paul de la Tour SW1A 1AA": false, "P. X. de la Tour SW1A 1AA": false,
	} {
		if got := Fits(q, p); got != want {
			t.Errorf("%q: %v", q, got)
		}
	}
	if !Fits("Jean Dupont 75001", pipeline.Person{LastName: "Dupont", Postcode: "75001"}) {
		t.Error("a person without a first name is not found with one")
	}
}

// TestMisheard: what tired fingers type leads to the same customer; what means
// somebody else does not.
func TestMisheard(t *testing.T) {
	t.Parallel()
	p := pipeline.Person{CustomerIDs: []string{"D70001106", "FIO9"}, FirstName: "Zoé", LastName: "Le Goff", Email: "zoe@free.test", Phone: "+33639988032", Postcode: "53000", Contracts: []pipeline.Contract{{ID: "TNM100000790"}}}
	keys := SearchKeys(p)
	leads := func(list []Key) bool {
		return slices.ContainsFunc(list, func(k Key) bool { return slices.Contains(keys, k) })
	}
	for _, q := range []string{"D7OOO11O6", "d7ooo lI06", "TNM1OOOOO79O", "O6 39 98 8O 32", "goff 53000", "53000 goff", "zoé@free.test", "zoé arobase free.test"} {
		if leads(QueryKeys(q)) || !leads(Misheard(q)) {
			t.Errorf("%q: %v", q, Misheard(q))
		}
	}
	for _, q := range []string{"zoe @ free.test", "zoe arobase free.test", "zoe(at)free.test", "LE GOFF 53 000", "53 000 le goff"} {
		if !leads(QueryKeys(q)) {
			t.Errorf("%q finds nobody", q)
		}
		if !strings.Contains(q, "free") && !Fits(q, p) {
			t.Errorf("%q does not fit", q)
		}
	}
	for _, q := range []string{"", "D7OOO1107", "goff 53001", "martin 53000", "FI09", "at", "O", strings.Repeat("O", 400)} {
		if leads(Misheard(q)) {
			t.Errorf("%q finds somebody: %v", q, Misheard(q))
		}
	}
}

func FuzzMisheard(f *testing.F) {
	f.Add("D7OOO11O6")
	f.Add("le goff 53 OOO")
	f.Add("é arobase b")
	f.Fuzz(func(t *testing.T, in string) {
		for _, k := range Misheard(in) {
			if k.Kind == "" || k.Value == "" {
				t.Fatalf("%q: empty key %v", in, k)
			}
		}
	})
}

func FuzzQueryKeys(f *testing.F) {
	f.Add("Jean Dupont 75001")
	f.Add("a@b@c")
	f.Fuzz(func(t *testing.T, in string) {
		for _, k := range QueryKeys(in) {
			if k.Kind == "" || k.Value == "" {
				t.Fatalf("%q: empty key %v", in, k)
			}
		}
	})
}
