package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/art34/art34/pipeline"
)

// canary is the account of a campaign that stops after so many were accepted.
type canary struct {
	at   time.Duration // when it was counted
	room int           // how many more may be taken
}

const canaryCount = 200 * time.Millisecond

// canary returns how many of room notices may be taken: never so many that more
// than k.Canary could be accepted. When they are, or nothing is left that could
// be, the campaign pauses for a person to resume.
func (d *dispatcher) canary(ctx context.Context, k *campaign, room int) (int, error) {
	c := d.canaries[k.ID]
	if c.at == 0 || d.s.elapsed()-c.at >= canaryCount || c.room > 0 {
		list, err := d.s.Ledger.Tally(ctx, k.ID)
		if d.s.reached(ctx, "ledger", err) != nil {
			return 0, err
		}
		accepted, moving := 0, 0
		for _, t := range list {
			if t.Channel != pipeline.Email {
				continue
			}
			switch t.State {
			case pipeline.Accepted, pipeline.Informed:
				accepted += int(t.Count)
			case pipeline.Queued, pipeline.Sending, pipeline.InDoubt:
				moving += int(t.Count)
			}
		}
		c = canary{at: d.s.elapsed(), room: k.Canary - accepted - moving}
		if accepted >= k.Canary || moving == 0 && d.nothingDue(ctx, k) {
			return 0, d.pause(ctx, k, accepted)
		}
		d.canaries[k.ID] = c
	}
	return max(0, min(room, c.room)), nil
}

// nothingDue reports whether no e-mail is planned at all.
func (d *dispatcher) nothingDue(ctx context.Context, k *campaign) bool {
	next, err := d.s.Ledger.NextDue(ctx, k.ID)
	return err == nil && next[pipeline.Email].IsZero()
}

// pause stops a campaign for its canary. A person who paused it or changed its
// pacing at the same moment was first.
func (d *dispatcher) pause(ctx context.Context, k *campaign, accepted int) error {
	c, err := d.s.Ledger.Campaign(ctx, k.Name)
	if err != nil || c.State != pipeline.Running || c.Canary != k.Canary {
		return d.s.reached(ctx, "ledger", err)
	}
	c.State, c.PausedFor = pipeline.Paused, BlockCanary
	err = d.s.Ledger.UpdateCampaign(ctx, c, []pipeline.CampaignState{pipeline.Running}, pipeline.Audit{
		Campaign: c.ID, At: d.s.Clock.Now(), Actor: "dispatcher", Action: "pause", Reason: BlockCanary, Detail: fmt.Sprintf("%d accepted", accepted),
	})
	if conflict(err) {
		return nil
	}
	d.s.Log.Info("the canary was accepted; the campaign waits to be resumed", "campaign", c.ID, "accepted", accepted)
	return d.s.reached(ctx, "ledger", err)
}
