package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// plannedView is a line of status --planned: what falls due on one day.
type plannedView struct {
	Day     string           `json:"day"` // YYYY-MM-DD; "now" for what is due already
	What    string           `json:"what"`
	Code    string           `json:"code"` // first, retry, resend-1, resend-ours, fallback, …
	Channel pipeline.Channel `json:"channel"`
	Cause   string           `json:"cause,omitempty"` // code
	Role    pipeline.Role    `json:"role,omitempty"`
	Notices int64            `json:"notices"`
}

// plannedAnswer is status --planned.
type plannedAnswer struct {
	Campaign string                 `json:"campaign"`
	State    pipeline.CampaignState `json:"state"`
	Zone     string                 `json:"zone"`
	Planned  []plannedView          `json:"planned"`
}

// planned shows what happens when.
func (h *house) planned(ctx context.Context, c pipeline.Campaign) error {
	now := h.clock.Now().Local()
	name, offset := now.Zone()
	list, err := h.ledger.Planned(ctx, c.ID, time.Duration(offset)*time.Second)
	if err != nil {
		return err
	}
	today := (now.Unix() + int64(offset)) / 86400
	a := plannedAnswer{Campaign: c.Name, State: c.State, Zone: name, Planned: []plannedView{}}
	for _, p := range list {
		v := plannedView{Day: time.Unix(p.Day*86400, 0).UTC().Format(time.DateOnly), Channel: p.Channel, Cause: p.Reason, Notices: p.Count}
		if p.Day < today {
			v.Day = "now"
		}
		if p.Role != pipeline.Primary {
			v.Role = p.Role
		}
		v.Code, v.What = plannedWords(p)
		a.add(v)
	}
	return h.answer(a, func(w io.Writer) { a.print(w, c) })
}

// add puts what was due on earlier days together.
func (a *plannedAnswer) add(v plannedView) {
	for i, o := range a.Planned {
		n := v.Notices
		o.Notices, v.Notices = 0, 0
		if o == v {
			a.Planned[i].Notices += n
			return
		}
		v.Notices = n
	}
	a.Planned = append(a.Planned, v)
}

// plannedWords says what is planned, as a code and in words.
func plannedWords(p pipeline.Planned) (code, words string) {
	letter := p.Channel == pipeline.Post
	by := "e-mail"
	if letter {
		by = "letter"
	}
	switch p.State {
	case pipeline.Accepted:
		return "bounce-window", "the bounce window closes: informed, if the way back is proven"
	case pipeline.Posted:
		return "return-window", "the return window closes: informed"
	case pipeline.InDoubt:
		return "doubt", "a doubt is settled by policy"
	}
	switch p.Kind {
	case pipeline.First:
		if p.Role == pipeline.Supplement {
			return "first", "supplement by " + by
		}
		return "first", "first " + by
	case pipeline.CopyOf:
		return "copy", "paper copy"
	case pipeline.Retry:
		return "retry", by + " once more"
	case pipeline.Fallback:
		switch {
		case pipeline.Unread(p.Reason):
			return "fallback", "letter at the deadline: a robot says that nobody reads the mailbox"
		case p.Reason == pipeline.ReasonAddressDead:
			return "fallback", "fallback letter: the e-mail address is dead"
		case p.Reason == pipeline.ReasonReturned:
			return "fallback", "e-mail instead of a letter that came back"
		case p.Reason == pipeline.ReasonDeadline:
			return "fallback", "fallback letter: the deadline passed"
		case p.Reason == pipeline.ReasonTransient:
			return "fallback", "fallback letter: the resends are used up"
		}
		return "fallback", "fallback " + by
	}
	switch p.Reason {
	case pipeline.ReasonTransient:
		return fmt.Sprint("resend-", p.Resends), fmt.Sprintf("resend %d of the e-mail: the mailbox could not take it", p.Resends)
	case pipeline.ReasonOurs:
		return "resend-ours", "resend of the e-mail: the provider refused us"
	case pipeline.ReasonDoubt:
		return "resend-doubt", "resend of the e-mail out of doubt"
	case pipeline.ReasonCorrected:
		return "corrected", by + " to a corrected address"
	}
	return "resend", "resend by " + by
}

func (a *plannedAnswer) print(w io.Writer, c pipeline.Campaign) {
	if len(a.Planned) == 0 {
		fmt.Fprintf(w, "Nothing is planned in %s.\n", a.Campaign)
		return
	}
	if c.State != pipeline.Running {
		fmt.Fprintf(w, "%s is %s: nothing of this happens until it runs.\n\n", a.Campaign, c.State)
	}
	table(w, func(w io.Writer) {
		fmt.Fprintf(w, "DAY (%s)\tNOTICES\tWHAT\n", a.Zone)
		day := ""
		for _, p := range a.Planned {
			shown := p.Day
			if shown == day {
				shown = ""
			}
			day = p.Day
			what := p.What
			if p.Role == pipeline.Supplement && !strings.HasPrefix(what, "supplement") {
				what += " (supplement)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", shown, thousands(p.Notices), what)
		}
	})
}
