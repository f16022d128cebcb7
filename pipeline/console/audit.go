package console

import (
	"context"
	"iter"

	"github.com/art34/art34/pipeline"
)

// Trail is the record of what people and the program decided.
type Trail interface {
	AuditTrail(ctx context.Context, campaign int64) iter.Seq2[pipeline.Audit, error]
}

func auditRoutes() []route {
	return []route{
		{pattern: "GET /audit", may: ActAudit, do: showAudit},
		{pattern: "GET /campaigns/{name}/audit", may: ActAudit, do: showAudit},
	}
}

// auditShown is how many entries a page shows: the newest. The whole trail is for
// `art34 report`.
const auditShown = 500

func showAudit(v *visit) error {
	d := struct {
		Campaign *pipeline.Campaign
		Others   []pipeline.Campaign
		Entries  []pipeline.Audit
		More     bool
	}{}
	var of int64
	if v.r.PathValue("name") != "" {
		c, err := v.campaign()
		if err != nil {
			return err
		}
		d.Campaign, of = &c, c.ID
	} else {
		var err error
		if d.Others, err = v.campaigns(); err != nil {
			return err
		}
	}
	var ring []pipeline.Audit
	for a, err := range v.Ledger.AuditTrail(v.ctx(), of) {
		if err != nil {
			return err
		}
		if len(ring) == 2*auditShown {
			ring = append(ring[:0], ring[auditShown:]...)
			d.More = true
		}
		ring = append(ring, a)
	}
	if len(ring) > auditShown {
		ring, d.More = ring[len(ring)-auditShown:], true
	}
	for i := len(ring) - 1; i >= 0; i-- {
		d.Entries = append(d.Entries, ring[i])
	}
	return v.page("audit", d)
}
