package console

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/art34/art34/pipeline"
)

// This file answers who looked at one customer, and why: for the auditor, and for the
// customer who asks (Article 15 GDPR). It shows what colleagues did, and nothing of
// the customer.

// traced is somebody whom a key leads to in one campaign, with everybody who looked.
type traced struct {
	Campaign pipeline.Campaign
	Notice   int64 // 0: somebody who is not concerned
	Calls    []tracedCall
	Deeds    []pipeline.Audit // that name the notices of the customer, newest first
}

// tracedCall is a call about the customer. What was noted in it stays sealed.
type tracedCall struct {
	Call  pipeline.Call
	Steps []Step
}

// traceData is the form, and what was found. What was typed is not shown again.
type traceData struct {
	Asked  bool
	People []traced
}

func traceForm(v *visit) error { return v.page("trace", traceData{}) }

// traceCustomer looks a customer up. That the auditor did is on record like any other
// look-up, with its reason.
func traceCustomer(v *visit) error {
	key, reason := v.value("key"), v.reason()
	if key == "" || len(key) > 320 {
		v.wrong("key", "problem.needed")
	}
	if len(v.problems) > 0 {
		return v.again("trace", traceData{})
	}
	who, err := v.asker()
	if err != nil {
		return err
	}
	s, err := v.Cell.Customers.Seek(v.ctx(), who.Actor, who.Campaigns, key)
	if err != nil {
		return err
	}
	if err := v.Cell.note(v.ctx(), s.Trail); err != nil {
		return err
	}
	d := traceData{Asked: true}
	for _, m := range s.Matches {
		one, err := v.Cell.traceNotice(v.ctx(), v.Ledger, m)
		if err != nil {
			return err
		}
		d.People = append(d.People, one)
		if err := v.traced(m.Campaign.ID, reason, fmt.Sprintf("notice %d", m.Notice)); err != nil {
			return err
		}
	}
	for _, b := range s.Others {
		calls, err := v.Cell.Calls.ToldBefore(v.ctx(), b.Campaign.ID, [][]byte{b.Token})
		if err != nil {
			return err
		}
		one := traced{Campaign: b.Campaign}
		if one.Calls, err = v.Cell.stepsOf(v.ctx(), calls); err != nil {
			return err
		}
		d.People = append(d.People, one)
		if err := v.traced(b.Campaign.ID, reason, "somebody who is not concerned"); err != nil {
			return err
		}
	}
	if len(d.People) == 0 {
		if err := v.traced(0, reason, "nobody"); err != nil {
			return err
		}
	}
	return v.page("trace", d)
}

// traced puts the search itself on record before anything is shown.
func (v *visit) traced(campaign int64, reason, detail string) error {
	return v.Ledger.Append(v.ctx(), pipeline.Audit{Campaign: campaign, At: v.Clock.Now(), Actor: v.actor(), Action: "trace", Reason: reason, Detail: detail})
}

// traceNotice is who looked at the customer of a primary notice.
func (k *Cell) traceNotice(ctx context.Context, trail Trail, m Match) (traced, error) {
	one := traced{Campaign: m.Campaign, Notice: m.Notice}
	ids := []int64{m.Notice}
	f, err := k.Customers.File(ctx, m.Campaign, m.Notice)
	if err != nil {
		return one, err
	}
	for _, n := range f.Notices {
		ids = append(ids, n.ID)
	}
	var calls []pipeline.Call
	for c, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Notice: m.Notice}) {
		if err != nil {
			return one, err
		}
		calls = append(calls, c)
	}
	if one.Calls, err = k.stepsOf(ctx, calls); err != nil {
		return one, err
	}
	for a, err := range trail.AuditTrail(ctx, m.Campaign.ID) {
		if err != nil {
			return one, err
		}
		if names(a.Detail, ids) {
			one.Deeds = append(one.Deeds, a)
		}
	}
	slices.Reverse(one.Deeds)
	return one, nil
}

// stepsOf reads what was done in calls, without what is sealed.
func (k *Cell) stepsOf(ctx context.Context, calls []pipeline.Call) (list []tracedCall, err error) {
	for _, c := range calls {
		steps, err := k.Calls.CallSteps(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		one := tracedCall{Call: c}
		for _, s := range steps {
			s.Sealed = nil
			one.Steps = append(one.Steps, Step{CallStep: s})
		}
		list = append(list, one)
	}
	return list, nil
}

// namedNotice is how the details of the audit trail name a notice.
var namedNotice = regexp.MustCompile(`\bnotice (\d+)\b`)

// names reports whether a detail names one of these notices.
func names(detail string, ids []int64) bool {
	for _, found := range namedNotice.FindAllStringSubmatch(detail, -1) {
		if id, err := strconv.ParseInt(found[1], 10, 64); err == nil && slices.Contains(ids, id) {
			return true
		}
	}
	return false
}
