package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/webhook"
)

// eventServer takes what mail providers post about our messages.
type eventServer struct {
	*http.Server
	listener net.Listener
}

const (
	// eventsAtOnce bounds the requests that are read at a time, and with
	// webhook.MaxBody the memory that strangers can take.
	eventsAtOnce = 64
	// eventsEnd is how long a request that was begun may take when the service stops.
	eventsEnd = 10 * time.Second
)

// openEvents listens for the providers that are configured; nil without an address.
func (h *house) openEvents(ctx context.Context, intake *feedback.Intake) (*eventServer, error) {
	adapters, err := h.eventAdapters()
	if err != nil {
		return nil, err
	}
	switch {
	case h.FeedbackHTTP == "" && len(adapters) == 0:
		return nil, nil
	case h.FeedbackHTTP == "":
		return nil, refuse("feedback-http", "a mail provider is configured and there is no address for its events", "--feedback-http 127.0.0.1:8035 behind a proxy that ends TLS, or with --feedback-cert and --feedback-key")
	case len(adapters) == 0:
		return nil, refuse("feedback-http", "there is an address for events and no provider that could post there", "name the topic of Amazon SNS with --feedback-ses-topic, or the signing key of Mailgun with --feedback-mailgun-key-file")
	}
	keep := func(ctx context.Context, source pipeline.InboundSource, id string, raw []byte) error {
		_, err := intake.Take(ctx, feedback.Message{Source: source, ID: id, Raw: raw})
		return err
	}
	mux := http.NewServeMux()
	for path, a := range adapters {
		mux.Handle(path, &webhook.Handler{Adapter: a, Keep: keep, Clock: h.real, Log: h.log})
	}
	l, err := h.listenEvents(ctx)
	if err != nil {
		return nil, err
	}
	for path := range adapters {
		h.say("Events of mail providers are taken at %s%s", l.Addr(), path)
	}
	return &eventServer{&http.Server{
		Handler:           few(eventsAtOnce, mux),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}, l}, nil
}

// eventAdapters are the providers that are configured, by path.
func (h *house) eventAdapters() (map[string]webhook.Adapter, error) {
	all := map[string]webhook.Adapter{}
	if len(h.FeedbackSESTopic) > 0 {
		a, err := webhook.NewSES(webhook.SNSConfig{Topics: h.FeedbackSESTopic})
		if err != nil {
			return nil, err
		}
		all["/ses"] = a
	}
	text, err := secret(h.FeedbackMailgunKeyFile, "ART34_FEEDBACK_MAILGUN_KEY")
	if err != nil {
		return nil, err
	}
	if text == "" && h.FeedbackMailgunKeyFile == "" {
		return all, nil
	}
	c := webhook.MailgunConfig{Spend: h.spend()}
	for _, key := range strings.Fields(text) {
		c.Keys = append(c.Keys, []byte(key))
	}
	a, err := webhook.NewMailgun(c)
	if err != nil {
		return nil, err
	}
	all["/mailgun"] = a
	return all, nil
}

// ofProviders stands for the mail providers among the numbers of programs, which begin
// at 1, and of people, which are below 0.
const ofProviders = 0

// spend remembers in the ledger what the signatures of events were used for, for a day:
// they are good for half of one.
func (h *house) spend() func(ctx context.Context, token, body [32]byte, at time.Time) ([32]byte, error) {
	var mu sync.Mutex
	var swept time.Time
	return func(ctx context.Context, token, body [32]byte, at time.Time) ([32]byte, error) {
		mu.Lock()
		sweep := at.Sub(swept) > time.Hour
		if sweep {
			swept = at
		}
		mu.Unlock()
		if sweep {
			if err := h.ledger.ForgetAnswers(ctx, at.Add(-24*time.Hour)); err != nil {
				return body, err
			}
		}
		kept, _, err := h.ledger.Remember(ctx, pipeline.Remembered{Token: ofProviders, Key: token, Request: body, At: at})
		return kept.Request, err
	}
}

// listenEvents opens the address. Signatures prove who posts; TLS keeps addresses
// of customers from the network between.
func (h *house) listenEvents(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(h.FeedbackHTTP)
	if err != nil {
		return nil, refuse("feedback-http", "the address for events is host:port, like 127.0.0.1:8035", "--feedback-http")
	}
	secure, err := h.feedbackTLS()
	if err != nil {
		return nil, err
	}
	if secure == nil && !h.FeedbackBehindProxy && !loopback(host) {
		return nil, refuse("feedback-http", "events are not taken on "+h.FeedbackHTTP+" without TLS: addresses of customers would cross the network in clear",
			"give it --feedback-cert and --feedback-key, or --feedback-behind-proxy where a proxy ends TLS")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.FeedbackHTTP)
	if err != nil {
		return nil, refuse("feedback-address", "nothing can listen on "+h.FeedbackHTTP+": "+errors.Unwrap(err).Error(), "choose another address, or stop what listens there")
	}
	l = doorman(l, mostEvents, h.FeedbackBehindProxy)
	if secure == nil || h.FeedbackBehindProxy {
		return l, nil
	}
	secure.NextProtos = []string{"http/1.1"}
	return tls.NewListener(l, secure), nil
}

// few lets some requests in at a time; who comes too much is asked to come again.
func few(n int, next http.Handler) http.Handler {
	room := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
			next.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "5")
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		}
	})
}

// serve answers until ctx ends: requests that were begun are answered.
func (e *eventServer) serve(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(e.listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventsEnd)
	defer cancel()
	if e.Shutdown(end) != nil {
		_ = e.Server.Close()
	}
	<-ended
	return nil
}
