package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

// model is the naive answer: everything in memory, without a thought for size.
type model struct {
	persons   map[string]*modelPerson // by person
	unmatched int
	rejected  map[string]int // by file
}

type modelPerson struct {
	customers map[string]bool
	told      map[string]bool // "contract kind" → confirmed
	shared    bool
	listed    bool
	poisoned  bool // one of his rows was rejected
}

type drawnCustomer struct{ id, person, email, last string }

type drawnImpact struct {
	id, contract string
	kinds        []string
	possible     bool
}

// drawn is a random delivery, split over files.
type drawn struct {
	customers [][]drawnCustomer
	impacts   [][]drawnImpact
}

func draw(t *rapid.T) drawn {
	var d drawn
	id := rapid.IntRange(1, 12)
	for range rapid.IntRange(1, 2).Draw(t, "directories") {
		var rows []drawnCustomer
		for range rapid.IntRange(1, 15).Draw(t, "customers") {
			c := drawnCustomer{id: fmt.Sprintf("C%d", id.Draw(t, "id")), last: "Dubreuil"}
			if rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
				c.id = rapid.SampledFrom([]string{"", "6.12E+08", "TOTAL", "NULL"}).Draw(t, "bad id")
			}
			// A customer has one person_id: two of them are another test.
			if n := strings.TrimPrefix(c.id, "C"); strings.HasPrefix(c.id, "C") && len(n) == 1 && n > "5" {
				c.person = "P" + string(n[0]-n[0]%2)
			}
			if rapid.Bool().Draw(t, "has e-mail") {
				c.email = fmt.Sprintf("e%d@orange.example", rapid.IntRange(1, 3).Draw(t, "email"))
			}
			rows = append(rows, c)
		}
		d.customers = append(d.customers, rows)
	}
	for range rapid.IntRange(1, 3).Draw(t, "lists") {
		var rows []drawnImpact
		for range rapid.IntRange(1, 25).Draw(t, "impacts") {
			i := drawnImpact{id: fmt.Sprintf("C%d", id.Draw(t, "id")), possible: rapid.Bool().Draw(t, "possible")}
			if n := rapid.IntRange(0, 4).Draw(t, "contract"); n > 0 {
				i.contract = fmt.Sprintf("M%d", n)
			}
			i.kinds = rapid.SliceOfN(rapid.SampledFrom([]string{"identity", "contact", "household"}), 0, 3).Draw(t, "kinds")
			rows = append(rows, i)
		}
		d.impacts = append(d.impacts, rows)
	}
	return d
}

// naive computes what the import must come to.
func naive(d drawn, limit int) model {
	m := model{persons: map[string]*modelPerson{}, rejected: map[string]int{}}
	personOf := map[string]string{}
	person := func(id string) *modelPerson {
		k := personOf[id]
		if k == "" {
			k = "customer " + id
		}
		if m.persons[k] == nil {
			m.persons[k] = &modelPerson{customers: map[string]bool{}, told: map[string]bool{}}
		}
		return m.persons[k]
	}
	emails := map[string]map[string]bool{} // address → persons
	mailOf := map[*modelPerson]map[string]bool{}
	for f, rows := range d.customers {
		for _, c := range rows {
			if !strings.HasPrefix(c.id, "C") {
				m.rejected[fmt.Sprintf("customers-%d.csv", f)]++
				continue
			}
			if c.person != "" {
				personOf[c.id] = "person " + c.person
			}
			p := person(c.id)
			p.listed = true
			p.customers[c.id] = true
			if c.email != "" {
				k := personOf[c.id]
				if k == "" {
					k = "customer " + c.id
				}
				if emails[c.email] == nil {
					emails[c.email] = map[string]bool{}
				}
				emails[c.email][k] = true
				if mailOf[p] == nil {
					mailOf[p] = map[string]bool{}
				}
				mailOf[p][c.email] = true
			}
		}
	}
	for p, list := range mailOf {
		p.shared = true
		for e := range list {
			p.shared = p.shared && len(emails[e]) > limit
		}
	}
	unmatched := map[string]bool{}
	for f, rows := range d.impacts {
		for _, i := range rows {
			if len(i.kinds) == 0 {
				m.rejected[fmt.Sprintf("impact-%d.csv", f)]++
				if p := person(i.id); p.listed {
					p.poisoned = true
				}
				continue
			}
			p := person(i.id)
			if !p.listed {
				p.customers[i.id] = true
				unmatched[i.id] = true
			}
			for _, k := range i.kinds {
				key := i.contract + " " + k
				p.told[key] = p.told[key] || !i.possible
			}
		}
	}
	m.unmatched = len(unmatched)
	return m
}

func (d drawn) sources() (customers, impacts []Source) {
	for f, rows := range d.customers {
		var b strings.Builder
		b.WriteString("customer_id;person_id;last_name;email\r\n")
		for _, c := range rows {
			fmt.Fprintf(&b, "%s;%s;%s;%s\r\n", c.id, c.person, c.last, c.email)
		}
		fmt.Fprintf(&b, "X%d;;Unique;\r\n", f) // no two files are the same
		customers = append(customers, text(fmt.Sprintf("customers-%d.csv", f), b.String()))
	}
	for f, rows := range d.impacts {
		var b strings.Builder
		for _, i := range rows {
			certainty := "confirmed"
			if i.possible {
				certainty = "possible"
			}
			fmt.Fprintf(&b, "{\"customer_id\":%q,\"contract_id\":%q,\"data_kinds\":%q,\"certainty\":%q}\n", i.id, i.contract, strings.Join(i.kinds, "|"), certainty)
		}
		fmt.Fprintf(&b, "{\"customer_id\":\"X0\",\"data_kinds\":\"identity\",\"source\":\"%d\"}\n", f)
		impacts = append(impacts, text(fmt.Sprintf("impact-%d.csv", f), b.String()))
	}
	return customers, impacts
}

// TestUnion: for any lists, in any order, over any files, in any memory, the
// import comes to what a naive merge in memory comes to, and every row is
// accepted or rejected.
func TestUnion(t *testing.T) {
	t.Parallel()
	keys := testKeys(t)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		d := draw(rt)
		want := naive(d, 3)
		b := newBenchWith(t, keys, dir)
		b.config.MaxUnmatched = 1000
		b.config.Limits.Buffer = rapid.SampledFrom([]int{1 << 20, 4000, 600}).Draw(rt, "buffer")
		b.config.Customers, b.config.Impacts = d.sources()
		r, err := Run(rt.Context(), b.config)
		if err != nil {
			rt.Fatal(err)
		}
		m := r.Import.Manifest
		for _, f := range m.Files {
			if f.Rows != f.Accepted+f.Rejected || f.Rejected != int64(want.rejected[f.Name]) {
				rt.Fatalf("%+v, want %d rejected", f, want.rejected[f.Name])
			}
		}
		want.compare(rt, b, m)
		if b.sink.balance().Difference() != 0 {
			rt.Fatal("the balance is off")
		}
	})
}

func (m model) compare(t *rapid.T, b *bench, got pipeline.Manifest) {
	var want, have []string
	bystanders := int64(len(b.config.Customers) - 1) // X1 of a second directory
	for _, p := range m.persons {
		switch {
		case len(p.told) > 0:
			want = append(want, fmt.Sprint(slices.Sorted(maps.Keys(p.customers)), p.told, p.shared, p.listed && p.poisoned))
		case p.listed && !p.poisoned:
			bystanders++
		}
	}
	for _, j := range b.sink.jobs {
		p, err := openPerson(b.config.Keys, *j)
		if err != nil {
			t.Fatal(err)
		}
		if p.CustomerIDs[0][0] == 'X' {
			continue
		}
		told := map[string]bool{}
		for _, e := range p.Own {
			told[" "+e.Kind] = !e.Possible
		}
		for _, c := range p.Contracts {
			for _, e := range c.Data {
				told[c.ID+" "+e.Kind] = !e.Possible
			}
		}
		have = append(have, fmt.Sprint(p.CustomerIDs, told, slices.Contains(j.Defects, "email-shared"), p.LastName != "" && slices.Contains(j.Defects, "row-rejected")))
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fatalf("notices\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if int64(len(want)+1) != got.Population || int64(m.unmatched) != got.Unmatched || got.Bystanders != bystanders {
		t.Fatalf("%+v: %d persons, %d unmatched, %d bystanders", got, len(want), m.unmatched, bystanders)
	}
}
