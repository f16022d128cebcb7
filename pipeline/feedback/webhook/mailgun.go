package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// MailgunConfig says what a Mailgun adapter needs.
type MailgunConfig struct {
	// Keys are the signing keys in force: one, or two while they are changed.
	Keys [][]byte
	// Window is how old a signature may be. Mailgun posts again for eight hours when
	// nobody answers. 0 is DefaultWindow.
	Window time.Duration
	// Spend keeps durably that a token was used for a body, both as hashes, and returns
	// the body that it was used for first: a restart, or more events than Mailgun
	// remembers, makes no token good for another. nil: in memory only.
	Spend func(ctx context.Context, token, body [sha256.Size]byte, at time.Time) (first [sha256.Size]byte, err error)
}

// DefaultWindow lets through what Mailgun posted first before an outage of its
// whole retry time.
const DefaultWindow = 12 * time.Hour

// mostTokens bounds how many tokens are remembered in memory.
const mostTokens = 200_000

// Mailgun reads the webhooks of Mailgun ("Securing webhooks" in its manual). The
// signature is over timestamp and token alone, not over the event: so a token is
// good for one body, and old ones are refused.
type Mailgun struct {
	config MailgunConfig
	mu     sync.Mutex
	seen   map[string]remembered // by token
	order  []string              // oldest first
}

type remembered struct {
	body [sha256.Size]byte
	at   time.Time
}

// NewMailgun returns an adapter; at least one key is needed.
func NewMailgun(c MailgunConfig) (*Mailgun, error) {
	for _, k := range c.Keys {
		if len(k) == 0 {
			c.Keys = nil
		}
	}
	if len(c.Keys) == 0 {
		return nil, &pipeline.Error{Code: "webhook-key-missing", Sentence: "Mailgun's events cannot be verified without the signing key", Hint: "copy it from Mailgun's dashboard: Sending, Webhooks, HTTP webhook signing key", Permanent: true, Exit: 2}
	}
	if c.Window <= 0 {
		c.Window = DefaultWindow
	}
	return &Mailgun{config: c, seen: map[string]remembered{}}, nil
}

// Source implements Adapter.
func (*Mailgun) Source() pipeline.InboundSource { return pipeline.FromMailgun }

type mailgunBody struct {
	Signature struct {
		Timestamp text   `json:"timestamp"`
		Token     string `json:"token"`
		Signature string `json:"signature"`
	} `json:"signature"`
	Event *mailgunEvent `json:"event-data"`
}

type mailgunEvent struct {
	ID        string  `json:"id"`
	Event     string  `json:"event"`
	Timestamp float64 `json:"timestamp"`
	Severity  string  `json:"severity"`
	Reason    string  `json:"reason"`
	Recipient string  `json:"recipient"`
	Envelope  struct {
		Sender string `json:"sender"`
	} `json:"envelope"`
	Status struct {
		Code        any    `json:"code"` // a number, sometimes a string
		Enhanced    string `json:"enhanced-code"`
		Message     string `json:"message"`
		Description string `json:"description"`
	} `json:"delivery-status"`
	Reject struct {
		Reason      string `json:"reason"`
		Description string `json:"description"`
	} `json:"reject"`
	Message struct {
		Headers map[string]any `json:"headers"`
	} `json:"message"`
}

// text is a string that some senders write as a number.
type text string

// UnmarshalJSON takes a string or a number.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*t = text(n.String())
	return nil
}

// Accept implements Adapter.
func (m *Mailgun) Accept(ctx context.Context, r Request, now time.Time) (Accepted, error) {
	var b mailgunBody
	if json.Unmarshal(r.Body, &b) != nil || b.Event == nil || b.Signature.Token == "" || len(b.Signature.Token) > 200 {
		return Accepted{}, refuse(http.StatusBadRequest, "the body is no event of Mailgun")
	}
	if !m.signed(b) {
		return Accepted{}, refuse(http.StatusForbidden, "the signature is not Mailgun's")
	}
	seconds, err := strconv.ParseInt(string(b.Signature.Timestamp), 10, 64)
	at := time.Unix(seconds, 0)
	if err != nil || now.Sub(at) > m.config.Window || at.Sub(now) > 10*time.Minute {
		return Accepted{}, refuse(http.StatusForbidden, "the signature is too old, or of the future: replayed, or a clock is wrong")
	}
	sum := sha256.Sum256(r.Body)
	m.mu.Lock()
	before, known := m.seen[b.Signature.Token]
	m.mu.Unlock()
	events, err := m.Events(r.Body)
	if err != nil {
		return Accepted{}, refuse(http.StatusBadRequest, "the body is no event of Mailgun")
	}
	if !known && m.config.Spend != nil && len(events) > 0 {
		// Spent before the event is kept: of two that come at once with one token, one is
		// refused. The same body again is the same event, and is kept once.
		if before.body, err = m.config.Spend(ctx, sha256.Sum256([]byte(b.Signature.Token)), sum, now); err != nil {
			return Accepted{}, &Refusal{Status: http.StatusServiceUnavailable, Reason: "the signature could not be looked up", Cause: err}
		}
	}
	if before.body != sum && before.body != ([sha256.Size]byte{}) {
		return Accepted{}, refuse(http.StatusForbidden, "the signature was used for another event")
	}
	// Remembered when it is kept: what could not be kept comes again.
	done := func() { m.remember(b.Signature.Token, remembered{sum, now}) }
	return Accepted{ID: mailgunID(b.Event), Keep: len(events) > 0 && !known, Done: done}, nil
}

// signed compares with each key in constant time.
func (m *Mailgun) signed(b mailgunBody) bool {
	got, err := hex.DecodeString(b.Signature.Signature)
	if err != nil {
		return false
	}
	ok := false
	for _, key := range m.config.Keys {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(string(b.Signature.Timestamp) + b.Signature.Token))
		ok = hmac.Equal(h.Sum(nil), got) || ok
	}
	return ok
}

// remember keeps a token as long as its signature is good.
func (m *Mailgun) remember(token string, r remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.seen[token]; ok {
		return
	}
	m.seen[token] = r
	m.order = append(m.order, token)
	for len(m.order) > 0 && (len(m.order) > mostTokens || r.at.Sub(m.seen[m.order[0]].at) > m.config.Window+time.Hour) {
		delete(m.seen, m.order[0])
		m.order = m.order[1:]
	}
}

// mailgunID names an event: its id is unique within a day only.
func mailgunID(e *mailgunEvent) string {
	return e.ID + "@" + strconv.FormatFloat(e.Timestamp, 'f', 3, 64)
}

// Events implements Adapter.
func (*Mailgun) Events(body []byte) ([]Event, error) {
	var b mailgunBody
	if json.Unmarshal(bytes.TrimSpace(body), &b) != nil || b.Event == nil || b.Event.Event == "" {
		return nil, ErrMalformed
	}
	e := b.Event
	out := Event{ID: mailgunID(e), Recipient: e.Recipient, ReturnPath: e.Envelope.Sender, Status: e.Status.Enhanced}
	if e.Timestamp > 0 && e.Timestamp < math.MaxUint32 {
		out.At = time.UnixMicro(int64(e.Timestamp * 1e6)).UTC()
	}
	for name, value := range e.Message.Headers {
		if s, ok := value.(string); ok && strings.EqualFold(name, "message-id") {
			out.MessageID = angle(s)
		}
	}
	out.Text = strings.TrimSpace(e.Status.Message)
	if out.Text == "" || e.Status.Description != "" && e.Status.Description != e.Status.Message {
		out.Text = strings.TrimSpace(out.Text + " " + e.Status.Description)
	}
	code := number(e.Status.Code)
	if code >= 400 && code < 600 {
		out.Reply = code // Mailgun has codes of its own from 600 on
	}
	switch e.Event {
	case "failed":
		out.Kind = Failed
		if e.Severity == "temporary" {
			out.Kind = Delayed
		}
		if strings.HasPrefix(e.Reason, "suppress") || code >= 605 && code <= 607 {
			// Bounced, unsubscribed or complained before: it was not sent.
			out.Kind, out.Outcome, out.Reason = Failed, pipeline.Ours, smtpcode.Suppressed
		} else if e.Reason == "old" && out.Kind == Failed {
			out.Reason = smtpcode.Expired
		}
	case "rejected":
		out.Kind, out.Outcome, out.Reason = Failed, pipeline.Ours, smtpcode.Policy
		out.Text = strings.TrimSpace(e.Reject.Reason + " " + e.Reject.Description)
	case "delivered":
		out.Kind = Taken
	case "complained":
		out.Kind = Complained
	case "unsubscribed":
		out.Kind = Unsubscribed
	default:
		return nil, nil // accepted, opened, clicked, stored: nothing for us
	}
	return []Event{out}, nil
}

// number reads a code that is a number, or a string with one.
func number(v any) int {
	switch v := v.(type) {
	case float64:
		if v > 0 && v < 1000 {
			return int(v)
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil && n > 0 && n < 1000 {
			return n
		}
	}
	return 0
}

// angle puts a Message-ID into its brackets.
func angle(id string) string {
	id = strings.Trim(strings.TrimSpace(id), "<>")
	if id == "" || strings.ContainsAny(id, " \t\r\n<>") {
		return ""
	}
	return "<" + id + ">"
}
