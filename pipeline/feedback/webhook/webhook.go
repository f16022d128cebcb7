// Package webhook takes what mail providers post about our messages: each provider
// has an Adapter that verifies and reads, and a Handler that keeps the raw body
// durably before it answers 200.
//
// A provider is believed about what happened, not about whom it happened to: that
// is for the signed identifiers in the event to say, as with a bounce by mail.
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// MaxBody is the most bytes of a request. Amazon SNS posts at most 256 KiB, Mailgun
// the header of one message.
const MaxBody = 1 << 20

// Kind says what an event tells.
type Kind string

const (
	// Failed: a server refused the message for good, or the provider gave up, or never
	// tried.
	Failed Kind = "failed"
	// Uncertain: the provider says that something came back, and not that it failed. An
	// absence looks like that.
	Uncertain Kind = "uncertain"
	// Delayed: the provider is still trying.
	Delayed Kind = "delayed"
	// Taken: a server of the recipient took the message. It may still come back.
	Taken Kind = "taken"
	// Complained: the recipient called it spam.
	Complained Kind = "complained"
	// Unsubscribed: the recipient followed a link that the provider put in.
	Unsubscribed Kind = "unsubscribed"
)

// Event is what a provider says about one recipient.
type Event struct {
	// ID is the same when the same event comes again, and no other of this provider
	// has it. Events of one request about several recipients share it.
	ID   string
	At   time.Time // zero where the provider does not say
	Kind Kind
	// Outcome is pipeline.Ours where the provider itself refused or held the message
	// (dropped, suppressed, unsubscribed before): that is our fault and never a dead
	// address. "" where what the server said decides.
	Outcome pipeline.Outcome
	// Reason says more in words of package smtpcode; "" where Text decides.
	Reason     string
	Status     string // enhanced status code, RFC 3463; "" without one
	Reply      int    // SMTP reply code; 0 without one
	Text       string // what the server said
	Recipient  string // for reading, never for identity
	ReturnPath string // our MAIL FROM, with its token; "" where the provider replaces it
	MessageID  string // of our message, with angle brackets
}

// Request is what came, as it came.
type Request struct {
	Header http.Header
	Body   []byte
}

// Accepted is a request that is what it claims to be.
type Accepted struct {
	// ID is the same when the provider posts the same again.
	ID string
	// Keep says that there is something to keep; otherwise 200 is all it needs.
	Keep bool
	// Done, if set, is called after the body was kept.
	Done func()
	// Note is something that the operator should hear of; "" mostly.
	Note string
}

// Adapter reads what one provider posts.
type Adapter interface {
	// Source names the provider, as in pipeline.InboundSource.
	Source() pipeline.InboundSource
	// Accept verifies a request as of now. An error is a *Refusal.
	Accept(ctx context.Context, r Request, now time.Time) (Accepted, error)
	// Events reads a body that was accepted, now or years ago: it verifies nothing.
	Events(body []byte) ([]Event, error)
}

// Refusal says why a request is not taken.
type Refusal struct {
	Status int    // of HTTP
	Reason string // for the log; holds nothing of the request
	Cause  error  // of what failed on our side
}

func (r *Refusal) Error() string {
	if r.Cause != nil {
		return r.Reason + ": " + r.Cause.Error()
	}
	return r.Reason
}

func (r *Refusal) Unwrap() error { return r.Cause }

func refuse(status int, reason string) error { return &Refusal{Status: status, Reason: reason} }

// ErrMalformed says that a body is not what its provider posts.
var ErrMalformed = errors.New("the body is not what the provider posts")

// Keep makes a body durable. It is called before 200 is answered; an error answers
// 503, and the provider posts again. The same id may come more than once.
type Keep func(ctx context.Context, source pipeline.InboundSource, id string, raw []byte) error

// Handler answers the requests of one provider.
type Handler struct {
	Adapter Adapter
	Keep    Keep
	Clock   clock.Clock // the real one: providers sign with it
	Log     *slog.Logger
}

// ServeHTTP answers 200 when the event is safe, 4xx when it is not what it should
// be, 5xx when it should come again.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "post events here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			h.refuse(w, &Refusal{Status: http.StatusRequestEntityTooLarge, Reason: "the body is too large"})
			return
		}
		h.refuse(w, &Refusal{Status: http.StatusBadRequest, Reason: "the body ended early"})
		return
	}
	accepted, err := h.Adapter.Accept(r.Context(), Request{Header: r.Header, Body: body}, h.Clock.Now())
	if err != nil {
		h.refuse(w, err)
		return
	}
	if accepted.Keep {
		if err := h.Keep(r.Context(), h.Adapter.Source(), accepted.ID, body); err != nil {
			h.refuse(w, &Refusal{Status: http.StatusServiceUnavailable, Reason: "the event could not be kept", Cause: err})
			return
		}
	}
	if accepted.Done != nil {
		accepted.Done()
	}
	if accepted.Note != "" && h.Log != nil {
		h.Log.Warn(accepted.Note, "source", string(h.Adapter.Source()))
	}
	w.WriteHeader(http.StatusOK)
}

// refuse answers with a code and a word, and logs the rest.
func (h *Handler) refuse(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		r = &Refusal{Status: http.StatusInternalServerError, Reason: "an event could not be read", Cause: err}
	}
	if h.Log != nil {
		level := slog.LevelWarn
		if r.Status >= 500 {
			level = slog.LevelError
		}
		h.Log.Log(context.Background(), level, "an event of a provider was not taken", "source", string(h.Adapter.Source()), "status", r.Status, "reason", r.Reason, "cause", r.Cause)
	}
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	http.Error(w, http.StatusText(r.Status), r.Status)
}
