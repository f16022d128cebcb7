package feedback

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/feedback/webhook"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// Read takes apart what came from a source: a message, or what a provider posted.
// It never fails: what cannot be read is Garbage.
func Read(source pipeline.InboundSource, raw []byte) *dsn.Report {
	switch source {
	case pipeline.FromSES:
		return posted((*webhook.SES)(nil).Events(raw))
	case pipeline.FromMailgun:
		return posted((*webhook.Mailgun)(nil).Events(raw))
	}
	// What was posted, from a file. Mail is mail, whatever it looks like.
	if trimmed := bytes.TrimSpace(raw); source == pipeline.FromFile && len(trimmed) > 0 && trimmed[0] == '{' {
		for _, a := range []webhook.Adapter{(*webhook.SES)(nil), (*webhook.Mailgun)(nil)} {
			if events, err := a.Events(trimmed); err == nil && len(events) > 0 {
				return posted(events, nil)
			}
		}
	}
	return dsn.Parse(raw)
}

// posted makes a report of what a provider says.
func posted(events []webhook.Event, err error) *dsn.Report {
	if err != nil || len(events) == 0 {
		return &dsn.Report{Shape: dsn.Garbage}
	}
	first := events[0]
	r := &dsn.Report{Shape: dsn.Delivery, Robot: true, EnvID: first.ReturnPath, MessageID: first.MessageID}
	switch first.Kind {
	case webhook.Complained:
		r.Shape, r.Feedback = dsn.Complaint, "abuse"
	case webhook.Unsubscribed:
		r.Shape, r.Feedback = dsn.Complaint, "opt-out"
	}
	for _, e := range events {
		rec := dsn.Recipient{Address: e.Recipient, Action: actions[e.Kind], Status: e.Status, Diagnostic: e.Text, Held: e.Outcome == pipeline.Ours, Reason: e.Reason}
		if e.Reply != 0 && !strings.HasPrefix(e.Text, strconv.Itoa(e.Reply)) {
			rec.Diagnostic = strings.TrimSpace(strconv.Itoa(e.Reply) + " " + e.Text)
		}
		r.Recipients = append(r.Recipients, rec)
	}
	return r
}

// actions are the kinds of events in words of RFC 3464 §2.3.3. That a server took
// a message is "relayed": it may still come back.
var actions = map[webhook.Kind]string{webhook.Failed: "failed", webhook.Uncertain: "unknown", webhook.Delayed: "delayed", webhook.Taken: "relayed"}

// told is what a provider says itself about a failure.
func told(rec dsn.Recipient) (pipeline.Outcome, string, bool) {
	if rec.Held {
		reason := rec.Reason
		if reason == "" {
			reason = smtpcode.Suppressed
		}
		return pipeline.Ours, reason, true
	}
	for _, r := range smtpcode.Reasons() {
		if r.Code == rec.Reason && rec.Reason != "" {
			return pipeline.Outcome(r.Outcome), r.Code, true
		}
	}
	return "", "", false
}
