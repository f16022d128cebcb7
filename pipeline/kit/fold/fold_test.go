package fold_test

import (
	"testing"

	"github.com/art34/art34/pipeline/kit/fold"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"Été  à Œuvre":                 "ete a oeuvre",
		"e\u0301te\u0301":              "ete",
		"L’accès, « à vos données » !": "l acces a vos donnees",
		"L'accès":                      "l acces",
		"ﬁn\u00a0de\u202fphrase":       "fin de phrase",
		"co\u00adopé\u200bration":      "cooperation",
		"７KQ2-M9XD":                    "7kq2 m9xd",
		"straße\xff":                   "strasse",
		"  …  ":                        "",
		"\u202eabc":                    "abc",
	} {
		if got := fold.Words(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestHoldsWholeWords(t *testing.T) {
	t.Parallel()
	text := fold.Words("Vos données ont été exposées.")
	for part, want := range map[string]bool{"données ont": true, "ont été exposées": true, "nées ont": false, "exposées vos": false, "": true} {
		if got := fold.Holds(text, fold.Words(part)); got != want {
			t.Errorf("%q: %t", part, got)
		}
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	if got := fold.Digits("+33 (0)8.05 ９"); got != "3308059" {
		t.Error(got)
	}
}
