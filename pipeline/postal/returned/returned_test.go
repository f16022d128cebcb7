package returned

import (
	"fmt"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal"
)

func shipped(t testing.TB) Names {
	t.Helper()
	n, err := NewNames(nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Only what says that the address is bad does: the four reasons of the French label,
// no reason, and every other one.
func TestReasons(t *testing.T) {
	t.Parallel()
	names := shipped(t)
	for text, want := range map[string]string{
		"Défaut d'accès ou d'adressage":         AccessOrAddress,
		"DEFAUT D’ACCES OU D’ADRESSAGE":         AccessOrAddress,
		"Destinataire inconnu à l'adresse":      UnknownAtAddress,
		"2 - Destinataire inconnu à l’adresse.": UnknownAtAddress,
		"NPAI":                           UnknownAtAddress,
		"Pli refusé par le destinataire": Refused,
		"refusé":                         Refused,
		"Pli avisé et non réclamé":       Unclaimed,
		"Pli non réclamé":                Unclaimed,
		"avisé non réclamé":              Unclaimed,
		"":                               NotStated,
		"Non renseigné":                  NotStated,
		"PND":                            NotStated,
		"Parti sans laisser d'adresse":   "moved",
		"Déménagé / parti":               "",
		"Verzogen":                       "moved",
		"Insufficient address":           "insufficient-address",
		"adresse inexistante":            "no-such-address",
		"Décédé":                         "deceased",
		"entreprise fermée":              "company-closed",
		"Unbekannt":                      UnknownAtAddress,
		"unknown-at-address":             UnknownAtAddress,
		"non admis":                      "not-admitted",
		"emporté par le vent":            "",
		"inconnu au bataillon":           "",
		"2":                              "",
		"=cmd|' /C calc'!A0":             "",
	} {
		r, ok := names.Parse(text)
		if ok != (want != "") || r.Code != want {
			t.Errorf("%q: %q %v, want %q", text, r.Code, ok, want)
		}
	}
	bad := map[string]bool{AccessOrAddress: true, UnknownAtAddress: true, "moved": true, "insufficient-address": true, "no-such-address": true}
	owner := map[string]string{}
	for _, r := range Reasons() {
		if r.Bad != bad[r.Code] || (r.Outcome() == pipeline.Dead) != r.Bad {
			t.Errorf("%s: bad %v", r.Code, r.Bad)
		}
		for _, text := range append(r.names, r.Code, r.English, r.French) {
			got, ok := names.Parse(text)
			if !ok || got.Code != r.Code {
				t.Errorf("%q of %s is read as %q", text, r.Code, got.Code)
			}
			if o := owner[text]; o != "" && o != r.Code {
				t.Errorf("%q is of %s and of %s", text, o, r.Code)
			}
			owner[text] = r.Code
		}
	}
	own, err := NewNames(map[string]string{"3": "refusé", "Autre": "moved"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"3": Refused, "autre": "moved", "npai": UnknownAtAddress} {
		if r, _ := own.Parse(text); r.Code != want {
			t.Errorf("%q: %s", text, r.Code)
		}
	}
	if _, err := NewNames(map[string]string{"3": "whatever"}); pipeline.ErrorCode(err) != "reason-unknown" {
		t.Error(err)
	}
}

func TestParseLetter(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(123456789012345)
	code := postal.Code{Reference: ref, Attempt: 2, Page: 1, Pages: 3}.String()
	second := postal.Code{Reference: ref, Attempt: 2, Page: 2, Pages: 3}.String()
	for text, want := range map[string]Letter{
		ref.String(): {Reference: ref}, strings.ToLower(ref.Compact()): {Reference: ref}, " " + ref.String() + "\r\n": {Reference: ref}, `"` + ref.String() + `"`: {Reference: ref},
		code: {Reference: ref, Attempt: 2}, "]d2" + code + "\t": {Reference: ref, Attempt: 2}, "]d1" + strings.ToLower(code): {Reference: ref, Attempt: 2},
		"\x02" + second + "\x03\r": {Reference: ref, Attempt: 2}, "]d2\x1d" + code: {Reference: ref, Attempt: 2}, "\ufeff" + code: {Reference: ref, Attempt: 2},
	} {
		got, err := ParseLetter(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	wrong := []byte(ref.Compact())
	wrong[3] = map[bool]byte{true: '1', false: '0'}[wrong[3] == '0']
	swapped := []byte(ref.Compact())
	swapped[4], swapped[5] = swapped[5], swapped[4]
	misread := []byte(code)
	misread[7] = map[bool]byte{true: '1', false: '0'}[misread[7] == '0']
	for text, want := range map[string]string{
		"": "letter-missing", "\r": "letter-missing", string(wrong): "reference-check", string(swapped): "reference-check", string(misread): "scan-misread",
		ref.Compact()[:11]: "reference-length", "7KQ2": "reference-length", "ARLAPOSTE;01;000000000": "scan-foreign", "%0100000000000000000000000000": "scan-foreign",
		"UUUUUUUUUUUU": "reference-length", "Mme Martin": "reference-length", french(code): "scan-keyboard",
	} {
		if _, err := ParseLetter(text); err == nil || err.Code != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		} else if strings.Contains(err.Error(), text) && text != "" {
			t.Errorf("the error repeats %q", text)
		}
	}
}

// french types a code as a scanner set to an American keyboard does on a French
// computer.
func french(code string) string {
	m := map[rune]rune{'A': 'Q', 'Q': 'A', 'Z': 'W', 'W': 'Z', 'M': '?'}
	for d, f := range []rune("&é\"'(-è_çà") {
		m[rune('0'+(d+1)%10)] = f
	}
	return strings.Map(func(r rune) rune {
		if to, ok := m[r]; ok {
			return to
		}
		return r
	}, code)
}

// show writes an entry as "line:letter/attempt reason date bag" or "line!code".
func show(l *List) string {
	var s []string
	for _, e := range l.Entries {
		if e.Err != nil {
			s = append(s, fmt.Sprintf("%d!%s", e.Line, e.Err.Code))
			continue
		}
		reason := "-"
		if e.Reason != nil {
			reason = e.Reason.Code
		}
		if e.Unmapped {
			reason += "?"
		}
		x := fmt.Sprintf("%d:%s/%d %s", e.Line, e.Letter, e.Attempt, reason)
		if !e.On.IsZero() {
			x += " " + e.On.Format("2006-01-02")
		}
		if e.Bag != "" {
			x += " " + e.Bag
		}
		s = append(s, x)
	}
	return strings.Join(s, ", ")
}

func TestReadLists(t *testing.T) {
	t.Parallel()
	a, b := pipeline.NewReference(1), pipeline.NewReference(2)
	code := postal.Code{Reference: b, Attempt: 3, Page: 1, Pages: 1}.String()
	for name, x := range map[string]struct{ in, want string }{
		"English":  {"letter_ref,reason,date,bag\n" + a.String() + ",refused,2026-02-03,12\n", fmt.Sprintf("2:%s/0 refused 2026-02-03 12", a)},
		"Latin":    {"Nom;R\xe9f\xe9rence courrier;Motif PND;Date retour;Sac\nX;" + a.String() + ";Pli non r\xe9clam\xe9;03/02/2026 10:15;S-1\n", fmt.Sprintf("2:%s/0 unclaimed 2026-02-03 S-1", a)},
		"symbols":  {"scanned_at,datamatrix,motif\n2026-02-03T10:15:00Z,]d2" + code + ",\n", fmt.Sprintf("2:%s/3 - 2026-02-03", b)},
		"runs":     {"run_id\tseq\tmotif\nR000042\t17\tNPAI\n42\t18\tX\n", "2:letter 17 of R000042/0 unknown-at-address, 3:letter 18 of R000042/0 other?"},
		"both":     {"letter_ref,datamatrix\n" + b.String() + "," + code + "\n" + a.String() + "," + code + "\n", fmt.Sprintf("2:%s/3 -, 3!letter-two", b)},
		"no head":  {a.String() + "\n\n]d2" + code + "\n", fmt.Sprintf("1:%s/0 -, 3:%s/3 -", a, b)},
		"reasons":  {a.String() + ";refusé\n" + code + ";NPAI;2026-02-03\n", fmt.Sprintf("1:%s/0 refused, 2:%s/3 unknown-at-address 2026-02-03", a, b)},
		"repeated": {"letter_ref,reason\n" + a.String() + ",\nletter_ref,reason\n" + b.String() + ",\n", fmt.Sprintf("2:%s/0 -, 4:%s/0 -", a, b)},
		"hostile": {"letter_ref;motif;date;sac\n=1+1;refusé;;\n" + a.String() + ";=cmd|calc;;\n" + a.String() + ";refusé;31/02/2026;\n" + a.String() + ";refusé;;<script>\n" +
			a.String() + ";\"refusé;;\n;refusé;;\n" + a.String() + ";ref\x00use;;\n" + strings.Repeat("x", 17<<10) + ";;;\n" + b.String() + ";refusé;;ok\n",
			fmt.Sprintf("2!reference-length, 3:%s/0 other?, 4!date-invalid, 5!bag-invalid, 6!row-quote, 7!letter-missing, 8!row-control, 9!row-long, 10:%s/0 refused ok", a, b)},
	} {
		l, err := Read(strings.NewReader(x.in), shipped(t))
		if err != nil || show(l) != x.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, show(l), x.want)
		}
	}
	for in, want := range map[string]string{
		"": "is empty", "PK\x03\x04": "workbook", "Nom;Motif\nX;refusé\n": "says which letter", "letter_ref,reference\n" + a.String() + ",x\n": "mean the same",
		"letter_ref,reason\n": "no row", strings.Repeat("\x00\x01\x00", 99): "not text",
	} {
		if _, err := Read(strings.NewReader(in), shipped(t)); pipeline.ErrorCode(err) != "list-invalid" || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", in, err, want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	a := pipeline.NewReference(1)
	for text, want := range map[string]string{
		a.String(): a.String() + "/0 -", a.String() + ";refusé": a.String() + "/0 refused", "]d2" + a.String() + "\tNPAI\r": a.String() + "/0 unknown-at-address",
		"ARLAPOSTE;01;0000": "!scan-foreign", "7KQ2": "!reference-length",
	} {
		e, alone := Line(1, text, shipped(t))
		if got := strings.TrimPrefix(show(&List{Entries: []Entry{e}}), "1"); alone || strings.TrimPrefix(got, ":") != want {
			t.Errorf("%q: %s %v, want %s", text, got, alone, want)
		}
	}
	if e, alone := Line(1, "Pli refusé par le destinataire\r", shipped(t)); !alone || e.Reason.Code != Refused {
		t.Error(e, alone)
	}
	if _, alone := Line(1, "", shipped(t)); alone {
		t.Error("an empty line is no reason")
	}
	for head, want := range map[string]bool{"letter_ref,reason": true, "run_id;seq": true, "run_id;motif": false, a.String(): false, "": false, "\"": false} {
		if IsHead(head) != want {
			t.Errorf("%q", head)
		}
	}
}

func FuzzList(f *testing.F) {
	a := pipeline.NewReference(1).String()
	for _, s := range []string{"letter_ref;motif\n" + a + ";refusé", a + "\n]d2A34", "run_id,seq\nR1,2", "\xff\xfea\x00"} {
		f.Add(s)
	}
	names := shipped(f)
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Read(strings.NewReader(s), names)
		if (err == nil) != (l != nil) {
			t.Fatal(err)
		}
		Line(1, s, names)
		IsHead(s)
		if err != nil {
			return
		}
		for _, e := range l.Entries {
			if e.Err == nil && e.Reference == "" && (e.Run < 1 || e.Seq < 1) {
				t.Fatalf("%+v names no letter", e)
			}
		}
	})
}
