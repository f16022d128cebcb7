package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

const impactHead = "customer_id,contract_id,contract_kind,data_kinds,certainty\n"

// merge absorbs the supplements of an import.
func (b *bench) merge(id int64) int64 {
	b.t.Helper()
	n, err := Merge(context.Background(), MergeConfig{Campaign: 1, Spec: b.config.Spec, Import: id, Sink: b.sink, Keys: b.config.Keys, Actor: "test", Now: b.config.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	if !b.sink.merged[id] {
		b.t.Error("the import is not marked as merged")
	}
	if d := b.sink.balance().Difference(); d != 0 {
		b.t.Errorf("balance is off by %d after the merge", d)
	}
	return n
}

// told lists what a notice tells, as "contract kind, …".
func toldText(p pipeline.Person) string {
	var list []string
	add := func(contract string, data []pipeline.Exposure) {
		for _, e := range data {
			s := contract + e.Kind
			if e.Possible {
				s += "?"
			}
			list = append(list, s)
		}
	}
	add("", p.Own)
	for _, c := range p.Contracts {
		add(c.ID+" ", c.Data)
	}
	return strings.Join(list, ", ")
}

// TestLaterImport: the same is no change, new impacts are a supplement, new
// persons are notices; before anything is queued the notice absorbs.
func TestLaterImport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(someCustomers, impactHead+"C1,M1,internet,identity,\nC2,B2,internet,contact,possible\n")
	r := b.must(someCustomers, impactHead+"C1,M1,internet,identity|contact,\nC1,,,household,\nC2,B2,internet,contact,possible\nC5,X5,internet,contact,\n")
	m := r.Import.Manifest
	if m.Population != 1 || m.Supplements != 1 || m.Unchanged != 1 {
		t.Fatalf("%+v", m)
	}
	_, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement)
	if got := toldText(p); got != "household, M1 contact" {
		t.Errorf("the supplement tells %s", got)
	}
	if n := b.merge(r.Import.ID); n != 1 {
		t.Fatalf("%d absorbed", n)
	}
	n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	if got := toldText(p); got != "household, M1 contact, M1 identity" {
		t.Errorf("the notice tells %s", got)
	}
	if strings.Join(n.Kinds, " ") != "contact household identity" || n.Gen != 1 {
		t.Errorf("%+v", n.Notice)
	}
	if p.Own[0].Import != r.Import.ID || p.Contracts[0].Data[1].Import == r.Import.ID {
		t.Errorf("the exposures do not say which import brought them: %+v", p.Contracts)
	}
	// What was possible is now confirmed: that is news. The reverse is none.
	r = b.must(someCustomers, impactHead+"C2,B2,internet,contact,confirmed\nC1,M1,internet,identity,possible\n")
	if m := r.Import.Manifest; m.Supplements != 1 || m.Unchanged != 1 {
		t.Errorf("%+v", m)
	}
	b.merge(r.Import.ID)
	if _, p = b.sink.person(t, b.config.Keys, "C2", pipeline.Primary); toldText(p) != "B2 contact" {
		t.Errorf("the notice tells %s", toldText(p))
	}
	// The first list again is in force already.
	if again := b.must(someCustomers, impactHead+"C1,M1,internet,identity,\nC2,B2,internet,contact,possible\n"); !again.NoChange || again.Import.ID != 1 {
		t.Errorf("%+v", again)
	}
}

// TestSupplement: a customer who was written to gets what is new, and only that;
// a second supplement joins the first while that waits.
func TestSupplement(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(someCustomers, impactHead+"C1,M1,internet,identity,\nC2,B2,internet,contact,\n")
	sent, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	b.sink.jobs[sent.ID].State = pipeline.Accepted
	b.sink.jobs[sent.ID].FirstAt = testNow
	b.sink.jobs[sent.ID].Reach = pipeline.ByPost // the address proved dead
	// No directory this time: who the customers are is known.
	r := b.must("", impactHead+"c1,M1,internet,identity|contact,\nC1,M9,second-brand,subscription,\n")
	if m := r.Import.Manifest; m.Supplements != 1 || m.Unmatched != 0 || m.Population != 0 {
		t.Fatalf("%+v", m)
	}
	if n := b.merge(r.Import.ID); n != 0 {
		t.Errorf("%d absorbed", n)
	}
	n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement)
	if got := toldText(p); got != "M1 contact, M9 subscription" {
		t.Errorf("the supplement tells %s", got)
	}
	if n.Parent != sent.ID || n.Channel != pipeline.Post || n.State != pipeline.Due || p.LastName != "Dubreuil" || p.City != "RENNES" || p.Reference == "" {
		t.Errorf("%+v", n.Notice)
	}
	_, before := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	if p.Reference == before.Reference {
		t.Error("the supplement has the reference of its parent")
	}
	r = b.must("", impactHead+"C1,M9,second-brand,subscription|bank-truncated,\n")
	if n := b.merge(r.Import.ID); n != 1 {
		t.Errorf("%d absorbed by the supplement that waits", n)
	}
	if _, p = b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement); toldText(p) != "M1 contact, M9 bank-truncated, M9 subscription" {
		t.Errorf("the supplement tells %s", toldText(p))
	}
	if r = b.must("", impactHead+"C1,M9,second-brand,bank-truncated,\n"); r.Import.Manifest.Unchanged != 1 {
		t.Errorf("%+v", r.Import.Manifest)
	}
}

// TestAbsorbRace: the notice moves between the look and the write.
func TestAbsorbRace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		race     func(n *pipeline.Job)
		absorbed int64
	}{
		"rendered again":   {func(n *pipeline.Job) { n.Gen++ }, 1},
		"queued":           {func(n *pipeline.Job) { n.Gen++; n.State = pipeline.Queued }, 0},
		"sent and bounced": {func(n *pipeline.Job) { n.Gen += 4; n.Attempt, n.FirstAt = 2, testNow }, 0},
		"excluded":         {func(n *pipeline.Job) { n.Gen++; n.State = pipeline.Excluded }, 0},
		"held":             {func(n *pipeline.Job) { n.Gen++; n.State, n.Reason = pipeline.Held, "vip" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.must(someCustomers, impactHead+"C1,M1,internet,identity,\n")
			r := b.must(someCustomers, impactHead+"C1,M1,internet,contact,\n")
			parent, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
			b.sink.race = func(m *memory) { c.race(m.jobs[parent.ID]) }
			if n := b.merge(r.Import.ID); n != c.absorbed {
				t.Errorf("%d absorbed", n)
			}
			_, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
			if want := map[int64]string{0: "M1 identity", 1: "M1 contact, M1 identity"}[c.absorbed]; toldText(p) != want {
				t.Errorf("the notice tells %s", toldText(p))
			}
		})
	}
}

// TestAbsorbHeld: a supplement whose import awaited approval goes in; one that a
// person has to look at does not.
func TestAbsorbHeld(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]int64{"awaiting-approval": 1, "kind-unknown": 0, "vip": 0, "braille": 0} {
		b := newBench(t)
		b.must(someCustomers, impactHead+"C1,M1,internet,identity,\n")
		r := b.must(someCustomers, impactHead+"C1,M1,internet,contact,\n")
		s, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement)
		n := b.sink.jobs[s.ID]
		n.State, n.Born, n.Reason, n.Flags, n.Defects, n.Format = pipeline.Held, pipeline.Held, reason, []string{"vip"}, []string{"kind-unknown"}, "braille"
		if got := b.merge(r.Import.ID); got != want {
			t.Errorf("%s: %d absorbed", reason, got)
		}
	}
}

// TestSupplementRoutes: where a supplement starts depends on what became of the
// notice.
func TestSupplementRoutes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parent func(n *pipeline.Job)
		want   pipeline.Route
	}{
		"excluded":                {func(n *pipeline.Job) { n.State, n.Reason = pipeline.Excluded, "deceased" }, pipeline.Route{State: pipeline.Excluded, Channel: pipeline.NoChannel, Reason: "deceased", Reach: 3}},
		"cancelled":               {func(n *pipeline.Job) { n.State = pipeline.Cancelled }, pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reason: "parent-cancelled", Reach: 3}},
		"in doubt":                {func(n *pipeline.Job) { n.State, n.FirstAt = pipeline.InDoubt, testNow }, pipeline.Route{State: pipeline.Due, Channel: pipeline.Email, Reach: 3}},
		"held":                    {func(n *pipeline.Job) { n.State, n.Reason, n.FirstAt = pipeline.Held, "second-doubt", testNow }, pipeline.Route{State: pipeline.Held, Channel: pipeline.Email, Reason: "second-doubt", Reach: 3}},
		"address dead, no letter": {func(n *pipeline.Job) { n.State, n.FirstAt, n.Reach = pipeline.Unreachable, testNow, 0 }, pipeline.Route{State: pipeline.Unreachable, Channel: pipeline.NoChannel, Reason: "no-usable-address"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.must(someCustomers, impactHead+"C1,M1,internet,identity,\n")
			parent, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
			c.parent(b.sink.jobs[parent.ID])
			r := b.must(someCustomers, impactHead+"C1,M1,internet,contact,\n")
			b.merge(r.Import.ID)
			n, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement)
			if got := (pipeline.Route{State: n.State, Channel: n.Channel, Reach: n.Reach, Reason: n.Reason}); got != c.want || n.Born != n.State {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// TestContactComesLater: who could not be reached for want of a directory row is
// told everything once the row is there.
func TestContactComesLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.MaxUnmatched = 1
	b.must("", impactHead+"C1,M1,internet,identity,\n")
	n, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	if n.State != pipeline.Unreachable || n.Reason != pipeline.ReasonNoContact {
		t.Fatalf("%+v", n.Notice)
	}
	b.config.MaxUnmatched = 0
	if r := b.must("", impactHead+"C1,M1,internet,identity,confirmed\n"); r.Import.Manifest.Unchanged != 1 {
		t.Errorf("%+v", r.Import.Manifest)
	}
	r := b.must(someCustomers, impactHead+"C1,M1,internet,identity,confirmed\n")
	b.merge(r.Import.ID)
	n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Supplement)
	if n.State != pipeline.Due || toldText(p) != "M1 identity" || p.Email == "" {
		t.Errorf("%+v tells %s", n.Notice, toldText(p))
	}
	if r = b.must(someCustomers, impactHead+"C1,M1,internet,identity,\n\n"); !r.NoChange && r.Import.Manifest.Unchanged != 1 {
		t.Errorf("%+v", r.Import.Manifest)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := impactHead+"C1,M1,internet,identity,\n", impactHead+"C2,B2,internet,contact,\n"
	b.must(someCustomers, first)
	b.must(someCustomers, second)
	b.config.Replace = true
	r := b.must(someCustomers, first) // in force, but not alone
	if m := r.Import.Manifest; r.NoChange || m.Population != 1 || m.Supplements != 0 || b.sink.balance().Population != 1 {
		t.Errorf("%+v", r)
	}
	if again := b.must(someCustomers, first); again.NoChange == (again.Import.ID != r.Import.ID) {
		t.Errorf("%+v", again)
	}
	if _, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary); toldText(p) != "M1 identity" {
		t.Errorf("the notice tells %s", toldText(p))
	}
}

// TestReplaceAfterChange: with other settings the same lists make another
// population; the same again changes nothing.
func TestReplaceAfterChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(someCustomers, someImpacts)
	b.config.Replace = true
	if r := b.must(someCustomers, someImpacts); !r.NoChange {
		t.Error("nothing was changed, and it was imported again")
	}
	b.config.Spec.Channels.BothIf = []string{"bank-truncated"}
	if r := b.must(someCustomers, someImpacts); r.NoChange || r.Import.Manifest.Copies != 1 {
		t.Errorf("%+v", r)
	}
	for _, replace := range []bool{true, false} {
		b.config.Replace = replace
		if r := b.must(someCustomers, someImpacts); !r.NoChange {
			t.Errorf("replace %v: imported again", replace)
		}
	}
}

// TestNothingAccepted: a list that nobody can be taken from is no list. With
// --replace it would take everybody off.
func TestNothingAccepted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ customers, impacts, want string }{
		{someCustomers, impactHead, "impact.csv: holds no row below"},
		{someCustomers, impactHead + "C1,M1,internet,unheard-of,\nC2,M1,internet,,\n", "impact.csv: none of its 2 rows"},
		{strings.SplitAfter(someCustomers, "\n")[0], someImpacts, "customers.csv: holds no row below"},
	} {
		b := newBench(t)
		b.must(someCustomers, someImpacts)
		b.config.Replace = true
		r, err := b.run(c.customers, c.impacts)
		if pipeline.ErrorCode(err) != "nothing-accepted" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if len(r.Import.Manifest.Files) != 2 || len(b.sink.imports) != 1 || !b.sink.imports[0].ReplacedAt.IsZero() {
			t.Errorf("%+v; %d imports", r.Import.Manifest.Files, len(b.sink.imports))
		}
	}
}

func TestUnmatched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	list := impactHead + "C1,M1,internet,identity,\nU1,X,internet,contact,\nU1,X,internet,identity,\n"
	_, err := b.run(someCustomers, list)
	if pipeline.ErrorCode(err) != "too-many-unmatched" || !strings.Contains(err.Error(), "1 of 2 customers") || len(b.sink.imports) > 0 {
		t.Fatalf("%v", err)
	}
	b.config.MaxUnmatched = 1
	r := b.must(someCustomers, list)
	if m := r.Import.Manifest; m.Unmatched != 1 || m.Population != 2 || m.States[pipeline.Unreachable] != 1 {
		t.Errorf("%+v", m)
	}
	n, p := b.sink.person(t, b.config.Keys, "U1", pipeline.Primary)
	if n.Reason != pipeline.ReasonNoContact || toldText(p) != "X contact, X identity" {
		t.Errorf("%+v", n.Notice)
	}
}

// TestAwareness: everybody of the directory is told, nobody of impacts.
func TestAwareness(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.Spec.Kind = "awareness"
	if _, err := b.run(someCustomers, someImpacts); pipeline.ErrorCode(err) != "wrong-use" {
		t.Fatalf("%v", err)
	}
	r := b.must(someCustomers, "")
	if m := r.Import.Manifest; m.Population != 4 || m.Bystanders != 0 || m.Impacts != 0 {
		t.Errorf("%+v", m)
	}
	if n, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary); n.Lane != pipeline.LaneGeneral || n.Sender != "main" {
		t.Errorf("%+v", n.Notice)
	}
	r = b.must(someCustomers+"C6,,M.,Luc,Petit,luc@free.example,,1 rue X,13001,MARSEILLE,FR,fr,,no,\n", "")
	if m := r.Import.Manifest; m.Population != 1 || m.Unchanged != 4 {
		t.Errorf("%+v", m)
	}
}

// TestBothChannels: where the campaign wants paper beside the e-mail there is a
// copy, due when letters are; e-mail waits for its hour.
func TestBothChannels(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.Spec.Channels.BothIf = []string{"bank-truncated"}
	later := testNow.Add(20 * time.Hour)
	b.config.Spec.Schedule.EmailFrom = later.Format(time.RFC3339)
	r := b.must(someCustomers, someImpacts)
	if r.Import.Manifest.Copies != 1 {
		t.Fatalf("%+v", r.Import.Manifest)
	}
	n, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
	c, q := b.sink.person(t, b.config.Keys, "C1", pipeline.Copy)
	if c.Parent != n.ID || c.Channel != pipeline.Post || c.Kind != pipeline.CopyOf || c.Reach != pipeline.ByPost || c.Attempt != 1 || !c.DueAt.Equal(testNow) || !n.DueAt.Equal(later) {
		t.Errorf("%+v, copy %+v", n.Notice, c.Notice)
	}
	if toldText(p) != toldText(q) || p.Reference == q.Reference {
		t.Errorf("%s, copy %s", toldText(p), toldText(q))
	}
}

// TestCopyLearns: what a notice absorbs its paper copy tells too; once the copy is
// at the printer's, what is new goes out by itself.
func TestCopyLearns(t *testing.T) {
	t.Parallel()
	for _, left := range []bool{false, true} {
		b := newBench(t)
		b.config.Spec.Channels.BothIf = []string{"bank-truncated"}
		b.must(someCustomers, someImpacts)
		if c, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Copy); left {
			b.sink.jobs[c.ID].State = pipeline.Printing
		}
		r := b.must("", impactHead+"C1,M1,,subscription,\n")
		absorbed := b.merge(r.Import.ID)
		_, p := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary)
		_, q := b.sink.person(t, b.config.Keys, "C1", pipeline.Copy)
		if toldText(p) != toldText(q) || strings.Contains(toldText(q), "subscription") == left || (absorbed == 1) == left {
			t.Errorf("left %v: absorbed %d: %s, copy %s", left, absorbed, toldText(p), toldText(q))
		}
	}
}

// TestTornImpactRow: whose row was torn is held, if the row still says who it is.
func TestTornImpactRow(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]pipeline.State{
		"C1,\"M2,internet,contact,\n":        pipeline.Held,
		"C1,M2,internet\n":                   pipeline.Held,
		"C1,M2,internet,contact,,,,,,more\n": pipeline.Held,
		"c1,M2,internet,,\n":                 pipeline.Held,
		"\"C1,M2,internet,contact,\n":        pipeline.Due,
		"C9,M2,internet\n":                   pipeline.Due,
		"TOTAL,2\n":                          pipeline.Due,
	} {
		b := newBench(t)
		b.must(someCustomers, impactHead+row+"C1,M1,internet,identity,\n")
		if n, _ := b.sink.person(t, b.config.Keys, "C1", pipeline.Primary); n.State != want {
			t.Errorf("%q: %s", row, n.State)
		}
	}
}

// TestBystanders: who is not concerned is known as such; who may be is not.
func TestBystanders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.MaxUnmatched = 9
	b.must(someCustomers, impactHead+"C1,M1,internet,identity,\nC5,M5,internet,shoe-size,\n")
	search := func(customer string) (int, int64) {
		ids, by, err := b.sink.Search(context.Background(), 1, b.config.Keys.Token(KeyCustomer, customer), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(ids), by
	}
	for customer, want := range map[string][2]int64{"C1": {1, 0}, "C2": {0, 1}, "C3": {0, 1}, "C5": {0, 0}, "C99": {0, 0}} {
		if n, by := search(customer); int64(n) != want[0] || by != want[1] {
			t.Errorf("%s: %d notices, not concerned by import %d", customer, n, by)
		}
	}
}

// TestNothingStays: whatever fails, and whenever, nothing is visible afterwards,
// and the same import works the next time.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is full")
	for _, op := range []string{"Imports", "BeginImport", "ReserveIDs", "Stage", "StageTokens", "Publish"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.sink.fail = func(name string) error {
				if name == op {
					return broken
				}
				return nil
			}
			if _, err := b.run(someCustomers, someImpacts); !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
			if len(b.sink.imports)+len(b.sink.jobs)+len(b.sink.tokens) != 0 {
				t.Errorf("%d imports, %d notices, %d tokens stay", len(b.sink.imports), len(b.sink.jobs), len(b.sink.tokens))
			}
			files, err := os.ReadDir(b.config.TempDir)
			if err != nil || len(files) != 0 {
				t.Errorf("%d files stay", len(files))
			}
			b.sink.fail = nil
			if r := b.must(someCustomers, someImpacts); r.Import.Manifest.Population != 3 {
				t.Errorf("%+v", r.Import.Manifest)
			}
		})
	}
}

// TestCancel ends an import from outside, in the middle of reading and of staging.
func TestCancel(t *testing.T) {
	t.Parallel()
	var customers, impacts strings.Builder
	customers.WriteString("customer_id,last_name,email\n")
	impacts.WriteString(impactHead)
	for i := range 3000 {
		fmt.Fprintf(&customers, "C%d,Dubreuil,c%d@orange.example\n", i+1, i)
		fmt.Fprintf(&impacts, "C%d,M%d,internet,identity,\n", i+1, i)
	}
	for _, phase := range []string{"reading", "joining", "staging", "indexing"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			b.sink.fail = func(string) error { return ctx.Err() }
			b.config.Progress = func(p Progress) {
				if p.Phase == phase {
					cancel()
				}
			}
			b.config.Customers, b.config.Impacts = []Source{text("c.csv", customers.String())}, []Source{text("i.csv", impacts.String())}
			if _, err := Run(ctx, b.config); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			if len(b.sink.imports)+len(b.sink.jobs) != 0 {
				t.Errorf("%d imports, %d notices stay", len(b.sink.imports), len(b.sink.jobs))
			}
		})
	}
}

// TestReadFailure: a file that breaks off is an error, not the end of the list.
func TestReadFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.Customers = []Source{{Name: "customers.csv", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(someCustomers), brokenReader{})), nil
	}}}
	b.config.Impacts = []Source{text("impact.csv", someImpacts)}
	if _, err := Run(context.Background(), b.config); pipeline.ErrorCode(err) != "file-unreadable" {
		t.Errorf("got %v", err)
	}
	b.config.Customers = []Source{text("a.csv", someCustomers), text("b.csv", someCustomers)}
	if _, err := Run(context.Background(), b.config); pipeline.ErrorCode(err) != "file-twice" {
		t.Errorf("got %v", err)
	}
	b.config.Customers = []Source{File(t.TempDir() + "/missing.csv")}
	if _, err := Run(context.Background(), b.config); pipeline.ErrorCode(err) != "file-unreadable" {
		t.Errorf("got %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

// TestReportsAreInert: file and column names are not formulas either.
func TestReportsAreInert(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.Customers = []Source{text("=cmd|calc.csv", "customer_id,last_name,@SUM(A1)\nC1,Dubreuil,"+strings.Repeat("x", 20<<10)+"\nC2,Petit,\n")}
	b.config.Impacts = []Source{text("-i\n.csv", impactHead+",M1,internet,identity,\nC2,M1,internet,identity,\n")}
	if _, err := Run(context.Background(), b.config); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"'=cmd|calc.csv,2,'@SUM(A1),field-long,", "'-i .csv,2,customer_id,id-missing,"} {
		if !strings.Contains(b.rejects.String(), want) {
			t.Errorf("no %s in\n%s", want, b.rejects.String())
		}
	}
}
