package webhook

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// SES reads the events of Amazon SES as Amazon SNS posts them ("Amazon SNS
// notification contents for Amazon SES", and "Contents of event data that Amazon
// SES publishes to Amazon SNS").
type SES struct{ sns *sns }

// NewSES returns an adapter.
func NewSES(c SNSConfig) (*SES, error) {
	s, err := newSNS(c)
	if err != nil {
		return nil, err
	}
	return &SES{s}, nil
}

// Source implements Adapter.
func (*SES) Source() pipeline.InboundSource { return pipeline.FromSES }

// Accept implements Adapter.
func (s *SES) Accept(ctx context.Context, r Request, now time.Time) (Accepted, error) {
	e, err := s.sns.open(ctx, r.Body, now)
	if err != nil {
		return Accepted{}, err
	}
	switch e.Type {
	case subscription:
		return Accepted{ID: e.MessageID, Note: "the subscription to a topic of Amazon SNS is confirmed"}, s.sns.confirm(ctx, e)
	case unsubscription:
		return Accepted{ID: e.MessageID, Note: "somebody ended the subscription to a topic of Amazon SNS: nothing comes from it any more; subscribe again in its console"}, nil
	}
	events, err := s.Events(r.Body)
	if err != nil {
		return Accepted{}, refuse(http.StatusBadRequest, "the message of the topic is no event of Amazon SES")
	}
	return Accepted{ID: e.MessageID, Keep: len(events) > 0}, nil
}

type sesEvent struct {
	NotificationType string `json:"notificationType"`
	EventType        string `json:"eventType"`
	Mail             struct {
		Source      string   `json:"source"`
		Destination []string `json:"destination"`
		Headers     []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
		Common struct {
			MessageID string `json:"messageId"`
		} `json:"commonHeaders"`
	} `json:"mail"`
	Bounce struct {
		Type       string         `json:"bounceType"`
		Sub        string         `json:"bounceSubType"`
		Timestamp  string         `json:"timestamp"`
		Recipients []sesRecipient `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Sub        string         `json:"complaintSubType"`
		Timestamp  string         `json:"timestamp"`
		Recipients []sesRecipient `json:"complainedRecipients"`
	} `json:"complaint"`
	Delivery struct {
		Timestamp  string   `json:"timestamp"`
		Recipients []string `json:"recipients"`
		Response   string   `json:"smtpResponse"`
	} `json:"delivery"`
	Delay struct {
		Type       string         `json:"delayType"`
		Timestamp  string         `json:"timestamp"`
		Recipients []sesRecipient `json:"delayedRecipients"`
	} `json:"deliveryDelay"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	Failure struct {
		Message string `json:"errorMessage"`
	} `json:"failure"`
}

type sesRecipient struct {
	Address    string `json:"emailAddress"`
	Action     string `json:"action"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

// mostRecipients bounds the events of one request.
const mostRecipients = 100

// Events implements Adapter. It reads the envelope of SNS, or the event alone (raw
// message delivery).
func (*SES) Events(body []byte) ([]Event, error) {
	var e snsEnvelope
	if json.Unmarshal(body, &e) != nil {
		return nil, ErrMalformed
	}
	inner := []byte(e.Message)
	if e.Type == "" {
		inner = body
	}
	var s sesEvent
	if json.Unmarshal(inner, &s) != nil {
		if e.Type == notification {
			return nil, nil // "Successfully validated SNS topic for Amazon SES event publishing."
		}
		return nil, ErrMalformed
	}
	base := Event{ID: e.MessageID, ReturnPath: s.Mail.Source, MessageID: angle(s.Mail.Common.MessageID)}
	for _, h := range s.Mail.Headers {
		if strings.EqualFold(h.Name, "Message-ID") {
			base.MessageID = angle(h.Value) // the one we gave, which SES replaces
		}
	}
	base.At = when(e.Timestamp)
	return s.events(base), nil
}

func (s *sesEvent) events(base Event) (out []Event) {
	add := func(e Event, recipient string) {
		e.Recipient = recipient
		if len(out) < mostRecipients {
			out = append(out, e)
		}
	}
	kind := s.NotificationType
	if kind == "" {
		kind = s.EventType
	}
	switch strings.ToLower(kind) {
	case "bounce":
		base.At = later(base.At, s.Bounce.Timestamp)
		for _, r := range s.Bounce.Recipients {
			add(s.bounced(base, r), r.Address)
		}
	case "complaint":
		base.Kind, base.At = Complained, later(base.At, s.Complaint.Timestamp)
		if s.Complaint.Sub == "OnAccountSuppressionList" {
			base.Kind, base.Outcome, base.Reason = Failed, pipeline.Ours, smtpcode.Suppressed // it was not sent
		}
		for _, r := range s.Complaint.Recipients {
			add(base, r.Address)
		}
	case "delivery":
		base.Kind, base.Text, base.At = Taken, s.Delivery.Response, later(base.At, s.Delivery.Timestamp)
		for _, r := range s.Delivery.Recipients {
			add(base, r)
		}
	case "deliverydelay":
		base.Kind, base.At = Delayed, later(base.At, s.Delay.Timestamp)
		for _, r := range s.Delay.Recipients {
			e := base
			e.Status, e.Text = r.Status, untyped(r.Diagnostic)
			add(e, r.Address)
		}
	case "reject", "rendering failure":
		base.Kind, base.Outcome, base.Reason, base.Text = Failed, pipeline.Ours, smtpcode.Content, strings.TrimSpace(s.Reject.Reason+" "+s.Failure.Message)
		for _, to := range s.Mail.Destination {
			add(base, to)
		}
	default:
		return nil // send, open, click, subscription: nothing for us
	}
	if len(out) == 0 {
		add(base, "")
		if out[0].Kind == "" {
			out[0].Kind = Uncertain
		}
	}
	return out
}

// bounced reads one recipient of a bounce: what SES says of it, and why.
func (s *sesEvent) bounced(e Event, r sesRecipient) Event {
	e.Kind, e.Status, e.Text = Failed, r.Status, untyped(r.Diagnostic)
	switch s.Bounce.Sub {
	case "Suppressed", "OnAccountSuppressionList", "UnsubscribedRecipient":
		e.Outcome, e.Reason = pipeline.Ours, smtpcode.Suppressed
	case "MessageTooLarge":
		e.Reason = smtpcode.TooBig
	case "ContentRejected", "AttachmentRejected":
		e.Reason = smtpcode.Content
	case "MailboxFull":
		e.Reason = smtpcode.MailboxFull
	case "CustomTimeoutExceeded":
		e.Reason = smtpcode.Expired
	}
	action := strings.ToLower(strings.TrimSpace(r.Action))
	switch {
	case action == "delayed":
		e.Kind = Delayed
	case action == "delivered", action == "relayed", action == "expanded":
		e.Kind = Taken
	case e.Reason == "" && action == "" && r.Status == "" && r.Diagnostic == "" && s.Bounce.Type == "Transient":
		e.Kind = Uncertain // absences come like that
	}
	return e
}

// untyped drops the type of a diagnostic: "smtp; 550 no".
func untyped(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " <@") {
		s = rest
	}
	return strings.TrimSpace(s)
}

// when reads a time of Amazon; zero where it is none.
func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// later is the time of the event itself, where it is given.
func later(at time.Time, s string) time.Time {
	if t := when(s); !t.IsZero() {
		return t
	}
	return at
}
