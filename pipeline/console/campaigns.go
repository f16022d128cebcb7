package console

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// This file holds the list of campaigns and the page of one.

func campaignRoutes() []route {
	return []route{
		{pattern: "GET /campaigns", may: ActSee, do: listCampaigns},
		{pattern: "GET /campaigns/{name}", may: ActSee, do: showCampaign},
		{pattern: "GET /campaigns/{name}/live", may: ActSee, do: live},
		{pattern: "GET /campaigns/{name}/planned", may: ActSee, do: showPlanned},
		{pattern: "GET /campaigns/{name}/version/{n}", may: ActSee, do: showVersion},
	}
}

// overview is a campaign with its figures.
type overview struct {
	Campaign  pipeline.Campaign
	Figures   Figures
	Bar       []bar
	Providers []provider
	Causes    []cause
	Bounces   pipeline.Answers // of all providers
	At        time.Time
	Paused    pipeline.Audit // who paused it and why, if it is among the latest deeds
	Next      next
}

// next is what comes, and when: what somebody asks before they go home.
type next struct {
	Launch  time.Time // it is set for then; zero: it is over, or not set
	Hours   string    // of sending; "": always
	Open    bool
	Turns   time.Time // when sending begins again; zero while it is open
	Emails  int64     // due within a day, and not yet
	Letters int64
	Waiting int64     // letters that are due and wait for a print run
	CutOff  time.Time // when they are put into one; zero: as they come
}

// nextOf says what comes of a campaign.
func nextOf(c pipeline.Campaign, f Figures, now time.Time) next {
	n := next{Emails: f.Coming[pipeline.Email], Letters: f.Coming[pipeline.Post], CutOff: f.CutOff}
	if c.State == pipeline.Running && c.LaunchAt.After(now) {
		n.Launch = c.LaunchAt
	}
	if h, err := pipeline.ParseHours(c.Email.Hours); err == nil && h.Zone != nil {
		n.Hours, n.Open = c.Email.Hours, h.Open(now)
		if !n.Open {
			n.Turns = h.Next(now)
		}
	}
	for _, d := range f.Due {
		if d.Channel == pipeline.Post {
			n.Waiting += d.Count
		}
	}
	return n
}

// provider is how one mailbox provider takes the e-mails.
type provider struct {
	Name    string
	Due     int64
	Answers pipeline.Answers
	Pace    Pace
}

// cause is why notices are where they are.
type cause struct {
	State pipeline.State
	Code  string
	Count int64
}

func (v *visit) overview(c pipeline.Campaign) (overview, error) {
	f, err := v.Board.Figures(v.ctx(), c)
	now := v.Clock.Now()
	return overview{c, f, barOf(f.Balance), providersOf(f), causesOf(f), bouncesOf(f), now, pausedBy(c, f), nextOf(c, f, now)}, err
}

// pausedBy is the deed that paused a campaign: who, and why. The canary says so itself.
func pausedBy(c pipeline.Campaign, f Figures) pipeline.Audit {
	i := slices.IndexFunc(f.Latest, func(a pipeline.Audit) bool { return a.Action == "pause" })
	if c.State != pipeline.Paused || c.PausedFor == "canary" || i < 0 {
		return pipeline.Audit{}
	}
	return f.Latest[i]
}

// versionOf is an approved version by its number, the zero one without it.
func versionOf(f Figures, n int) pipeline.Version {
	for _, v := range f.Versions {
		if v.N == n {
			return v
		}
	}
	return pipeline.Version{}
}

// providerScope begins the scopes of answers that are about one provider.
const providerScope = "provider:"

func providersOf(f Figures) []provider {
	by := map[string]*provider{}
	at := func(name string) *provider {
		if by[name] == nil {
			by[name] = &provider{Name: name}
		}
		return by[name]
	}
	for _, a := range f.Answers {
		if name, ok := strings.CutPrefix(a.Scope, providerScope); ok {
			at(name).Answers = a
		}
	}
	for _, d := range f.Due {
		if d.Channel == pipeline.Email {
			at(d.Provider).Due += d.Count
		}
	}
	list := make([]provider, 0, len(by))
	for _, p := range by {
		p.Pace = f.Paces[providerScope+p.Name]
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b provider) int {
		return cmp.Or(cmp.Compare(b.Due+b.Answers.Sent(), a.Due+a.Answers.Sent()), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func causesOf(f Figures) []cause {
	var list []cause
	for _, x := range []struct {
		state pipeline.State
		by    map[string]int64
	}{{pipeline.Held, f.Held}, {pipeline.Unreachable, f.Unreachable}} {
		for code, n := range x.by {
			list = append(list, cause{x.state, code, n})
		}
	}
	slices.SortFunc(list, func(a, b cause) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// bouncesOf are the answers of all providers together.
func bouncesOf(f Figures) pipeline.Answers {
	for _, a := range f.Answers {
		if a.Scope == pipeline.AllAnswers {
			return a
		}
	}
	return pipeline.Answers{}
}

func listCampaigns(v *visit) error {
	all, err := v.campaigns()
	if err != nil {
		return err
	}
	list := []overview{}
	for _, c := range slices.Backward(all) {
		o, err := v.overview(c)
		if err != nil {
			return err
		}
		list = append(list, o)
	}
	return v.page("campaigns", list)
}

func showCampaign(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	o, err := v.overview(c)
	if err != nil {
		return err
	}
	return v.page("campaign", o)
}

const (
	// liveEvery is the pause between two looks of a page that moves. A reader with a
	// screen reader hears the page, not each change: the part is not announced.
	liveEvery = 2 * time.Second
	// liveFor ends a stream; the browser opens another, and shows its login again.
	liveFor = 10 * time.Minute
)

// eventLines writes a text as the data of an event. A CR ends a line of a stream too:
// what stands behind one in a mail server's answer would be an event of its own.
func eventLines(text string) string {
	return strings.NewReplacer("\r\n", "\ndata: ", "\n", "\ndata: ", "\r", "\ndata: ").Replace(text)
}

// live sends the figures of a campaign as they move, as Server-Sent Events.
func live(v *visit) error {
	select {
	case v.streams <- struct{}{}:
		defer func() { <-v.streams }()
	default:
		return errTooMany
	}
	if !v.watching.take(v.user.Login, mostOwnStreams) {
		return errTooMany
	}
	defer v.watching.giveBack(v.user.Login)
	c, err := v.campaign()
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(v.w)
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	last, began := "", v.Real.Now()
	for {
		_ = rc.SetWriteDeadline(clock.Real{}.Now().Add(30 * time.Second))
		o, err := v.overview(c)
		if err != nil {
			return errAnswered // the page goes on showing what it has, and asks again
		}
		o.At = time.Time{}
		text, err := v.piece("campaign", "figures", map[string]any{"p": sheet{User: v.user, roles: v.user.Roles}, "D": o, "base": campaignPath(c)})
		if err != nil {
			v.Log.Error("the figures of a campaign cannot be shown", "error", err)
			return errAnswered
		}
		send := ": still here\n\n"
		if text != last {
			last = text
			send = "event: figures\ndata: " + eventLines(text) + "\n\n"
		}
		if _, err := fmt.Fprint(v.w, send); err != nil {
			return errAnswered
		}
		if err := rc.Flush(); err != nil {
			return errAnswered
		}
		select {
		case <-v.ctx().Done():
			return errAnswered
		case <-tick.C:
		}
		if v.Real.Now().Sub(began) > liveFor {
			return errAnswered
		}
		// Who was disabled meanwhile, or has logged out, sees no more.
		if _, _, err := v.Ledger.Session(v.ctx(), v.session.Hash); err != nil {
			_, _ = fmt.Fprint(v.w, "event: over\ndata: .\n\n")
			return errAnswered
		}
		if c, err = v.campaign(); err != nil {
			return errAnswered
		}
	}
}

func showVersion(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(f.Versions, func(x pipeline.Version) bool { return fmt.Sprint(x.N) == v.r.PathValue("n") })
	if i < 0 {
		return pipeline.ErrNotFound
	}
	return v.page("version", struct {
		Campaign pipeline.Campaign
		Version  pipeline.Version
		Attempts int64
		Lines    []diffLine
	}{c, f.Versions[i], f.Attempts[f.Versions[i].N], diffLines(f.Versions[i].Diff)})
}

// bar is one state in the picture of a campaign: X and Width in thousandths of the
// whole.
type bar struct {
	State    pipeline.State
	X, Width float64
	Count    int64
	Channels map[pipeline.Channel]int64
}

// barOf lays the states side by side. They fill the whole exactly: it is the
// population, not what happens to be counted.
func barOf(b pipeline.Balance) []bar {
	var list []bar
	x := 0.0
	for _, s := range pipeline.States() {
		n := b.States[s]
		if n == 0 {
			continue
		}
		one := bar{State: s, X: x, Count: n, Channels: map[pipeline.Channel]int64{}}
		for _, ch := range pipeline.Channels() {
			one.Channels[ch] = b.Channels[ch][s]
		}
		if b.Population > 0 {
			one.Width = 1000 * float64(n) / float64(b.Population)
		}
		x += one.Width
		list = append(list, one)
	}
	return list
}

// stateCount is a line of a table of states.
type stateCount struct {
	State pipeline.State
	Count int64
}

// stateCounts are the states that anybody is in, in the order of a notice's life.
func stateCounts(by map[pipeline.State]int64) []stateCount {
	var list []stateCount
	for _, s := range pipeline.States() {
		if n := by[s]; n > 0 {
			list = append(list, stateCount{s, n})
		}
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
