package console

import (
	"context"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Config says what the console works with.
type Config struct {
	Files    fs.FS // html/, css/, static/, messages/
	Ledger   Ledger
	Accounts *Accounts
	Board    Board
	Desk     Desk
	Floor    Floor
	Cell     *Cell

	// Company vouches for people; nil: only accounts of this console log in.
	// CompanyName is how people call it, and Groups what its groups may do here.
	Company     Company
	CompanyName string
	Groups      GroupRoles

	Clock  clock.Clock // of the business
	Real   clock.Clock // of the machine: sessions, limits
	Random func([]byte)
	Log    *slog.Logger

	// Secure says that people reach it by https: cookies are marked so.
	Secure bool
	// Hosts are the names (host or host:port) under which it may be addressed; none:
	// any. A name that is not in the list is refused, so that no foreign page can
	// point its own name at this address (DNS rebinding).
	Hosts []string
	// BehindProxy takes the last address of X-Forwarded-For for limits.
	BehindProxy bool
	// Locale of who says nothing; "" is French.
	Locale string
	// Zone is that of pages which are about no campaign; nil: that of the machine.
	Zone *time.Location
	// Idle and Absolute end a login; 0: 45 minutes and 12 hours.
	Idle, Absolute time.Duration
}

// Console serves the pages. It is an http.Handler, safe for concurrent use.
type Console struct {
	Config
	words   map[string]*words
	pages   *pages
	assets  assets
	table   []route
	mux     *http.ServeMux
	foreign *http.CrossOriginProtection
	hosts   map[string]bool

	visits   *throttle                   // requests, per address
	attempts *throttle                   // logins, per network
	sites    *throttle                   // logins, per IPv6 /48
	deeds    *throttle                   // unsafe requests, per user
	asked    *throttle                   // references looked up, per user
	missed   *throttle                   // references that nobody has, per user
	letters  *recent[pipeline.Hourly]    // how many letters left
	calls    *recent[pipeline.CallCount] // how many calls came
	told     *recent[pipeline.CallTold]  // and what they came to
	streams  chan struct{}
	watching *shares // streams, per user
	jobs     *jobs
	flows    *once // logins that have come back from the provider
	previews *previews
	looks    *queue // letters that are rendered while somebody writes

	api       *api
	strangers *throttle // requests of programs without a valid token, per address
}

const (
	defaultIdle     = 45 * time.Minute
	defaultAbsolute = 12 * time.Hour
	// sureFor is how long a password or code counts for what needs it again.
	sureFor = 10 * time.Minute
	// mostStreams is how many pages may be open that move by themselves.
	mostStreams = 500
	// mostOwnStreams is how many of them one person may have: nobody takes all.
	mostOwnStreams = 20
)

// New reads templates and words and prepares the routes. A fault in them is an
// error here and not on a page.
func New(c Config) (*Console, error) {
	if c.Locale == "" {
		c.Locale = "fr"
	}
	if c.Zone == nil {
		c.Zone = time.Local
	}
	if c.Idle <= 0 {
		c.Idle = defaultIdle
	}
	if c.Absolute <= 0 {
		c.Absolute = defaultAbsolute
	}
	k := &Console{
		Config: c, foreign: http.NewCrossOriginProtection(), hosts: map[string]bool{},
		visits: newThrottle(c.Real, 50*time.Millisecond, 400), attempts: newThrottle(c.Real, 6*time.Second, 10), sites: newThrottle(c.Real, time.Second, 60), deeds: newThrottle(c.Real, 200*time.Millisecond, 50),
		asked: newThrottle(c.Real, 10*time.Second, 20), missed: newThrottle(c.Real, 2*time.Minute, 6), letters: newRecent[pipeline.Hourly](), calls: newRecent[pipeline.CallCount](), told: newRecent[pipeline.CallTold](),
		streams: make(chan struct{}, mostStreams), watching: newShares(), jobs: newJobs(), flows: newOnce(), previews: newPreviews(), looks: newQueue(mostLooks, looksWait), strangers: newThrottle(c.Real, 6*time.Second, 20),
	}
	for _, h := range c.Hosts {
		k.hosts[h] = true
	}
	var err error
	if k.words, err = readWords(c.Files); err != nil {
		return nil, err
	}
	if k.words[c.Locale] == nil {
		return nil, errors.New("console: no words in " + c.Locale)
	}
	if k.assets, err = readAssets(c.Files); err != nil {
		return nil, err
	}
	k.pages = &pages{by: map[pageKey]map[string]*template.Template{}}
	for _, w := range k.words {
		if _, err = k.pagesIn(w.in(c.Zone)); err != nil {
			return nil, err
		}
	}
	k.table = k.routes()
	if k.mux, err = k.newMux(); err != nil {
		return nil, err
	}
	if k.api, err = newAPI(k); err != nil {
		return nil, err
	}
	return k, nil
}

// Serve answers on a listener until ctx ends, and then lets what is under way end.
func (k *Console) Serve(ctx context.Context, l net.Listener) error {
	defer k.jobs.stop()
	s := &http.Server{
		Handler: k, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(k.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	sweep := time.NewTicker(10 * time.Minute)
	defer sweep.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-sweep.C:
			now := k.Real.Now()
			if err := k.Ledger.SweepSessions(ctx, now.Add(-k.Idle), now.Add(-k.Absolute)); err != nil && !errors.Is(err, pipeline.ErrAway) {
				k.Log.Warn("old logins cannot be removed", "error", err)
			}
			if err := k.Ledger.ForgetAnswers(ctx, now.Add(-24*time.Hour)); err != nil && !errors.Is(err, pipeline.ErrAway) {
				k.Log.Warn("old answers cannot be removed", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			err := s.Shutdown(last)
			if errors.Is(err, context.DeadlineExceeded) {
				err = s.Close()
			}
			<-ended
			return err
		}
	}
}
