package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// metaWithheld is what a provider did not send for a campaign because of a list of
// its own.
const metaWithheld = "withheld/" // + id of the campaign

// withheld counts e-mails that our own provider kept back. Nobody is dead there and
// nothing is settled: somebody has to clear the provider's list.
type withheld struct {
	Count int64     `json:"count"`
	Last  time.Time `json:"last"`
}

func (h *house) withheld(ctx context.Context, campaign int64) (withheld, error) {
	return news[withheld](ctx, h, fmt.Sprint(metaWithheld, campaign))
}

// keptBack reports whether an event says that our provider withheld a message, or
// put a link into it by which customers take themselves off.
func keptBack(e pipeline.Event) bool {
	said := func(reason string) bool { return e.Code == reason || strings.HasPrefix(e.Detail, reason+": ") }
	switch e.Kind {
	case pipeline.EvBounced:
		return e.Outcome == pipeline.Ours && said(smtpcode.Suppressed)
	case pipeline.EvReplied: // an event of the provider, and no answer of the customer
		return said(feedback.ReasonOptOut)
	}
	return false
}

// noted raises the alarm about what a provider keeps back. After a crash it may count
// an event twice, and never none.
func (h *house) noted(ctx context.Context, n pipeline.Notice, e pipeline.Event) {
	if !keptBack(e) {
		return
	}
	w, err := h.withheld(ctx, n.Campaign)
	if err == nil {
		w.Count, w.Last = w.Count+1, e.At.UTC()
		var data []byte
		if data, err = json.Marshal(w); err == nil {
			_, err = h.ledger.SetMeta(ctx, fmt.Sprint(metaWithheld, n.Campaign), string(data), false)
		}
	}
	h.log.Error("a mail provider withholds our e-mails: its list of suppressed or unsubscribed addresses has to be cleared", "campaign", n.Campaign, "notice", n.ID, "so_far", w.Count, "error", err)
}
