package intake

import (
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestSuspectNames: what a mail reader would make a link of, and what it would not.
func TestSuspectNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"http://gain.example/x": true, "https:gain.example": true, "WWW.gain.example": true, "Dupont (gain-rapide.xyz)": true,
		"Cliquez sur gain.com/a": true, "jean@gain.fr": true, "Élégance.fr": true,
		"Dupont": false, "M. Dupont": false, "S.A.R.L. Martin": false, "St.Malo": false, "J.P. Le Net": false, "Nuage.fr Fibre": false, "www.nuage.fr": false,
		"Jean-Pierre.": false, "Fibre 2.0": false, "Société X. Com": false, "": false, "10:30": false, "Dupont.frère": false,
	} {
		c := &Config{Spec: &pipeline.Spec{Letters: pipeline.Letters{AllowLinks: []string{"www.nuage.fr"}}}}
		k := newChecker(c)
		k.suspect(text, "last_name")
		if got := k.has(suspectName); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestHeaderAgain: a header in mid-file is no customer, in either list, also with
// other columns.
func TestHeaderAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.must(someCustomers+"Customer ID,last_name\n", impactHead+"C1,M1,internet,identity,\n"+impactHead+"C2,M2,internet,identity,\n")
	if m := r.Import.Manifest; m.Defects["header-repeated"] != 2 || m.Population != 2 || m.Files[0].Rejected+m.Files[1].Rejected != 2 || m.Unmatched != 0 {
		t.Errorf("%+v", m)
	}
}

// TestDirectoryNeeded: of who was not concerned only a blind index is kept, so a
// later list needs the directory again, and says so.
func TestDirectoryNeeded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(someCustomers, impactHead+"C1,M1,internet,identity,\n")
	r, err := b.run("", impactHead+"C1,M1,internet,contact,\nC5,X5,internet,contact,\n")
	if pipeline.ErrorCode(err) != "directory-needed" || len(b.sink.imports) != 1 {
		t.Fatalf("%v", err)
	}
	if m := r.Import.Manifest; len(m.Files) != 1 || m.Files[0].Accepted != 2 || m.Unmatched != 1 {
		t.Errorf("%+v", m)
	}
	// Who has a notice needs none.
	if m := b.must("", impactHead+"C1,M1,internet,contact,\n").Import.Manifest; m.Supplements != 1 || m.Unmatched != 0 {
		t.Errorf("%+v", m)
	}
	b.config.MaxUnmatched = 1
	if m := b.must("", impactHead+"C5,X5,internet,contact,\n").Import.Manifest; m.Unmatched != 1 {
		t.Errorf("%+v", m)
	}
}
