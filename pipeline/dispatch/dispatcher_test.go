package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestLanes: notices to affected customers go first, then resends, then the
// general message.
func TestLanes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(3000, pipeline.Email, func(i int, n *pipeline.Notice) { n.Lane = pipeline.Lane(2 - i/1000) })
		w.relay.took = 5 * time.Millisecond
		var order []int64
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			order = append(order, notice)
			return ok250
		}
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 3000})
		// Tasks of one lane overlap those of the next by the eight connections.
		for i, id := range order {
			lane := 2 - int(id-1)/1000
			if i < 1000*lane-800 || i >= 1000*(lane+1)+800 {
				t.Fatalf("message %d was of lane %d", i, lane)
			}
		}
	})
}

// perSecond is the rate of deliveries between two times since the first.
func (w *world) perSecond(from, to time.Duration) float64 {
	w.relay.mu.Lock()
	defer w.relay.mu.Unlock()
	n := 0
	for _, at := range w.relay.times {
		if d := at.Sub(w.relay.times[0]); d >= from && d < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

func near(got, want float64) bool { return got > 0.9*want && got < 1.1*want }

func TestRate(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email.Rate = 50
		w.people(2500, pipeline.Email, nil)
		p := w.start()
		time.Sleep(10 * time.Second)
		if err := w.operate().SetPacing(t.Context(), "muguet", pipeline.EmailPolicy{Rate: 200}, "slower"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		p.stop()
		if a, b := w.perSecond(2*time.Second, 9*time.Second), w.perSecond(11*time.Second, 14*time.Second); !near(a, 50) || !near(b, 200) {
			t.Errorf("%.1f and %.1f a second, want 50 and, after a change while running, 200", a, b)
		}
		w.sound()
	})
}

// TestProvidersArePaced: each mailbox provider gets its rate and no more
// connections than it wants; the others are not held up by it.
func TestProvidersArePaced(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email.Providers.Limits = map[string]pipeline.ProviderLimit{
			"orange": {Rate: 20, Connections: 2},
			"sfr":    {Rate: 100, Connections: 8, RampFrom: 10, RampOver: pipeline.Duration(50 * time.Second)},
		}
		names := []string{"orange", "sfr", "google"}
		w.people(1800, pipeline.Email, func(i int, n *pipeline.Notice) { n.Provider = names[i%3] })
		count := map[string][]time.Duration{}
		start := time.Now()
		w.relay.took = 50 * time.Millisecond
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			name := names[(notice-1)%3]
			count[name] = append(count[name], time.Since(start))
			return ok250
		}
		p := w.start()
		time.Sleep(25 * time.Second)
		p.stop()
		rate := func(name string, from, to time.Duration) float64 {
			n := 0
			for _, d := range count[name] {
				if d >= from && d < to {
					n++
				}
			}
			return float64(n) / (to - from).Seconds()
		}
		if r := rate("orange", 5*time.Second, 24*time.Second); !near(r, 20) {
			t.Errorf("orange: %.1f a second, want 20", r)
		}
		if a, b := rate("sfr", 0, 5*time.Second), rate("sfr", 10*time.Second, 15*time.Second); a > 25 || b < 25 || b > 45 {
			t.Errorf("sfr: %.1f, later %.1f a second; want a ramp from 10 to 100 over 50 s", a, b)
		}
		if r := rate("google", time.Second, 4*time.Second); r < 60 {
			t.Errorf("google, without a limit: %.1f a second", r)
		}
		w.sound()
	})
}

func TestLaunchAtAndHours(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		// A bubble begins at midnight UTC of 1 January 2000.
		c := w.ledger.campaigns[1]
		c.LaunchAt = time.Now().Add(time.Minute).UTC()
		c.Email.Hours = "00:00-00:02 UTC"
		c.Email.Rate = 10
		w.people(2000, pipeline.Email, nil)
		p := w.start()
		time.Sleep(59 * time.Second)
		if n := w.relay.total(); n != 0 {
			t.Errorf("%d before the launch", n)
		}
		time.Sleep(65 * time.Second)
		before := w.relay.total()
		if before < 550 || before > 650 {
			t.Errorf("%d within a minute at 10 a second", before)
		}
		i := p.rest(time.Minute)
		if n := w.relay.total(); n != before {
			t.Errorf("%d after hours", n-before)
		}
		if i.Blocked[BlockHours] != int64(2000-before) {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.sound()
	})
}

func TestScheduleEndsFirstMailsOnly(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Schedule.EmailFrom = time.Now().Add(10 * time.Second).UTC().Format(time.RFC3339)
		w.spec.Schedule.EmailUntil = time.Now().Add(20 * time.Second).UTC().Format(time.RFC3339)
		w.ledger.campaigns[1].Email.Rate = 10
		w.people(500, pipeline.Email, func(i int, n *pipeline.Notice) {
			if i < 5 {
				n.Lane, n.DueAt = pipeline.LaneResend, n.DueAt.Add(30*time.Second)
			}
		})
		p := w.start()
		time.Sleep(9 * time.Second)
		if n := w.relay.total(); n != 0 {
			t.Errorf("%d before the schedule began", n)
		}
		time.Sleep(14 * time.Second)
		n := w.relay.total()
		time.Sleep(10 * time.Second)
		if got := w.relay.total() - n; got != 5 {
			t.Errorf("%d after the end of the schedule, want the 5 resends", got)
		}
		if i := p.rest(time.Minute); i.Blocked[BlockSchedule] == 0 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.sound()
	})
}

// TestCanary: exactly so many are accepted, then the campaign waits.
func TestCanary(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Canary = 150
		w.people(1000, pipeline.Email, nil)
		w.people(10, pipeline.Post, nil)
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice%15 == 0 {
				return dead550
			}
			return ok250
		}
		w.ledger.campaigns[1].Email.Connections = 4
		p := w.start()
		i := p.rest(time.Minute)
		if w.relay.total() != 150 {
			t.Errorf("%d were accepted, want 150", w.relay.total())
		}
		if c := w.campaign(); c.State != pipeline.Paused || c.PausedFor != BlockCanary {
			t.Errorf("the campaign is %s for %q", c.State, c.PausedFor)
		}
		if due := int64(w.states()[pipeline.Due]); i.Blocked[BlockCanary] != due || w.runs() != 0 {
			t.Errorf("blocked %v of %d due, %d print runs", i.Blocked, due, w.runs())
		}
		w.relay.set(func() { w.relay.script = func(int64, int, int) pipeline.Answer { return ok250 } })
		if err := w.operate().Resume(t.Context(), "muguet", "looks good"); err != nil {
			t.Fatal(err)
		}
		if i := p.rest(time.Minute); len(i.Blocked) != 0 {
			t.Errorf("blocked after the resume: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Due: 0, pipeline.Printing: 10})
	})
}

// TestCanaryWithoutEmail: a campaign of letters alone does not wait for a canary
// that cannot come.
func TestCanaryWithoutEmail(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Canary = 5
		w.people(10, pipeline.Post, nil)
		p := w.start()
		if i := p.rest(time.Minute); i.Blocked[BlockCanary] != 10 || w.campaign().State != pipeline.Paused {
			t.Errorf("blocked %v, campaign %s", i.Blocked, w.campaign().State)
		}
		p.stop()
	})
}

// TestTwoCampaigns: one that is paused does not hold up the other.
func TestTwoCampaigns(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[2] = &pipeline.Campaign{ID: 2, Name: "lilas", State: pipeline.Paused, Version: 1, LaunchAt: time.Now().UTC(), PausedFor: "operator"}
		w.people(600, pipeline.Email, func(i int, n *pipeline.Notice) { n.Campaign = int64(1 + i%2) })
		p := w.start()
		if i := p.rest(time.Minute); i.Blocked[BlockPaused] != 300 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 300, pipeline.Due: 300})
	})
}

// TestNoRelay: without a relay nothing leaves and Idle says why.
func TestNoRelay(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.noRelay = true
		w.people(10, pipeline.Email, nil)
		w.people(3, pipeline.Post, nil)
		p := w.start()
		if i := p.rest(time.Minute); i.Blocked[BlockNoRelay] != 10 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Due: 10, pipeline.Printing: 3})
	})
}

// TestTwoProcesses: two of them share the work, one leads.
func TestTwoProcesses(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(4000, pipeline.Email, nil)
		w.relay.took = 5 * time.Millisecond
		a := w.start()
		b := w.start()
		a.rest(time.Minute)
		b.rest(time.Minute)
		if w.relay.max <= defaultConnections || w.relay.max > 2*defaultConnections {
			t.Errorf("%d connections; want more than one process has", w.relay.max)
		}
		a.stop()
		b.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 4000})
	})
}

// TestLeaderDies: the other process takes over within seconds.
func TestLeaderDies(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 4 * time.Millisecond
		a := w.start(RoleDispatch)
		time.Sleep(time.Second)
		b := w.start()
		time.Sleep(time.Second)
		a.crash()
		before := w.relay.total()
		time.Sleep(5 * time.Second)
		if n := w.relay.total(); n < before+1000 {
			t.Errorf("%d in 5 s after the leader died", n-before)
		}
		b.rest(time.Minute)
		b.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
	})
}

// TestBackAtWork: within 5 s after a restart, though the dead one's leases still
// run.
func TestBackAtWork(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 4 * time.Millisecond
		p := w.start()
		time.Sleep(1500 * time.Millisecond)
		p.crash()
		w.queue.wipe() // the embedded queue dies with its process
		before := w.relay.total()
		p = w.start()
		time.Sleep(5 * time.Second)
		if n := w.relay.total(); n < before+1000 {
			t.Errorf("%d in the first 5 s", n-before)
		}
		p.rest(2 * time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
	})
}

// TestLettersChangeWhilePaused: what was rendered with the old letters does not go
// out after a new version was approved.
func TestLettersChangeWhilePaused(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(3000, pipeline.Email, nil)
		w.relay.took = 5 * time.Millisecond
		p := w.start()
		time.Sleep(time.Second)
		o := w.operate()
		if err := o.Pause(t.Context(), "muguet", ""); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		w.ledger.mu.Lock()
		w.ledger.campaigns[1].Version = 2
		w.ledger.mu.Unlock()
		if err := o.Resume(t.Context(), "muguet", ""); err != nil { // within one look of the service
			t.Fatal(err)
		}
		p.rest(time.Minute)
		p.stop()
		versions := map[int]int{}
		for _, list := range w.ledger.attempts {
			a := list[len(list)-1]
			versions[a.Version]++
			if a.Version == 1 && a.At.After(at.Add(time.Second)) {
				t.Errorf("notice %d was written the old letter a second after the new one", a.Notice)
			}
		}
		if versions[1] == 0 || versions[2] == 0 {
			t.Errorf("versions: %v", versions)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 3000})
	})
}

// TestStrangers: a provider that the table does not know is served also while
// others are limited.
func TestStrangers(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email.Providers.Limits = map[string]pipeline.ProviderLimit{"orange": {Rate: 1000}}
		w.people(200, pipeline.Email, func(i int, n *pipeline.Notice) { n.Provider = []string{"orange", "minitel"}[i%2] })
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 200})
	})
}

func TestRamp(t *testing.T) {
	t.Parallel()
	l := pipeline.ProviderLimit{Rate: 20, RampFrom: 2, RampOver: pipeline.Duration(100 * time.Hour)}
	for since, want := range map[time.Duration]float64{-time.Hour: 2, 0: 2, 50 * time.Hour: 11, 100 * time.Hour: 20, 1000 * time.Hour: 20} {
		if got := ramp(l, since); got != want {
			t.Errorf("after %v: %v, want %v", since, got, want)
		}
	}
	if got := ramp(pipeline.ProviderLimit{Rate: 7}, 0); got != 7 {
		t.Errorf("without a ramp: %v", got)
	}
}

// TestProvidersAreKnown: whatever Provider gives is taken by a dispatcher that goes
// provider by provider.
func TestProvidersAreKnown(t *testing.T) {
	t.Parallel()
	list := mailboxProviders(nil)
	for _, a := range []string{"x@orange.fr", "x@gmail.com", "x@hotmail.fr", "x@aol.com", "x@neuf.fr", "x@free.fr", "x@laposte.net", "x@bbox.fr", "x@me.com", "x@example.com"} {
		if p := pipeline.Provider(a); !slices.Contains(list, p) {
			t.Errorf("nobody would take %q", p)
		}
	}
}
