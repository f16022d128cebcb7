package postal

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

// texts returns what stands on a page, in the order in which it was set.
func texts(f *fonts, pg page) []string {
	var out []string
	for i := range pg.ops {
		o := &pg.ops[i]
		if o.kind != opText {
			continue
		}
		var b strings.Builder
		for k := range len(o.text) {
			b.WriteRune(f.runes[o.plate][o.text[k]])
		}
		out = append(out, b.String())
	}
	return out
}

func laidOut(t testing.TB, press *Press, l *pipeline.Letter) *laid {
	t.Helper()
	it := item(t, press, l, person())
	out, err := press.layout(&it)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHeadOfATableIsRepeated(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	l := laidOut(t, press, frenchLetter(40))
	heads := 0
	for _, pg := range l.pages {
		all := strings.Join(texts(press.fonts, pg), "|")
		if strings.Contains(all, "\u00a0417\u00a0") {
			if !strings.Contains(all, "Données concernées") {
				t.Error("a page of the table has no head")
			}
			heads++
		}
	}
	if heads < 2 || len(l.pages) < 3 {
		t.Errorf("%d pages, %d of them with the table", len(l.pages), heads)
	}
	all := ""
	for _, pg := range l.pages {
		all += strings.Join(texts(press.fonts, pg), "|")
	}
	for i := range 40 {
		if want := fmt.Sprintf("00\u00a0%03d\u00a0417\u00a0%02d", 300+i*37, i+10); strings.Count(all, want) != 1 {
			t.Errorf("contract %s is there %d times", want, strings.Count(all, want))
		}
	}
}

// Large print has nothing in columns and nothing small but the registered line
// and the address, which the envelope's window bounds.
func TestLargePrint(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	l := laidOut(t, press, largeLetter())
	for _, pg := range l.pages {
		for i := range pg.ops {
			o := &pg.ops[i]
			if o.kind == opText && o.role == roleLetter && o.size < 14 && o.y < l.profile.Foot.Y {
				t.Errorf("%.1f points", o.size)
			}
		}
	}
	all := strings.Join(texts(press.fonts, l.pages[1]), "|")
	if !strings.Contains(all, "Contrat\u00a0: ") || !strings.Contains(all, "Offre\u00a0: ") {
		t.Errorf("the table is no list of values: %s", all)
	}
}

// A table too wide for the page becomes a list; nothing of it is lost.
func TestTableTooWide(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	l := frenchLetter(1)
	long := strings.Repeat("0123456789", 7)
	l.Blocks = append(l.Blocks, table([]string{"A", "B"}, []string{long, long + "X"}, []string{"petit", strings.Repeat("très ", 1500)}))
	out := laidOut(t, press, l)
	all := ""
	for _, pg := range out.pages {
		all += strings.Join(texts(press.fonts, pg), "")
	}
	if !strings.Contains(all, long+"X") || strings.Count(all, "très") != 1500 {
		t.Errorf("lost in the list: %d", strings.Count(all, "très"))
	}
}

func TestPagesBreakWell(t *testing.T) {
	t.Parallel()
	area := Box{0, 0, 100, 100}
	u := func(h float64, glue bool) unit { return unit{h: h, glue: glue} }
	heights := func(pages []page) int { return len(pages) }
	if n := heights(flow([]unit{u(50, false), u(50, false)}, area, area)); n != 1 {
		t.Errorf("what fits exactly takes %d pages", n)
	}
	if n := fill([]unit{u(40, false), u(40, false), u(40, true)}, 0, 100, true); n != 1 {
		t.Errorf("what stays together was divided after %d", n)
	}
	if n := fill([]unit{u(60, false), u(60, true), u(60, true)}, 0, 100, true); n != 1 {
		t.Errorf("what is taller than a page ends after %d", n)
	}
	if n := fill([]unit{u(150, false), u(10, false)}, 0, 100, true); n != 1 {
		t.Errorf("a unit taller than a page: %d", n)
	}
	wish := []unit{u(40, false), u(40, false), {h: 40, wish: true}, u(20, false)}
	if b := breaks(wish, area, area, true); !slices.Equal(b, []int{1, 4}) {
		t.Errorf("a wish that costs nothing was not granted: %v", b)
	}
	wish = append(wish, u(40, false), u(40, false), u(10, false))
	if b := breaks(wish, area, area, true); len(b) != 3 || len(flow(wish, area, area)) != 3 {
		t.Errorf("%v", b)
	}
	dear := []unit{u(30, false), u(60, false), {h: 60, wish: true}, u(40, false)}
	if len(breaks(dear, area, area, true)) != 3 || len(flow(dear, area, area)) != 2 {
		t.Error("a wish cost a page")
	}
	if n := len(flow(nil, area, area)); n != 1 {
		t.Errorf("an empty letter has %d pages", n)
	}
}

// Whatever the letter, what is laid out keeps to window, margins and foot: the
// press itself refuses the rest, and never panics.
func TestLayoutHolds(t *testing.T) {
	t.Parallel()
	presses := map[string]*Press{}
	for _, name := range []string{"fr-dl", "fr-c5", "c4", "din5008b", "govuk"} {
		presses[name] = newPress(t, Config{Profile: name, Origin: "FR"})
	}
	words := rapid.SampledFrom([]string{"un", "contrat", "00\u00a0312\u00a0417\u00a010", "anticonstitutionnellement", "é", "l’été\u00a0;", "Łódź", "\n", strings.Repeat("x", 120), "**", "Данные", "-", "(a)"})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(words, 0, 60).Draw(t, "words"), " ") })
	leaf := rapid.Custom(func(t *rapid.T) pipeline.Block {
		switch rapid.IntRange(0, 4).Draw(t, "leaf") {
		case 0:
			return h(text.Draw(t, "heading"))
		case 1:
			return pipeline.Block{Kind: pipeline.Divider}
		case 2:
			rows := rapid.SliceOfN(rapid.SliceOfN(text, 0, 5), 0, 8).Draw(t, "rows")
			return table(rows...)
		default:
			return p(text.Draw(t, "paragraph"))
		}
	})
	block := rapid.Custom(func(t *rapid.T) pipeline.Block {
		switch rapid.IntRange(0, 3).Draw(t, "block") {
		case 0:
			b := pipeline.Block{Kind: pipeline.List, Ordered: rapid.Bool().Draw(t, "ordered")}
			b.Items = rapid.SliceOfN(rapid.SliceOfN(leaf, 0, 3), 0, 5).Draw(t, "items")
			return b
		case 1:
			return note(rapid.SliceOfN(leaf, 0, 3).Draw(t, "note")...)
		default:
			return leaf.Draw(t, "leaf")
		}
	})
	who := person()
	rapid.Check(t, func(t *rapid.T) {
		l := frenchLetter(0)
		l.Subject = text.Draw(t, "subject")
		l.Blocks = rapid.SliceOfN(block, 0, 12).Draw(t, "blocks")
		if rapid.Bool().Draw(t, "large") {
			l.Format = pipeline.FormatLargePrint
		}
		for name, press := range presses {
			a, err := press.Address(who)
			if err != nil {
				t.Fatal(name, err)
			}
			it := Item{Notice: 1, Attempt: 1, Letter: l, Address: a}
			out, err := press.layout(&it)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			foot := out.profile.Foot
			for n, pg := range out.pages {
				body := out.profile.Next
				if n == 0 {
					body = out.profile.Body
				}
				for i := range pg.ops {
					o := &pg.ops[i]
					b := o.box(press.fonts)
					if o.kind == opText && b.Bottom() > body.Bottom()+tolerance && b.Y < foot.Y-tolerance {
						t.Fatalf("%s page %d: text between body and foot at %v", name, n+1, b)
					}
				}
			}
		}
	})
}

func FuzzLetter(f *testing.F) {
	f.Add("Objet", "un paragraphe", "00 123", "liste\nsuite")
	f.Add("\xff", "e\u0301\u0302", "漢", "\u202e\u0000")
	f.Add("a\u00a0b", strings.Repeat("é", 500), "…", "Łódź 😀")
	press := newPress(f, Config{})
	a, err := press.Address(person())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, subject, para, cell, entry string) {
		l := frenchLetter(1)
		l.Subject = subject
		l.Blocks = []pipeline.Block{p(para), table([]string{"A", cell}, []string{cell, para}), ul(entry, para), note(p(cell)), h(entry)}
		_, err := press.Measure(Item{Attempt: 1, Letter: l, Address: a})
		if err != nil && (pipeline.ErrorCode(err) == "" || pipeline.ErrorCode(err) == "layout-failed") {
			t.Fatal(err)
		}
	})
}

// No page ends between "as follows:" and what follows, nor between a heading and
// its text, nor before the last item of a list or the signature alone.
func TestWhatBelongsTogetherStaysTogether(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	for filler := range 40 {
		l := frenchLetter(0)
		l.Blocks = nil
		for i := range filler {
			l.Blocks = append(l.Blocks, p(fmt.Sprintf("Ligne %d.", i)))
		}
		l.Blocks = append(l.Blocks, h("Titre de la partie"), p("Voici la liste\u00a0:"), ul("premier point", "deuxième point", "dernier point"), p("Salutations distinguées."), p("**Nom**\nFonction"))
		on := map[string]int{}
		for n, pg := range laidOut(t, press, l).pages {
			for _, s := range texts(press.fonts, pg) {
				on[s] = n + 1
			}
		}
		for _, pair := range [][2]string{{"Titre de la partie", "Voici la liste\u00a0:"}, {"Voici la liste\u00a0:", "premier point"}, {"deuxième point", "dernier point"}, {"Salutations distinguées.", "Nom"}, {"Nom", "Fonction"}} {
			if on[pair[0]] == 0 || on[pair[0]] != on[pair[1]] {
				t.Errorf("after %d lines: %q is on page %d, %q on %d", filler, pair[0], on[pair[0]], pair[1], on[pair[1]])
			}
		}
	}
}
