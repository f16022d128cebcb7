package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/kit/redact"
)

// publicNotice is remembered for status.
type publicNotice struct {
	Reference string        `json:"reference"`
	On        pipeline.Date `json:"on"`
	Notices   int64         `json:"notices"` // that it stood in for when it was recorded
}

// metaPublic + id of the campaign remembers the newest public notice.
const metaPublic = "public-notice/"

// publish records a public notice with everybody who is unreachable.
func (c outsideCmd) publish(ctx context.Context, h *house, campaign pipeline.Campaign) error {
	p := publicNotice{Reference: strings.TrimSpace(c.Reference)}
	if err := p.On.UnmarshalText([]byte(c.On)); err != nil || p.On.IsZero() || p.Reference == "" || p.On.After(h.clock.Now()) {
		return refuse("usage", "a public notice needs --reference, where it stands, and --on, the day on which it was published, not in the future", `for example --reference "Le Quotidien, page 5" --on 2026-02-10`)
	}
	if what := redact.Personal(p.Reference); what != "" || len(p.Reference) > 200 {
		return refuse("usage", "--reference is at most 200 bytes, without addresses and telephone numbers", "name the newspaper or page, and where the proof is kept")
	}
	at := p.On.Add(12 * time.Hour)
	if at.After(h.clock.Now()) {
		at = h.clock.Now()
	}
	result := publicResult{Campaign: campaign.Name, Reference: p.Reference, On: c.On, DryRun: c.DryRun}
	var news []dispatch.News
	flush := func() error {
		if c.DryRun || len(news) == 0 {
			return nil
		}
		_, err := h.operations().Notified(ctx, campaign.ID, news)
		news = nil
		return err
	}
	e := pipeline.Event{At: at, Code: "public-notice", Detail: p.Reference + ", " + c.On}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: campaign.ID, States: []pipeline.State{pipeline.Unreachable}}) {
		if err != nil {
			return err
		}
		known, err := h.saidBefore(ctx, j.ID, e)
		if err != nil {
			return err
		}
		if p.Notices++; known {
			result.Already++
			continue
		}
		result.Recorded++
		if news = append(news, dispatch.News{Notice: j.ID, Event: e}); len(news) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if !c.DryRun && p.Notices > 0 {
		if err := h.rememberPublic(ctx, campaign, p); err != nil {
			return err
		}
	}
	if err := h.answer(result, result.print); err != nil {
		return err
	}
	if p.Notices == 0 {
		return errNo
	}
	return nil
}

// saidBefore reports whether an event of this kind and content is on record.
func (h *house) saidBefore(ctx context.Context, notice int64, e pipeline.Event) (bool, error) {
	events, err := h.ledger.Events(ctx, notice)
	return slices.ContainsFunc(events, func(old pipeline.Event) bool {
		return old.Kind == pipeline.EvNotified && old.Code == e.Code && old.Detail == e.Detail
	}), err
}

func (h *house) rememberPublic(ctx context.Context, campaign pipeline.Campaign, p publicNotice) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := h.ledger.SetMeta(ctx, fmt.Sprint(metaPublic, campaign.ID), string(data), false); err != nil {
		return err
	}
	return h.ledger.Append(ctx, h.audit(campaign.ID, "public-notice", p.Reference, fmt.Sprintf("%s, %d notices", p.On.Format(time.DateOnly), p.Notices)))
}

// publicResult is the answer of outside --public-notice.
type publicResult struct {
	Campaign  string `json:"campaign"`
	Reference string `json:"reference"`
	On        string `json:"on"`
	Recorded  int64  `json:"recorded"`
	Already   int64  `json:"already"`
	DryRun    bool   `json:"dry_run"`
}

func (r publicResult) print(w io.Writer) {
	if r.Recorded+r.Already == 0 {
		fmt.Fprintln(w, "Nobody is unreachable; nothing was recorded.")
		return
	}
	verb := "is recorded"
	if r.DryRun {
		verb = "would be recorded"
	}
	fmt.Fprintf(w, "The public notice of %s %s with %s; %s had it before. They stay unreachable.\n", r.On, verb, count(r.Recorded, "unreachable notice", "unreachable notices"), thousands(r.Already))
}
