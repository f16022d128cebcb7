package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/templates"
)

// roleConsole serves the pages. It needs the ledger alone, so that it may also run
// beside a service.
const roleConsole dispatch.Role = "console"

// consoleOptions say where the pages are served and how people reach them.
type consoleOptions struct {
	Console            string   `help:"Address of the console's pages: host:port, or off." default:"127.0.0.1:8034" placeholder:"ADDR" group:"every"`
	ConsoleCert        string   `help:"TLS certificate of the console (PEM)." placeholder:"FILE" type:"path" group:"every"`
	ConsoleKey         string   `help:"Key of the certificate (PEM)." placeholder:"FILE" type:"path" group:"every"`
	ConsoleHost        []string `help:"Names under which people reach the console, host or host:port." placeholder:"NAME,…" group:"every"`
	CellHourly         int      `help:"Look-ups of one agent of the cell in an hour." default:"60" placeholder:"N" group:"every"`
	CellDaily          int      `help:"Look-ups of one agent of the cell in a day." default:"400" placeholder:"N" group:"every"`
	ConsoleBehindProxy bool     `help:"The console is reached through a proxy that ends TLS and sets X-Forwarded-For." group:"every"`
}

const defaultConsole = "127.0.0.1:8034"

// consoleServer is a console that listens.
type consoleServer struct {
	*console.Console
	listener net.Listener
	url      string
}

// openConsole prepares the pages and listens; nil if they are off. The default
// address being taken is no error: another art34 of this machine has it.
func (h *house) openConsole(ctx context.Context) (*consoleServer, error) {
	if h.Console == "off" || h.Console == "" {
		return nil, nil
	}
	k, err := h.newConsole()
	if err != nil {
		return nil, err
	}
	l, err := h.listenConsole(ctx)
	if errors.Is(err, syscall.EADDRINUSE) {
		if h.Console == defaultConsole {
			h.say("note: %s is taken, so the console is not opened here; --console names another address", h.Console)
			return nil, nil
		}
		return nil, refuse("console-address", "the console cannot listen on "+h.Console+": the address is taken", "choose another with --console or ART34_CONSOLE")
	}
	if err != nil {
		return nil, err
	}
	s := &consoleServer{k, l, h.consoleURL(l)}
	h.say("The console is at %s (times as in %s, campaigns in their own zone)", s.url, zoneName(h.real.Now()))
	path, err := k.SetupPath(ctx)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	if path != "" {
		h.say("Nobody has an account yet. This link makes the first one, once, within a day:\n\n    %s\n", s.url+path)
	}
	return s, nil
}

// zoneName is the zone in which pages show times that are about no campaign.
func zoneName(now time.Time) string {
	if name := now.Local().Location().String(); name != "Local" {
		return name
	}
	name, offset := now.Local().Zone()
	if offset == 0 {
		return "UTC; TZ=Europe/Paris changes that"
	}
	return name
}

// consoleURL is how a browser of this machine reaches the console.
func (h *house) consoleURL(l net.Listener) string {
	scheme, host := "http://", l.Addr().String()
	if h.ConsoleCert != "" || h.ConsoleBehindProxy {
		scheme = "https://"
		if len(h.ConsoleHost) > 0 {
			host = h.ConsoleHost[0]
		}
	}
	return scheme + host
}

func (h *house) listenConsole(ctx context.Context) (net.Listener, error) {
	host, port, err := net.SplitHostPort(h.Console)
	if err != nil {
		return nil, refuse("console-address", "the address of the console is host:port, like "+defaultConsole, "--console off opens none")
	}
	if (h.ConsoleCert == "") != (h.ConsoleKey == "") {
		return nil, refuse("console-tls", "a certificate needs its key, and the key its certificate", "--console-cert FILE --console-key FILE")
	}
	if h.ConsoleCert == "" && !h.ConsoleBehindProxy && !loopback(host) {
		return nil, refuse("console-open", "the console does not listen on "+h.Console+" without TLS: passwords and customers would cross the network in clear",
			"give it --console-cert and --console-key, or --console-behind-proxy where a proxy ends TLS")
	}
	if !loopback(host) && len(h.ConsoleHost) == 0 {
		return nil, refuse("console-host", "a console for the network needs to know its names", "--console-host console.example.com")
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	l = doorman(l, mostConsole, h.ConsoleBehindProxy)
	if h.ConsoleCert == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(h.ConsoleCert, h.ConsoleKey)
	if err != nil {
		_ = l.Close()
		return nil, refuse("console-tls", "the certificate of the console cannot be used: "+err.Error(), "")
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (h *house) newConsole() (*console.Console, error) {
	accounts, err := h.accounts()
	if err != nil {
		return nil, err
	}
	hosts := h.ConsoleHost
	if len(hosts) == 0 {
		_, port, _ := net.SplitHostPort(h.Console)
		if port != "0" { // a free port is known to nobody yet
			for _, name := range []string{"127.0.0.1", "localhost", "[::1]"} {
				hosts = append(hosts, name+":"+port)
			}
		}
	}
	company, groups, err := h.company()
	if err != nil {
		return nil, err
	}
	return console.New(console.Config{
		Company: company, CompanyName: h.OIDCName, Groups: groups,
		Files: templates.Console(), Ledger: h.ledger, Accounts: accounts, Board: consoleBoard{h, new(meters)}, Desk: consoleDesk{h}, Floor: consoleFloor{h}, Cell: h.cell(),
		Clock: h.clock, Real: h.real, Random: random, Log: h.log,
		Secure: h.ConsoleCert != "" || h.ConsoleBehindProxy, BehindProxy: h.ConsoleBehindProxy, Hosts: hosts,
	})
}

// cell is what answers for who has a customer on the phone.
func (h *house) cell() *console.Cell {
	customers := consoleCustomers{h}
	return console.NewCell(console.CellConfig{Calls: h.ledger, Customers: customers, Deeds: customers, Clock: h.clock, Log: h.log, Hour: h.CellHourly, Day: h.CellDaily})
}

// random fills b; since Go 1.24 it cannot fail.
func random(b []byte) { _, _ = rand.Read(b) }

// installationKeys is the number under which the key file keeps the keys of the
// installation itself: no campaign has it.
const installationKeys = 0

func (h *house) accounts() (*console.Accounts, error) {
	keys, err := h.keys.Campaign(installationKeys)
	if err != nil {
		return nil, err
	}
	return console.NewAccounts(h.ledger, keys, clock.Real{}, random), nil
}

// consoleBoard reads campaigns for the pages.
type consoleBoard struct {
	h      *house
	meters *meters
}

// Figures are what status prints.
func (b consoleBoard) Figures(ctx context.Context, c pipeline.Campaign) (console.Figures, error) {
	h := b.h
	var f console.Figures
	s, err := h.status(ctx, c)
	if err != nil {
		return f, err
	}
	imports, err := h.ledger.Imports(ctx, c.ID)
	if err != nil {
		return f, err
	}
	tallies, err := h.ledger.Tally(ctx, c.ID)
	if err != nil {
		return f, err
	}
	f = console.Figures{
		Balance: pipeline.NewBalance(published(imports), tallies), Counters: pipeline.Counters{Attempts: s.Attempts, Doubts: s.InDoubt, Again: s.Duplicates},
		PerSecond: s.PerSecond, Missing: roleNames(s.Missing), Held: s.Held, Unreachable: s.Unreachable,
	}
	if s.ExpectedEnd != nil {
		f.ExpectedEnd = *s.ExpectedEnd
	}
	for _, x := range s.Blocked {
		f.Blocked = append(f.Blocked, console.Blockage{Code: x.Code, Notices: x.Notices})
	}
	if f.Breakers, err = h.ledger.Breakers(ctx, c.ID); err != nil {
		return f, err
	}
	if f.Versions, err = h.ledger.Versions(ctx, c.ID); err != nil {
		return f, err
	}
	if f.Due, err = h.ledger.CountDue(ctx, c.ID, h.clock.Now(), countCap); err != nil {
		return f, err
	}
	if err := b.coming(ctx, c, &f); err != nil {
		return f, err
	}
	if f.Answers, err = h.ledger.Answers(ctx, c.ID); err != nil {
		return f, err
	}
	if f.Runs, err = h.ledger.Runs(ctx, c.ID); err != nil {
		return f, err
	}
	f.Attempts, f.Outside = map[int]int64{}, pipeline.Outside{Told: s.Outside.Told, Notified: s.Outside.Notified, Returned: s.Outside.Returned}
	for _, i := range published(imports) {
		d := console.ImportDone{Import: i, List: fmt.Sprintf("I%06d-rejects.csv", i.ID)}
		for _, file := range i.Manifest.Files {
			d.Rejected += file.Rejected
		}
		f.Imports = append(f.Imports, d)
	}
	for _, v := range s.Versions {
		f.Attempts[v.N] = v.Attempts
	}
	for _, w := range s.WayBack {
		f.WayBack = append(f.WayBack, console.WayBack{Domain: w.Domain, Proven: w.Proven, LoopAt: timeOf(w.LoopAt), BounceAt: timeOf(w.BounceAt), Code: w.Code, Why: w.Why})
	}
	moving, err := h.ledger.UnderWay(ctx, c.ID)
	if err != nil {
		return f, err
	}
	f.Paces = b.meters.paces(c, f, moving, h.real.Now())
	f.Latest, err = b.latest(ctx, c)
	return f, err
}

// coming adds what falls due within the next day, and when letters are printed next.
func (b consoleBoard) coming(ctx context.Context, c pipeline.Campaign, f *console.Figures) error {
	if c.Version == 0 || c.State == pipeline.Withdrawn {
		return nil
	}
	now := b.h.clock.Now()
	tomorrow, err := b.h.ledger.CountDue(ctx, c.ID, now.Add(24*time.Hour), countCap)
	if err != nil {
		return err
	}
	f.Coming = map[pipeline.Channel]int64{}
	for _, d := range tomorrow {
		f.Coming[d.Channel] += d.Count
	}
	for _, d := range f.Due {
		f.Coming[d.Channel] -= d.Count
	}
	spec, err := b.h.specOf(ctx, c)
	if err != nil {
		return err
	}
	cut, err := pipeline.ParseCutOff(spec.Post.CutOff)
	if err == nil {
		f.CutOff = cut.Last(now.Add(24 * time.Hour))
	}
	return err
}

// timeOf is the reverse of set.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// deedsShown is how many of the last deeds the page of a campaign shows.
const deedsShown = 12

// latest are the last deeds of operations. Most of the trail are look-ups of the cell.
func (b consoleBoard) latest(ctx context.Context, c pipeline.Campaign) ([]pipeline.Audit, error) {
	actions, err := b.h.ledger.Actions(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	actions = slices.DeleteFunc(actions, func(action string) bool { return !operationsDeed(action) })
	return b.h.ledger.LastDeeds(ctx, c.ID, actions, deedsShown)
}

// operationsDeed reports whether the operations of a campaign want to see a deed:
// what the cell does with single customers is for the audit page.
func operationsDeed(action string) bool {
	if action == "print-files-removed" {
		return false // the service tidies up
	}
	switch kind, _, _ := strings.Cut(action, "-"); kind {
	case "new", "import", actionEdit, actionSubmit, "approve", "launch", "pause", "resume", "cancel", "pacing", "breaker", "hold", "release", "exclude", "resolve", "run", "print", "canary", "rehearse", "export", "erase", "seal":
		return true
	}
	return false
}

// roleNames takes the roles of a service that nobody plays out of "art34 run (print)":
// the pages have words for them.
func roleNames(missing []string) (list []string) {
	for _, m := range missing {
		role, ok := strings.CutPrefix(m, "art34 run (")
		if ok {
			m = strings.TrimSuffix(role, ")")
		}
		list = append(list, m)
	}
	return list
}

// Zone is that in which the letters of a campaign are dated; nil where its settings
// cannot be read.
func (b consoleBoard) Zone(ctx context.Context, c pipeline.Campaign) *time.Location {
	spec, err := b.h.specOf(ctx, c)
	if err != nil {
		return nil
	}
	return zoneOf(spec)
}

// Planned is what is planned, by day of the campaign.
func (b consoleBoard) Planned(ctx context.Context, c pipeline.Campaign) ([]pipeline.Planned, error) {
	now := b.h.clock.Now().Local()
	if zone := b.Zone(ctx, c); zone != nil {
		now = now.In(zone)
	}
	_, offset := now.Zone()
	return b.h.ledger.Planned(ctx, c.ID, time.Duration(offset)*time.Second)
}

// run serves the pages beside a service, until ctx ends. A console that has failed
// stops nothing else.
func (s *consoleServer) run(ctx context.Context, h *house) {
	if err := s.serve(ctx, h); err != nil && ctx.Err() == nil {
		h.log.Error("the console has ended", "error", err)
	}
}

// applyEvery is how often corrections are looked for that were accepted and not
// applied.
const applyEvery = time.Minute

// serve serves the pages until ctx ends, and applies meanwhile what a console that was
// stopped has left.
func (s *consoleServer) serve(ctx context.Context, h *house) error {
	beside, stop := context.WithCancel(ctx)
	var left sync.WaitGroup
	defer left.Wait()
	defer stop()
	defer h.servants.end()
	left.Go(func() {
		again(beside, applyEvery, func() {
			if err := s.Cell.ApplyAccepted(beside); err != nil && beside.Err() == nil {
				h.log.Warn("a correction that was accepted is not in force yet", "error", err)
			}
		})
	})
	left.Go(func() { again(beside, sweepEvery, h.sweepUploads) })
	left.Go(h.sweepRehearsals)
	return s.Serve(ctx, s.listener)
}

// again does something at once, and then so long after each time, until ctx ends.
func again(ctx context.Context, every time.Duration, do func()) {
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
	}
}

// runConsole serves the pages alone, beside a service or without one.
func (a *app) runConsole(ctx context.Context) error {
	h, err := a.found(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	drain, _, release := a.signals(ctx)
	defer release()
	s, err := h.openConsole(drain)
	if err != nil {
		return err
	}
	if s == nil {
		return decline("console-off", "the console is all that was asked for, and it was not opened", "--console names another address")
	}
	return s.serve(drain, h)
}
