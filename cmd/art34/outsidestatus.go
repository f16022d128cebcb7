package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/art34/art34/pipeline"
)

// outsideView is what people and the post reported, in status.
type outsideView struct {
	Told     int64             `json:"told"`     // informed by other means; part of informed
	Returned map[string]int64  `json:"returned"` // letters that came back, by reason
	Notified int64             `json:"notified"` // unreachable, with a public notice
	Public   *publicNoticeView `json:"public_notice,omitempty"`
}

type publicNoticeView struct {
	Reference string `json:"reference"`
	On        string `json:"on"`
}

// addOutside counts returned letters, customers told otherwise and public notices.
func (h *house) addOutside(ctx context.Context, c pipeline.Campaign, s *status) error {
	o, err := h.ledger.Outside(ctx, c.ID)
	if err != nil {
		return err
	}
	s.Outside = outsideView{Told: o.Told, Returned: o.Returned, Notified: o.Notified}
	if o.Notified > 0 {
		p, err := news[publicNotice](ctx, h, fmt.Sprint(metaPublic, c.ID))
		if err != nil {
			return err
		}
		s.Outside.Public = &publicNoticeView{p.Reference, p.On.Format(time.DateOnly)}
	}
	return nil
}

func (v outsideView) print(w io.Writer, unreachable int64) {
	if v.Told > 0 {
		fmt.Fprintf(w, "Told by other means: %s, counted as informed\n", count(v.Told, "customer", "customers"))
	}
	printCounts(w, "Letters that came back", v.Returned)
	if v.Public != nil {
		fmt.Fprintf(w, "Public notice of %s (%s): stands in for %s of %s unreachable\n", v.Public.On, v.Public.Reference, thousands(v.Notified), thousands(unreachable))
	}
}

func sumOf(counts map[string]int64) (n int64) {
	for _, x := range counts {
		n += x
	}
	return n
}
