package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/rehearsal"
)

// outlook is how long the sending takes and how much is printed.
type outlook struct {
	Emails       int64              `json:"emails"`
	EmailSeconds float64            `json:"email_seconds"` // until the last first e-mail is handed over, if the relay keeps up
	Providers    map[string]float64 `json:"providers"`     // seconds that each would take alone
	Letters      int64              `json:"letters"`       // first letters; those that replace dead addresses come on top
	Pages        int64              `json:"pages"`
	Sheets       int64              `json:"sheets"`
	Runs         int64              `json:"runs"`

	// What comes on top of the first e-mails and letters, and what it assumes.
	Bounces        int64   `json:"expected_bounces"`
	Fallbacks      int64   `json:"fallback_letters"` // at most
	FallbackSheets int64   `json:"fallback_sheets"`
	AssumedFailed  float64 `json:"assumed_failed"` // share of first e-mails
	AssumedDead    float64 `json:"assumed_dead"`
}

// predict turns the work ahead into an outlook. perSecond is what the relay or
// this machine can do; 0 if nobody knows.
func predict(load rehearsal.Load, pacing pipeline.EmailPolicy, post pipeline.PostPolicy, perSecond float64) outlook {
	assumed := rehearsal.Usually()
	f := rehearsal.Predict(load, rehearsal.Capacity{
		PerSecond: perSecond, Policy: pacing, RunSize: post.RunSize, Duplex: post.Duplex == nil || *post.Duplex, Assumed: assumed,
	})
	o := outlook{
		Emails: f.Emails, EmailSeconds: f.Email.Seconds(), Providers: map[string]float64{},
		Letters: f.Letters, Pages: f.Pages, Sheets: f.Sheets, Runs: f.Runs,
		Bounces: f.Bounces, Fallbacks: f.Fallbacks, FallbackSheets: f.FallbackSheets, AssumedFailed: assumed.Failed, AssumedDead: assumed.Dead,
	}
	for p, d := range f.Providers {
		if d > 0 {
			o.Providers[p] = d.Seconds()
		}
	}
	return o
}

// forecast predicts from what check rendered. What this machine rendered a second
// bounds what it can send.
func (k *checker) forecast(took time.Duration) outlook {
	perSecond := 0.0
	if took > 0 && k.result.Rendered > 0 {
		perSecond = float64(k.result.Rendered) / took.Seconds()
	}
	pacing := k.e.spec.Email
	if !k.before {
		pacing = k.c.Email
	}
	return predict(rehearsal.Load{Email: k.emails, Letters: k.pages}, pacing, k.e.spec.Post, perSecond)
}

// words is the outlook in a sentence without a full stop.
func (o outlook) words() string {
	s := count(o.Emails, "e-mail", "e-mails")
	if o.EmailSeconds > 0 {
		s += " in about " + roughly(time.Duration(o.EmailSeconds*float64(time.Second)))
	}
	if o.Letters > 0 {
		s += fmt.Sprintf(", %s on %s in %s", count(o.Letters, "letter", "letters"), count(o.Sheets, "sheet", "sheets"), count(o.Runs, "print run", "print runs"))
	}
	return s
}

// expected says what comes back and what it costs, a sentence on a line of its own;
// "" where no e-mail is sent.
func (o outlook) expected() string {
	if o.Emails == 0 {
		return ""
	}
	return fmt.Sprintf("Expect about %s, and up to %s on %s in place of e-mails: %s on %s in all. This assumes that %s of the first e-mails fail, %s for good; a list that nobody has written to for years has twice as many.\n",
		count(o.Bounces, "bounce", "bounces"), count(o.Fallbacks, "letter", "letters"), count(o.FallbackSheets, "sheet", "sheets"),
		count(o.Letters+o.Fallbacks, "letter", "letters"), count(o.Sheets+o.FallbackSheets, "sheet", "sheets"), percent(o.AssumedFailed), percent(o.AssumedDead))
}

// percent writes a share: "5 %".
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

func (o outlook) print(w io.Writer) {
	fmt.Fprintf(w, "Forecast: %s, if the relay keeps up.\n", o.words())
	fmt.Fprint(w, o.expected())
	longest, name := 0.0, ""
	for p, s := range o.Providers {
		if s > longest || s == longest && p < name {
			longest, name = s, p
		}
	}
	if name != "" {
		fmt.Fprintf(w, "The longest by its pace: %s, %s.\n", name, roughly(time.Duration(longest*float64(time.Second))))
	}
}

// dueLoad is the first sending of a campaign as it stands. How many pages a letter
// has nobody knows before it is laid out: one is assumed.
func (h *house) dueLoad(ctx context.Context, c pipeline.Campaign) (rehearsal.Load, error) {
	load := rehearsal.Load{Email: map[string]int64{}, Letters: map[rehearsal.Size]int64{}}
	due, err := h.ledger.CountDue(ctx, c.ID, h.clock.Now().Add(100*365*24*time.Hour), countCap)
	for _, d := range due {
		switch d.Channel {
		case pipeline.Email:
			load.Email[d.Provider] += d.Count
		case pipeline.Post:
			load.Letters[rehearsal.Size{Pages: 1}] += d.Count
		}
	}
	return load, err
}

// forecastOf predicts the first sending of a campaign as it stands, in earnest:
// with the pacing of its folder.
func (h *house) forecastOf(ctx context.Context, c pipeline.Campaign) (outlook, error) {
	_, spec, err := h.folder(c.Name).read()
	if err != nil {
		return outlook{}, err
	}
	load, err := h.dueLoad(ctx, c)
	if err != nil {
		return outlook{}, err
	}
	return predict(load, spec.Email, spec.Post, 0), nil
}

// firstLetters counts the letters of runs by their pages, each first attempt once:
// those that replace e-mails come on top of a forecast.
func (h *house) firstLetters(ctx context.Context, runs []pipeline.Run) (map[rehearsal.Size]int64, error) {
	letters, seen := map[rehearsal.Size]int64{}, map[int64]bool{}
	for _, r := range runs {
		items, err := h.ledger.RunItems(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			if i.Attempt == 1 && i.Pages > 0 && !seen[i.Notice] {
				seen[i.Notice] = true
				letters[rehearsal.Size{Class: r.Class, Pages: i.Pages}]++
			}
		}
	}
	return letters, nil
}
