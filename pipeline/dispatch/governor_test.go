package dispatch

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	a := func(scope string, sent, dead, ours int64) pipeline.Answers {
		return pipeline.Answers{Scope: scope, Accepted: sent - dead, Refused: dead, Bounced: ours, Dead: dead, Ours: ours}
	}
	for name, c := range map[string]struct {
		open   []string
		since  []pipeline.Answers
		looked []pipeline.Answers
		want   map[string]string
	}{
		"few say nothing":               {since: []pipeline.Answers{a("provider:free", 199, 100, 0)}},
		"a tenth is not more":           {since: []pipeline.Answers{a("provider:free", 200, 20, 0)}},
		"a provider":                    {since: []pipeline.Answers{a("provider:free", 200, 21, 0)}, want: map[string]string{"provider:free": BlockDeadShare}},
		"a whole campaign is no cohort": {since: []pipeline.Answers{a("all", 1000, 500, 0), a("provider:", 1000, 500, 0)}},
		"a provider does not stop its import": {
			since: []pipeline.Answers{a("all", 1000, 180, 0), a("import:1", 1000, 180, 0), a("kind:mobile", 900, 160, 0), a("provider:free", 300, 150, 0), a("provider:orange", 700, 30, 0)},
			want:  map[string]string{"provider:free": BlockDeadShare}},
		"nor one that is held already": {
			open: []string{"provider:free"}, since: []pipeline.Answers{a("import:1", 1000, 180, 0), a("provider:free", 300, 150, 0)}},
		"an import that is wrong all over": {
			since: []pipeline.Answers{a("import:1", 1000, 20, 0), a("import:2", 400, 100, 0), a("provider:free", 700, 60, 0), a("provider:orange", 700, 60, 0)},
			want:  map[string]string{"import:2": BlockDeadShare}},
		"a contract kind": {
			since: []pipeline.Answers{a("import:1", 4000, 250, 0), a("kind:mobile", 500, 240, 0), a("kind:internet", 3600, 20, 0), a("provider:free", 2000, 125, 0)},
			want:  map[string]string{"kind:mobile": BlockDeadShare}},
		"as bad as when a person looked": {
			since: []pipeline.Answers{a("provider:free", 500, 110, 0)}, looked: []pipeline.Answers{a("provider:free", 300, 60, 0)}},
		"worse than when a person looked": {
			since: []pipeline.Answers{a("provider:free", 500, 160, 0)}, looked: []pipeline.Answers{a("provider:free", 300, 60, 0)}, want: map[string]string{"provider:free": BlockDeadShare}},
		"refused because of us":          {since: []pipeline.Answers{a("provider:free", 100, 0, 5), a("import:1", 100, 0, 5)}, want: map[string]string{"provider:free": BlockProvider}},
		"one filter is not the provider": {since: []pipeline.Answers{a("provider:free", 1000, 0, 12)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var open []pipeline.Breaker
			for _, s := range c.open {
				open = append(open, pipeline.Breaker{Scope: s, Reason: BlockDeadShare})
			}
			got := map[string]string{}
			for _, v := range judge(open, c.since, c.looked, 0) {
				got[v.scope] = v.reason
			}
			if len(got) != len(c.want) {
				t.Fatalf("opens %v; want %v", got, c.want)
			}
			for s, r := range c.want {
				if got[s] != r {
					t.Errorf("opens %v; want %v", got, c.want)
				}
			}
		})
	}
}

// bounce applies a bounce to accepted notices, as feedback does.
func (w *world) bounce(outcome pipeline.Outcome, which func(n pipeline.Notice) bool) (n int) {
	w.t.Helper()
	o := w.operate()
	var list []pipeline.Notice
	for j, err := range w.ledger.Each(w.t.Context(), pipeline.Filter{Campaign: 1, States: []pipeline.State{pipeline.Accepted}}) {
		if err != nil {
			w.t.Fatal(err)
		}
		if which(j.Notice) {
			list = append(list, j.Notice)
		}
	}
	moved, err := o.hand().move(w.t.Context(), list, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		return w.spec.Policy(), pipeline.Event{Attempt: n.Attempt, Kind: pipeline.EvBounced, Outcome: outcome, Actor: "feedback"}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return moved
}

// TestBouncesHoldTheirCohort: addresses of one contract kind prove dead hours after
// they were taken. That kind stops, the others go on, and a restart forgets nothing.
func TestBouncesHoldTheirCohort(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(2000, pipeline.Email, func(i int, n *pipeline.Notice) {
			n.Reach |= pipeline.ByPost
			n.Products = []string{[]string{"internet", "mobile", "tv", "fibre"}[i%4]}
			n.Provider = []string{"orange", "google", "free"}[i%3]
		})
		p := w.start()
		p.rest(time.Minute)
		w.want(map[pipeline.State]int{pipeline.Accepted: 2000})
		p.stop()
		time.Sleep(3 * time.Hour)
		dead := w.bounce(pipeline.Dead, func(n pipeline.Notice) bool { return n.Products[0] == "mobile" && n.ID%5 == 0 })
		other := w.bounce(pipeline.Dead, func(n pipeline.Notice) bool { return n.Products[0] == "tv" && n.ID%50 == 1 })
		if dead < 51 || other == 0 {
			t.Fatalf("%d and %d bounces", dead, other)
		}
		p = w.start(RoleDispatch, RoleCourier)
		time.Sleep(30 * time.Second)
		if w.open("kind:mobile") != BlockDeadShare {
			t.Fatalf("breakers: %v", w.ledger.breakers[1])
		}
		if n := len(w.ledger.breakers[1]); n != 1 {
			t.Errorf("%d breakers", n)
		}
		w.want(map[pipeline.State]int{pipeline.Held: dead, pipeline.Due: other})
		q := w.start(RolePrint)
		if err := w.operate().ReleaseBreaker(t.Context(), "muguet", "kind:mobile", "they are really gone"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		p.stop()
		q.stop()
		w.want(map[pipeline.State]int{pipeline.Held: 0, pipeline.Printing: dead + other})
	})
}

// TestOurBouncesStopTheProvider: what a provider took and sends back because of us
// is sent again when a person has released the breaker, and is a letter at the
// deadline if nobody does.
func TestOurBouncesStopTheProvider(t *testing.T) {
	for _, mended := range []bool{true, false} {
		t.Run(map[bool]string{true: "mended", false: "never mended"}[mended], func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.spec.Feedback.Deadline = pipeline.Duration(40 * time.Minute)
				w.people(400, pipeline.Email, func(i int, n *pipeline.Notice) {
					n.Reach |= pipeline.ByPost
					n.Provider = []string{"orange", "google"}[i%2]
				})
				p := w.start()
				p.rest(time.Minute)
				orange := func(n pipeline.Notice) bool { return n.Provider == "orange" }
				if n := w.bounce(pipeline.Ours, orange); n != 200 {
					t.Fatalf("%d bounced", n)
				}
				time.Sleep(20 * time.Minute) // by then the first resends are due
				if w.open("provider:orange") != BlockProvider || len(w.ledger.breakers[1]) != 1 {
					t.Fatalf("breakers: %v", w.ledger.breakers[1])
				}
				w.want(map[pipeline.State]int{pipeline.Due: 200, pipeline.Accepted: 200})
				if w.relay.total() != 400 || w.runs() != 0 {
					t.Errorf("%d mails, %d runs", w.relay.total(), w.runs())
				}
				if mended {
					if err := w.operate().ReleaseBreaker(t.Context(), "muguet", "provider:orange", "unblocked"); err != nil {
						t.Fatal(err)
					}
					p.rest(time.Minute)
					w.want(map[pipeline.State]int{pipeline.Accepted: 400})
				} else {
					time.Sleep(15 * time.Minute)
					w.want(map[pipeline.State]int{pipeline.Due: 200})
					time.Sleep(10 * time.Minute)
					w.want(map[pipeline.State]int{pipeline.Printing: 200, pipeline.Accepted: 200})
				}
				p.stop()
			})
		})
	}
}
