package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
)

const mostMemory = 256 // MiB

// large takes a large campaign from the lists to the last letter, beside a small
// one: import, check, sending, and somebody who looks customers up meanwhile.
func (s *suite) large() {
	s.sink()
	s.say("a campaign of %d notices", s.small)
	small := s.draft(s.small)
	small.measure(time.Hour, small.lists()...)
	small.measure(time.Hour, "check", "muguet")
	small.must("approve", "muguet")
	before := s.whole(small.copy(s.relay.env()), nil)

	s.say("the lists of a campaign of %d notices", s.customers)
	in := s.draft(s.customers)
	s.importing(in)
	s.say("checking it")
	c := in.measure(2*time.Hour, "check", "muguet", "--json")
	var result checked
	if err := json.Unmarshal(c.out, &result); err != nil {
		s.Fatal(err)
	}
	s.note("Check", "%s notices in %s, %.0f/s", thousands(result.Notices), c.wall.Round(time.Second), float64(result.Notices)/c.wall.Seconds())
	s.most("  resident memory, MiB", "%.0f", c.peak, mostMemory)
	in.must("approve", "muguet")

	s.say("sending it")
	in.env = append(in.env, s.relay.env())
	look := &lookups{s: s, in: in}
	large := s.whole(in, look)
	after := s.whole(small.copy(s.relay.env()), nil)
	s.note(fmt.Sprintf("Campaign of %s notices", thousands(large.notices)), "%s; %.0f e-mails/s, %.0f µs CPU a notice", large.wall.Round(time.Second), large.rate, large.cpu)
	s.note(fmt.Sprintf("  of %s, before and after", thousands(before.notices)), "%.0f and %.0f e-mails/s, %.0f and %.0f µs CPU a notice", before.rate, after.rate, before.cpu, after.cpu)
	s.most("  cost of a notice ÷ in the small one (CPU)", "%.2f", large.cpu/median([]float64{before.cpu, after.cpu}), 1.1)
	s.most("  cost of an e-mail ÷ in the small one (time)", "%.2f", median([]float64{before.rate, after.rate})/large.rate, 1.1)
	s.most("  resident memory, MiB", "%.0f", large.peak, mostMemory)
	look.report(large.notices)
}

// importing measures the import.
func (s *suite) importing(in *installation) {
	s.say("importing them")
	c := in.measure(time.Hour, in.lists()...)
	var r imported
	if err := json.Unmarshal(c.out, &r); err != nil {
		s.Fatal(err)
	}
	rows, parts := int64(0), map[string]int64{}
	for _, f := range r.Manifest.Files {
		if f.Rows != f.Accepted+f.Rejected {
			s.Fatalf("%s: %d rows, %d accepted, %d rejected", f.Name, f.Rows, f.Accepted, f.Rejected)
		}
		rows += f.Rows
		parts[f.Role] += f.Rows
	}
	// The target is given for 1 M customers and 2.4 M impacts.
	const targetRows, targetSeconds = 3_400_000, 90
	perSecond := float64(rows) / c.wall.Seconds()
	s.least(fmt.Sprintf("Import of %s customers and %s impacts, rows/s", thousands(parts["customers"]), thousands(parts["impact"])), "%.0f", perSecond, targetRows/targetSeconds)
	s.note("  time", "%s; at this rate %.0f s for 1,000,000 and 2,400,000", c.wall.Round(100*time.Millisecond), targetRows/perSecond)
	s.most("  resident memory, MiB", "%.0f", c.peak, mostMemory)
}

// outcome is what a whole campaign took.
type outcome struct {
	round
	notices int64 // that something was done for
}

// whole launches a campaign and carries it out, e-mails and letters.
func (s *suite) whole(in *installation, look *lookups) outcome {
	s.Helper()
	in.must("launch", "muguet")
	end := make(chan struct{})
	var beside sync.WaitGroup
	if look != nil {
		look.desk = s.desk(in)
		beside.Go(func() { look.run(end) })
		beside.Go(func() { look.desk.lookUp(math.MaxInt, end) })
	}
	c := in.measure(3*time.Hour, "run", "--until-idle")
	close(end)
	beside.Wait()
	a := s.relay.next()
	st := in.status(true)
	accepted, printing := st.States[pipeline.Accepted], st.States[pipeline.Printing]
	if a.Messages != accepted || st.States[pipeline.Due] != 0 {
		s.Fatalf("the sink took %d, the ledger says %v", a.Messages, st.States)
	}
	notices := accepted + printing
	r := a.round(c)
	r.cpu = float64(c.cpu.Microseconds()) / float64(notices)
	return outcome{r, notices}
}

// lookups looks customers up while others work, as the call-centre cell does.
type lookups struct {
	s     *suite
	in    *installation
	reads []time.Duration // token, notice, events, attempts
	finds []time.Duration // the same, and the entry in the audit trail
	desk  *deskEnd        // the same through the page
}

// run looks somebody up every 20 milliseconds until the end. It is another process
// than the one that works, as art34 find is.
func (l *lookups) run(end <-chan struct{}) {
	ctx := context.Background()
	h := l.in.house()
	defer h.Close()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		l.s.Error(err)
		return
	}
	ids := l.customers()
	for i := 0; ; i++ {
		start := time.Now()
		found, err := l.read(ctx, h, c, ids[i*7919%len(ids)])
		took := time.Since(start)
		if err != nil {
			l.s.Error(err)
			return
		}
		if found {
			l.reads = append(l.reads, took)
			if i%10 == 0 {
				start = time.Now()
				if err := h.ledger.Append(ctx, h.audit(c.ID, "find", "", "1 notices")); err != nil {
					l.s.Error(err)
					return
				}
				l.finds = append(l.finds, took+time.Since(start))
			}
		}
		select {
		case <-end:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// customers is every 500th number of the directory.
func (l *lookups) customers() (ids []string) {
	f, err := os.Open(l.in.path("sample", "customers.csv"))
	if err != nil {
		l.s.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for i := 0; ; i++ {
		row, err := r.Read()
		if row == nil && err != nil {
			return ids
		}
		if i%500 == 1 {
			ids = append(ids, row[0])
		}
	}
}

// read reads what find shows, and reports whether there was anybody.
func (l *lookups) read(ctx context.Context, h *house, c pipeline.Campaign, text string) (found bool, err error) {
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		return false, err
	}
	for _, k := range intake.QueryKeys(text) {
		list, _, err := h.ledger.Search(ctx, c.ID, keys.Token(k.Kind, k.Value), maxMatches)
		if err != nil {
			return false, err
		}
		for _, id := range list {
			found = true
			if _, err = h.ledger.Notice(ctx, id); err == nil {
				_, err = h.ledger.Events(ctx, id)
			}
			if err == nil {
				_, err = h.ledger.Attempts(ctx, id)
			}
			if err != nil {
				return false, err
			}
		}
	}
	return found, nil
}

// report adds what was found out.
func (l *lookups) report(notices int64) {
	if len(l.reads) == 0 {
		l.s.Error("nobody was found")
		return
	}
	p50, p99 := quantiles(l.reads)
	l.s.most(fmt.Sprintf("Find among %s notices while sending, p99 at the ledger, ms", thousands(notices)), "%.1f", p99, 10)
	l.s.note("  median of "+thousands(int64(len(l.reads))), "%.1f ms", p50)
	if len(l.finds) > 0 {
		p50, p99 = quantiles(l.finds)
		l.s.note("  with its entry in the audit trail", "median %.1f ms, p99 %.1f ms", p50, p99)
	}
	if len(l.desk.took) > 0 {
		p50, p99 = quantiles(l.desk.took)
		l.s.most("  through the page, p99, ms", "%.1f", p99, 50)
		l.s.note("  median of "+thousands(int64(len(l.desk.took))), "%.1f ms, slowest %.1f ms", p50, float64(slices.Max(l.desk.took).Microseconds())/1000)
		l.s.most("  resident memory of the console, MiB", "%.0f", l.desk.resident(), mostMemory)
	}
}

// quantiles are the median and the 99th percentile in milliseconds.
func quantiles(list []time.Duration) (p50, p99 float64) {
	slices.Sort(list)
	at := func(q float64) float64 { return float64(list[int(q*float64(len(list)-1))].Microseconds()) / 1000 }
	return at(0.5), at(0.99)
}
