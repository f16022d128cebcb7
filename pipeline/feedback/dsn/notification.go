package dsn

import (
	"encoding/json"
	"strings"
)

// notification is an event of Amazon SES as its SNS mails or posts it; see "Amazon
// SNS notification contents for Amazon SES" in the manual.
type notification struct {
	Message          string `json:"Message"` // of the envelope of SNS: the event as a string
	NotificationType string `json:"notificationType"`
	EventType        string `json:"eventType"`
	Mail             struct {
		Source      string   `json:"source"`
		Destination []string `json:"destination"`
	} `json:"mail"`
	Bounce struct {
		Type       string `json:"bounceType"`
		Sub        string `json:"bounceSubType"`
		Recipients []struct {
			Address    string `json:"emailAddress"`
			Action     string `json:"action"`
			Status     string `json:"status"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Type       string `json:"complaintFeedbackType"`
		Recipients []struct {
			Address string `json:"emailAddress"`
		} `json:"complainedRecipients"`
	} `json:"complaint"`
}

// notification reads a text that is such an event; false when it is none.
func (r *Report) notification() bool {
	t := strings.TrimSpace(r.Text)
	if !strings.HasPrefix(t, "{") {
		return false
	}
	var n notification
	if json.NewDecoder(strings.NewReader(t)).Decode(&n) != nil {
		// A server on the way broke the long line in two (RFC 5322 §2.1.1).
		n = notification{}
		if json.NewDecoder(strings.NewReader(strings.ReplaceAll(t, "\n ", ""))).Decode(&n) != nil {
			return false
		}
	}
	if n.Message != "" {
		inner := n.Message
		n = notification{}
		if json.Unmarshal([]byte(inner), &n) != nil {
			return false
		}
	}
	r.EnvID = n.Mail.Source
	switch strings.ToLower(n.NotificationType + n.EventType) {
	case "bounce":
		r.Shape = Delivery
		for _, b := range n.Bounce.Recipients {
			held := n.Bounce.Sub == "Suppressed" || n.Bounce.Sub == "OnAccountSuppressionList" || n.Bounce.Sub == "UnsubscribedRecipient"
			r.add(Recipient{Address: address(b.Address), Action: "failed", Status: b.Status, Diagnostic: value(b.Diagnostic), Held: held})
		}
	case "complaint":
		r.Shape, r.Feedback = Complaint, strings.ToLower(n.Complaint.Type)
		for _, c := range n.Complaint.Recipients {
			r.add(Recipient{Address: address(c.Address)})
		}
	case "delivery", "send":
		// A server took it: the recipient's, or Amazon's own. It may still come back.
		r.Shape = Delivery
		for _, to := range n.Mail.Destination {
			r.add(Recipient{Address: address(to), Action: "relayed"})
		}
	default:
		return false
	}
	if len(r.Recipients) == 0 {
		r.add(Recipient{Action: "unknown"})
	}
	return true
}

func (r *Report) add(rec Recipient) {
	if len(r.Recipients) < maxParts {
		r.Recipients = append(r.Recipients, rec)
	}
}
