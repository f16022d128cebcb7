package console_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestCountryOfACorrection: an address that names no country is at home, and a name is no
// other country than its code.
func TestCountryOfACorrection(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who, leo := t.Context(), w.cell(), agent(c), asker(c, "leo", "lead")
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	old := console.Address{Lines: []string{"4 rue des Lilas"}, Postcode: "75011", City: "Paris", Country: "FR"}
	for i, x := range []struct {
		old     console.Address
		country string
		want    console.AddressRow
	}{
		{old, "", console.AddressRow{Part: "country", Old: "FR", New: "FR"}},
		{old, "France", console.AddressRow{Part: "country", Old: "FR", New: "France"}},
		{old, "BE", console.AddressRow{Part: "country", Old: "FR", New: "BE", Different: true}},
		{console.Address{}, "France", console.AddressRow{Part: "country", New: "France", Different: true}},
	} {
		w.crowd.by["muguet/C0001234"].home = x.old
		w.must(k.Propose(ctx, who, call.ID, console.Address{Lines: []string{"9 rue Haute"}, Postcode: "1000", City: "Ville", Country: x.country}, "moved"))
		d, err := k.Proposal(ctx, leo, int64(i+1))
		w.must(err)
		if !slices.Contains(d.Rows, x.want) {
			t.Errorf("%q: %+v, want %+v", x.country, d.Rows, x.want)
		}
	}
}

// TestEarlierCallsSaySomething: a look-up that nobody ended is no earlier call; one that
// was ended, passed on or noted is.
func TestEarlierCallsSaySomething(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	verified := func() int64 {
		call := w.found(who, "C0001234")
		_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
		w.must(err)
		return call.ID
	}
	verified() // left alone
	ended, noted, passed := verified(), verified(), verified()
	w.must(k.Close(ctx, who, ended, "data", "answered", ""))
	w.must(k.Note(ctx, who, noted, "calls again tomorrow"))
	w.must(k.Escalate(ctx, who, passed, "press", "a journalist"))
	d, err := k.Case(ctx, who, verified())
	w.must(err)
	var got []int64
	for _, e := range d.Earlier {
		got = append(got, e.Call.ID)
	}
	if want := []int64{passed, noted, ended}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestQuestionsInTheLanguageOfThePage: they come first, whatever was brought in first.
func TestQuestionsInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	w.write(c, "bank", "en", "Were my bank details taken?", "No.", true, pipeline.ForCell)
	w.write(c, "bank", "fr", "Mon RIB a-t-il fui ?", "Non.", true, pipeline.ForCell)
	b := w.as("lea")
	first := func(body, one, other string) bool {
		i, j := strings.Index(body, one), strings.Index(body, other)
		return i >= 0 && j >= 0 && i < j
	}
	if a := b.get("/campaigns/muguet/qa"); !first(a.body, "Were my bank", "Mon RIB") {
		t.Errorf("in English: %s", a.body)
	}
	b.post("/language", "locale", "fr", "next", "/")
	if a := b.get("/campaigns/muguet/qa"); !first(a.body, "Mon RIB", "Were my bank") {
		t.Errorf("in French: %s", a.body)
	}
}
