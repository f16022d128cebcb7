package pipeline_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

func drawExposures(t *rapid.T) []pipeline.Exposure {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pipeline.Exposure {
		return pipeline.Exposure{Kind: rapid.String().Draw(t, "kind"), Possible: rapid.Bool().Draw(t, "possible"), Source: rapid.String().Draw(t, "source"),
			ObservedAt: rapid.String().Draw(t, "observed"), Import: rapid.Int64Range(0, 1<<62).Draw(t, "import")}
	}), 0, 4).Draw(t, "exposures")
}

func drawPerson(t *rapid.T) pipeline.Person {
	text := func(name string) string { return rapid.String().Draw(t, name) }
	list := rapid.SliceOfN(rapid.String(), 0, 4)
	p := pipeline.Person{PersonID: text("p"), CustomerIDs: list.Draw(t, "c"), Title: text("t"), FirstName: text("f"), LastName: text("l"), Company: text("o"),
		Representative: text("r"), Email: text("e"), Phone: text("h"), Address: list.Draw(t, "a"), Postcode: text("z"), City: text("y"), Country: text("k"),
		Reference: pipeline.Reference(text("ref")), Own: drawExposures(t), Attributes: rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "x")}
	for range rapid.IntRange(0, 3).Draw(t, "contracts") {
		p.Contracts = append(p.Contracts, pipeline.Contract{ID: text("i"), Kind: text("kind"), Label: text("label"), Data: drawExposures(t)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "former") {
		p.Former = append(p.Former, pipeline.Former{Until: time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "until")).UTC(), Email: text("e"), Address: list.Draw(t, "a"),
			Postcode: text("z"), City: text("y"), Country: text("k")})
	}
	return p
}

func TestPersonReadsBack(t *testing.T) {
	t.Parallel()
	if n := reflect.TypeFor[pipeline.Person]().NumField(); n != 18 {
		t.Fatalf("Person has %d fields: give the new one a place in AppendBinary, UnmarshalBinary and drawPerson", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPerson(t)
		b, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var q pipeline.Person
		if err := q.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		again, _ := q.MarshalBinary()
		if !bytes.Equal(b, again) {
			t.Fatalf("written again, it is another")
		}
		if !reflect.DeepEqual(normal(p), q) {
			t.Fatalf("it reads back as another person")
		}
		if q.UnmarshalBinary(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]) == nil || q.UnmarshalBinary(append(b, 0)) == nil {
			t.Fatal("a person that is cut, or has something behind it, was taken")
		}
	})
}

// normal makes empty lists nothing, as they are when they are read.
func normal(p pipeline.Person) pipeline.Person {
	none := func(list *[]pipeline.Exposure) {
		if len(*list) == 0 {
			*list = nil
		}
	}
	for i := range p.Former {
		if len(p.Former[i].Address) == 0 {
			p.Former[i].Address = nil
		}
	}
	for _, list := range []*[]string{&p.CustomerIDs, &p.Address} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	none(&p.Own)
	for i := range p.Contracts {
		none(&p.Contracts[i].Data)
	}
	if len(p.Attributes) == 0 {
		p.Attributes = nil
	}
	return p
}

func FuzzPerson(f *testing.F) {
	p := pipeline.Person{CustomerIDs: []string{"C1"}, LastName: "Martin", Own: []pipeline.Exposure{{Kind: "identity", Import: 1}}, Contracts: []pipeline.Contract{{ID: "A", Data: []pipeline.Exposure{{Kind: "contact"}}}}}
	b, err := p.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(_ *testing.T, data []byte) {
		var p pipeline.Person
		_ = p.UnmarshalBinary(data)
	})
}

func BenchmarkPerson(b *testing.B) {
	e := []pipeline.Exposure{{Kind: "contact", Source: "journal-web", ObservedAt: "2026-01-14", Import: 1}, {Kind: "subscription", Source: "journal-web", ObservedAt: "2026-01-14", Import: 1}}
	p := pipeline.Person{CustomerIDs: []string{"C10134169"}, Title: "Mme", FirstName: "Louise", LastName: "Legrand", Email: "louise@example.com", Phone: "+33639980361",
		Address: []string{"7 impasse des Lilas"}, Postcode: "76000", City: "Rouen", Country: "FR", Reference: pipeline.NewReference(7), Own: e,
		Contracts:  []pipeline.Contract{{ID: "CV100095835", Kind: "convergent", Label: "Pack Fibre + Mobile", Data: e}, {ID: "MB100095836", Kind: "mobile", Label: "Forfait 80 Go", Data: e}},
		Attributes: map[string]string{"segment": "pro", "email_date": "2024-03-02"}}
	data, err := p.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			_, _ = p.MarshalBinary()
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			var q pipeline.Person
			_ = q.UnmarshalBinary(data)
		}
	})
	text, _ := json.Marshal(p)
	b.Run("read-json", func(b *testing.B) {
		for b.Loop() {
			var q pipeline.Person
			_ = json.Unmarshal(text, &q)
		}
	})
	b.ReportMetric(float64(len(data)), "bytes")
	b.ReportMetric(float64(len(text)), "json-bytes")
}

func TestAddressesAsOf(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	p := pipeline.Person{Email: "c@x.example", City: "Lyon", Former: []pipeline.Former{{Until: day(2), Email: "a@x.example", City: "Paris"}, {Until: day(4), Email: "b@x.example", City: "Paris"}}}
	for n, want := range map[int]string{0: "a@x.example Paris", 1: "a@x.example Paris", 2: "b@x.example Paris", 3: "b@x.example Paris", 4: "c@x.example Lyon", 9: "c@x.example Lyon"} {
		if q := p.AsOf(day(n)); q.Email+" "+q.City != want {
			t.Errorf("on day %d: %s %s; want %s", n, q.Email, q.City, want)
		}
	}
}
