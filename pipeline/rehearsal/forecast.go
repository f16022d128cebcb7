package rehearsal

import (
	"math"
	"time"

	"github.com/art34/art34/pipeline"
)

// Load is the work ahead of a campaign.
type Load struct {
	Email   map[string]int64 // e-mails per mailbox provider
	Letters map[Size]int64
}

// Size is the class of a letter and how many of its pages bear text.
type Size struct {
	Class string
	Pages int
}

// Capacity is what the house can do.
type Capacity struct {
	PerSecond float64 // e-mails that the relay takes, over all connections; 0: no limit known
	Policy    pipeline.EmailPolicy
	RunSize   int // letters per print run; 0: 1000
	Duplex    bool
	Assumed   Assumed
}

// Assumed says what share of first e-mails is expected to fail.
type Assumed struct {
	Failed float64 // at once or later, for whatever reason
	Dead   float64 // of all: for good, so that a letter takes their place
}

// Usually is what a list of customers that is written to now and then has: one in
// twenty fails at first, three in a hundred for good. Lists that nobody has written
// to for years have twice as many.
func Usually() Assumed { return Assumed{Failed: 0.05, Dead: 0.03} }

// Forecast is how long it takes and how much is printed.
type Forecast struct {
	Emails, Letters, Pages, Sheets, Runs int64
	Email                                time.Duration            // until the last first e-mail is handed over
	Providers                            map[string]time.Duration // alone
	// What comes on top, as assumed: bounces, and the letters that replace e-mails,
	// at most, since not everybody has a postal address.
	Bounces, Fallbacks, FallbackSheets int64
}

// Predict computes a forecast. Providers are served side by side; the campaign's
// global rate and what the relay takes bound them together; sending hours stretch
// the whole by the part of the day that they leave.
func Predict(l Load, c Capacity) Forecast {
	f := Forecast{Providers: map[string]time.Duration{}}
	limits := c.Policy.Providers.InForce()
	for p, n := range l.Email {
		f.Emails += n
		d := paced(n, limits[p])
		f.Providers[p] = d
		f.Email = max(f.Email, d)
	}
	for _, rate := range []float64{c.Policy.Rate, c.PerSecond} {
		if rate > 0 {
			f.Email = max(f.Email, seconds(float64(f.Emails)/rate))
		}
	}
	if h, err := pipeline.ParseHours(c.Policy.Hours); err == nil && h.Zone != nil {
		f.Email = stretched(f.Email, h)
	}
	size := int64(c.RunSize)
	if size == 0 {
		size = 1000
	}
	piles := map[Size]int64{} // a run holds one class of letters of as many sheets
	for s, n := range l.Letters {
		sheets := s.Pages
		if c.Duplex {
			sheets = (sheets + 1) / 2
		}
		f.Letters += n
		f.Pages += n * int64(s.Pages)
		f.Sheets += n * int64(sheets)
		piles[Size{s.Class, sheets}] += n
	}
	for _, n := range piles {
		f.Runs += (n + size - 1) / size
	}
	f.Bounces, f.Fallbacks = part(f.Emails, c.Assumed.Failed), part(f.Emails, c.Assumed.Dead)
	f.FallbackSheets = f.Fallbacks
	if f.Letters > 0 {
		// They are as long as the first letters on the average.
		f.FallbackSheets = (f.Fallbacks*f.Sheets + f.Letters - 1) / f.Letters
	}
	return f
}

// part is a share of n, rounded up.
func part(n int64, share float64) int64 { return int64(math.Ceil(float64(n)*share - 1e-9)) }

// paced is the time for n messages to one provider: the rate rises in a straight
// line from RampFrom to Rate over RampOver, then stays.
func paced(n int64, l pipeline.ProviderLimit) time.Duration {
	if l.Rate <= 0 {
		return 0
	}
	ramp := time.Duration(l.RampOver).Seconds()
	if ramp <= 0 || l.RampFrom <= 0 || l.RampFrom >= l.Rate {
		return seconds(float64(n) / l.Rate)
	}
	during := (l.RampFrom + l.Rate) / 2 * ramp
	if float64(n) >= during {
		return seconds(ramp + (float64(n)-during)/l.Rate)
	}
	// Bisect the quadratic: exact to a second is enough.
	low, high := 0.0, ramp
	for high-low > 0.5 {
		t := (low + high) / 2
		if l.RampFrom*t+(l.Rate-l.RampFrom)*t*t/(2*ramp) < float64(n) {
			low = t
		} else {
			high = t
		}
	}
	return seconds(high)
}

// stretched spreads work over days of which only a part is open.
func stretched(work time.Duration, h pipeline.Hours) time.Duration {
	const day = 24 * time.Hour
	open := h.To - h.From
	if open <= 0 {
		open += day
	}
	full := work / open
	return full*day + work%open
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
