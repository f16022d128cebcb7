package console

import (
	"context"
	"iter"

	"github.com/art34/art34/pipeline"
)

// Trail is the record of what people and the program decided.
type Trail interface {
	// LastAudits returns the newest entries, newest first.
	LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error)
	// AuditTrail yields all entries, oldest first.
	AuditTrail(ctx context.Context, campaign int64) iter.Seq2[pipeline.Audit, error]
}

func auditRoutes() []route {
	return []route{
		{pattern: "GET /audit", may: ActAudit, do: showAudit},
		{pattern: "GET /campaigns/{name}/audit", may: ActAudit, do: showAudit},
		{pattern: "GET /audit/customer", may: ActTrace, do: traceForm},
		{pattern: "POST /audit/customer", may: ActTrace, do: traceCustomer},
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
	var err error
	if d.Entries, err = v.Ledger.LastAudits(v.ctx(), of, auditShown+1); err != nil {
		return err
	}
	if len(d.Entries) > auditShown {
		d.Entries, d.More = d.Entries[:auditShown], true
	}
	return v.page("audit", d)
}
