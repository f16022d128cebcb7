package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// text makes a source of a text.
func text(name, content string) Source {
	return Source{Name: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// bench is one campaign in memory with its keys.
type bench struct {
	t       testing.TB
	sink    *memory
	config  Config
	rejects bytes.Buffer
	finds   bytes.Buffer
}

func newBench(t testing.TB) *bench { return newBenchWith(t, testKeys(t), t.TempDir()) }

func newBenchWith(t testing.TB, keys Keys, dir string) *bench {
	b := &bench{t: t, sink: newMemory()}
	b.config = Config{
		Campaign: pipeline.Campaign{ID: 1}, Spec: testSpec(), Sink: b.sink, Keys: keys,
		KnownKinds: []string{"identity", "contact", "household", "subscription", "bank-truncated"},
		OwnDomains: []string{"telecom.example.fr"}, TempDir: dir, Actor: "test",
		Now: func() time.Time { return testNow }, Rejects: &b.rejects, Findings: &b.finds,
		Printable: func(p pipeline.Person) error {
			if len(p.Address) == 0 || p.City == "" {
				return errors.New("unprintable")
			}
			return nil
		},
	}
	return b
}

// run imports texts; "" leaves a list away.
func (b *bench) run(customers, impacts string) (Result, error) {
	b.t.Helper()
	c := b.config
	if customers != "" {
		c.Customers = []Source{text("customers.csv", customers)}
	}
	if impacts != "" {
		c.Impacts = []Source{text("impact.csv", impacts)}
	}
	b.rejects.Reset()
	b.finds.Reset()
	return Run(context.Background(), c)
}

func (b *bench) must(customers, impacts string) Result {
	b.t.Helper()
	r, err := b.run(customers, impacts)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range r.Import.Manifest.Files {
		if f.Rows != f.Accepted+f.Rejected {
			b.t.Errorf("%s: %d rows, %d accepted, %d rejected", f.Name, f.Rows, f.Accepted, f.Rejected)
		}
	}
	if d := b.sink.balance().Difference(); d != 0 {
		b.t.Errorf("balance is off by %d", d)
	}
	return r
}

const someCustomers = `customer_id,person_id,title,first_name,last_name,email,phone,address_1,postcode,city,country,locale,flags,opt_in_newsletter,tariff
C1,,Mme,Amélie,Dubreuil,amelie@orange.example,06 39 98 10 01,12 rue des Lilas,35000,RENNES,FR,fr,,yes,gold
C2,P9,M.,Jean,Martin,,,3 rue Haute,75001,PARIS,FR,fr,,no,
C3,P9,M.,Jean,MARTIN,jean@laposte.example,,3 rue Haute,75001,PARIS,FR,fr,vip,no,silver
C4,,Mr,John,Smith,,,,,,GB,en,,no,
C5,,Mme,Zoé,Petit,zoe@free.example,,1 rue X,13001,MARSEILLE,FR,fr,,no,
`

const someImpacts = `customer_id,contract_id,contract_kind,contract_label,data_kinds,certainty
C1,M1,mobile-postpaid,Forfait,identity|contact,
C2,B2,internet,Box,identity,
C1,,,,household,possible
C3,M3,second-brand,Nuage,contact|identity,
C4,M4,internet,Box,contact,
C1,M1,mobile-postpaid,Forfait,contact|bank-truncated,possible
`

func TestRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.must(someCustomers, someImpacts)
	m := r.Import.Manifest
	if m.Population != 3 || m.Bystanders != 1 || m.Unmatched != 0 || m.Impacts != 8 || m.Duplicates != 1 {
		t.Errorf("manifest: %+v", m)
	}
	if got := strings.Join(m.Ignored, ","); got != "opt_in_newsletter" {
		t.Errorf("ignored %q", got)
	}
	n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	if n.State != pipeline.Due || n.Channel != pipeline.Email || n.Provider != pipeline.Provider("x@orange.example") || n.Area != "35" || n.Sender != "main" {
		t.Errorf("notice: %+v", n.Notice)
	}
	if p.Attributes["tariff"] != "gold" || len(p.Own) != 1 || !p.Own[0].Possible || len(p.Contracts) != 1 || len(p.Contracts[0].Data) != 3 || p.Contracts[0].Data[0].Kind != "bank-truncated" {
		t.Errorf("person: own %v contracts %v attributes %v", p.Own, p.Contracts, p.Attributes)
	}
	n, p = b.sink.person(t, b.config.Keys, "C2", pipeline.Primary)
	if n.State != pipeline.Held || n.Reason != "vip" || len(p.CustomerIDs) != 2 || len(p.Contracts) != 2 || n.Sender != "main" || p.Email != "jean@laposte.example" {
		t.Errorf("notice: %+v", n.Notice)
	}
	if n, _ = b.sink.person(t, b.config.Keys, "C4", pipeline.Primary); n.State != pipeline.Unreachable || n.Reason != pipeline.ReasonNoAddress || n.Locale != "en" {
		t.Errorf("notice: %+v", n.Notice)
	}
	for _, q := range []string{"c-1", "M1", "AMELIE@orange.example", "06 39 98 10 01", "+33639981001", "dubreuil 35000", "Amélie Dubreuil 35000", "35000 Dubreuil"} {
		if !b.finds1(q, "C1") {
			t.Errorf("%q does not find C1", q)
		}
	}
	again := b.must(someCustomers, someImpacts)
	if !again.NoChange || again.Import.ID != r.Import.ID || len(b.sink.imports) != 1 {
		t.Errorf("the same import twice: %+v", again)
	}
}

// finds1 reports whether a query leads to the primary notice of a customer.
func (b *bench) finds1(query, customer string) bool {
	want, _ := b.sink.person(b.t, b.config.Keys, customer, pipeline.Primary)
	for _, k := range QueryKeys(query) {
		ids, _, _ := b.sink.Search(context.Background(), 1, b.config.Keys.Token(k.Kind, k.Value), 10)
		for _, id := range ids {
			if id == want.ID {
				return true
			}
		}
	}
	return false
}
