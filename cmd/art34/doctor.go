package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/idna"
	"github.com/art34/art34/pipeline/queue"
)

type doctorCmd struct {
	Campaign     string   `arg:"" optional:"" help:"Look at the senders of this campaign; without one: of all." placeholder:"CAMPAIGN"`
	DKIMSelector []string `name:"dkim-selector" help:"Selectors under which the relay signs, to look their keys up." placeholder:"NAME,…"`
	DNS          string   `name:"dns" help:"Ask this name server (default: the system's)." placeholder:"HOST:PORT"`
}

// Help shows examples.
func (doctorCmd) Help() string {
	return `Looks at what a launch needs and what can be known beforehand: the relay with its encryption and login, the DNS records of every sender (SPF, DKIM, DMARC and their alignment, MX of the return paths, the domain that answers go to), whether the way back is proven, mailboxes that are collected by IMAP, clock, disk, keys, ledger, queue and print folder. Sends nothing. One line each: ok, warn, fail or skipped, with what to do. Exit 1 if one fails.

Examples:

    art34 doctor
    art34 doctor muguet --dkim-selector mail2026
    art34 doctor muguet --json`
}

// Levels of a finding of the doctor.
const (
	doctorOK      = "ok"
	doctorWarn    = "warn"
	doctorFail    = "fail"
	doctorSkipped = "skipped"
)

// diagnosis is one line of the doctor.
type diagnosis struct {
	Check    string `json:"check"`
	Of       string `json:"of,omitempty"` // domain, directory
	Level    string `json:"level"`
	Sentence string `json:"sentence"`
	Hint     string `json:"hint,omitempty"`
}

// doctor collects diagnoses.
type doctor struct {
	doctorCmd
	h    *house
	dns  resolver
	mu   sync.Mutex
	list []diagnosis
}

func (d *doctor) say(level, check, of, sentence, hint string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, diagnosis{check, of, level, sentence, hint})
}

// doctorPatience bounds each look at something outside.
const doctorPatience = 20 * time.Second

// Run looks at everything.
func (c doctorCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	d := &doctor{doctorCmd: c, h: h, dns: newResolver(c.DNS)}
	var campaigns []pipeline.Campaign
	if c.Campaign != "" {
		one, err := campaignArg{c.Campaign}.find(ctx, h)
		if err != nil {
			return err
		}
		campaigns = append(campaigns, one)
	} else if campaigns, err = h.ledger.AllCampaigns(ctx); err != nil {
		return err
	}
	campaigns = slices.DeleteFunc(campaigns, func(c pipeline.Campaign) bool { return c.State == pipeline.Withdrawn })

	d.installation(ctx, campaigns)
	d.relay(ctx)
	d.queue(ctx)
	d.company(ctx)
	d.folders(ctx)
	if err := d.senders(ctx, campaigns); err != nil {
		return err
	}
	if err := a.answer(d.list, d.print); err != nil {
		return err
	}
	if slices.ContainsFunc(d.list, func(x diagnosis) bool { return x.Level == doctorFail }) {
		return errNo
	}
	return nil
}

func (d *doctor) print(w io.Writer) {
	table(w, func(w io.Writer) {
		for _, x := range d.list {
			what := x.Check
			if x.Of != "" {
				what += " " + x.Of
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", x.Level, what, x.Sentence)
		}
	})
	said := false
	for _, x := range d.list {
		if x.Hint == "" || x.Level == doctorOK {
			continue
		}
		if !said {
			fmt.Fprintln(w, "\nWhat to do:")
			said = true
		}
		of := ""
		if x.Of != "" {
			of = " " + x.Of
		}
		fmt.Fprintf(w, "  %s%s: %s\n", x.Check, of, x.Hint)
	}
}

// installation looks at what lies in DIR, and at the ledger.
func (d *doctor) installation(ctx context.Context, campaigns []pipeline.Campaign) {
	where := "SQLite in DIR"
	if d.h.shared {
		where = "PostgreSQL"
	}
	began := d.h.real.Now()
	if err := d.h.ledger.Ping(ctx); err != nil {
		d.say(doctorFail, "ledger", "", where+" does not answer", firstLine(err))
	} else {
		d.say(doctorOK, "ledger", "", fmt.Sprintf("%s answers in %d ms", where, d.h.real.Now().Sub(began).Milliseconds()), "")
	}
	d.clock(ctx, campaigns)
	d.disk(ctx, campaigns)
	d.private("directory", d.h.Dir, 0o077, "chmod 700 "+d.h.Dir)
	if path := filepath.Join(d.h.Dir, "keys.json"); exists(path) {
		d.private("key file", path, 0o077, "chmod 600 "+path)
	}
	switch path := filepath.Join(d.h.Dir, "master.key"); {
	case d.h.MasterKeyFile != "":
		d.private("master key", d.h.MasterKeyFile, 0o027, "let its owner alone read it: chmod 600 "+d.h.MasterKeyFile)
	case os.Getenv("ART34_MASTER_KEY") != "":
		d.say(doctorOK, "master key", "", "it comes from the environment and opens the keys", "")
	case exists(path):
		d.private("master key", path, 0o077, "chmod 600 "+path)
		d.say(doctorWarn, "master key", "", "it lies beside the keys that it protects: who copies the directory has both", "keep it elsewhere and name it with ART34_MASTER_KEY_FILE, or at least keep a copy elsewhere: without it nobody on the list can be read")
	}
	d.writable("print folder", d.h.printRuns())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// private looks whether others may read a file.
func (d *doctor) private(check, path string, open os.FileMode, hint string) {
	info, err := os.Stat(path)
	name := filepath.Base(path)
	switch {
	case err != nil:
		d.say(doctorFail, check, name, "it cannot be read", firstLine(err))
	case info.Mode().Perm()&open != 0:
		d.say(doctorFail, check, name, fmt.Sprintf("others on this machine may read it (%s)", info.Mode().Perm()), hint)
	default:
		d.say(doctorOK, check, name, "only its owner reads it", "")
	}
}

// writable looks whether files can be made in a directory, and what time they get.
func (d *doctor) writable(check, path string) {
	f, err := os.CreateTemp(path, ".doctor-")
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(path, 0o700); err == nil {
			f, err = os.CreateTemp(path, ".doctor-")
		}
	}
	if err != nil {
		d.say(doctorFail, check, filepath.Base(path), "nothing can be written there", "let the user that runs art34 write to "+path)
		return
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	d.say(doctorOK, check, filepath.Base(path), "it can be written to", "")
}

// clockOff is how far two clocks may be apart.
const clockOff = 5 * time.Second

// clock compares the clock with that of the file system, and with what happened
// before.
func (d *doctor) clock(ctx context.Context, campaigns []pipeline.Campaign) {
	now := d.h.real.Now()
	for _, c := range append([]pipeline.Campaign{{}}, campaigns...) {
		var last time.Time
		for a, err := range d.h.ledger.AuditTrail(ctx, c.ID) {
			if err != nil {
				break
			}
			last = a.At
		}
		if last.After(now.Add(clockOff)) {
			d.say(doctorFail, "clock", "", "it is behind: the audit trail goes on until "+last.Local().Format(time.DateTime), "set the clock of this machine, and keep it with NTP")
			return
		}
	}
	f, err := os.CreateTemp(d.h.Dir, ".doctor-")
	if err != nil {
		d.say(doctorFail, "directory", "", "nothing can be written there", "let the user that runs art34 write to it")
		return
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, _ = f.WriteString("x")
	info, err := f.Stat()
	_ = f.Close()
	if err == nil {
		if off := info.ModTime().Sub(d.h.real.Now()); off > clockOff || off < -clockOff {
			d.say(doctorWarn, "clock", "", fmt.Sprintf("this machine and the file system of DIR are %s apart", off.Abs().Round(time.Second)), "keep both with NTP: resends, windows and dates on letters follow the clock")
			return
		}
	}
	d.say(doctorOK, "clock", "", now.Local().Format(time.DateTime+" MST")+", in step with the file system and the audit trail", "")
}

// What a campaign needs on the disk, measured: rows, events, index and log of a
// notice in SQLite; a letter in its print run.
const (
	perNotice = 6 << 10
	perLetter = 40 << 10
	leastFree = 512 << 20
)

func (d *doctor) disk(ctx context.Context, campaigns []pipeline.Campaign) {
	free, err := freeBytes(d.h.Dir)
	if err != nil {
		d.say(doctorSkipped, "disk", "", "free space is not known here", "")
		return
	}
	need := uint64(leastFree)
	for _, c := range campaigns {
		tallies, err := d.h.ledger.Tally(ctx, c.ID)
		if err != nil {
			continue
		}
		for _, t := range tallies {
			if t.State.Settled() {
				continue
			}
			if !d.h.shared {
				need += uint64(t.Count) * perNotice
			}
			if t.Channel == pipeline.Post {
				need += uint64(t.Count) * perLetter
			} else {
				need += uint64(t.Count) * perLetter / 10 // who bounces gets a letter
			}
		}
	}
	sentence := fmt.Sprintf("%s free, about %s needed", gigabytes(free), gigabytes(need))
	switch {
	case free < leastFree:
		d.say(doctorFail, "disk", "", sentence, "make room where DIR lies: a full disk stops everything")
	case free < need:
		d.say(doctorWarn, "disk", "", sentence, "make room where DIR lies before the launch")
	default:
		d.say(doctorOK, "disk", "", sentence, "")
	}
}

func gigabytes(n uint64) string { return fmt.Sprintf("%.1f GB", float64(n)/1e9) }

// relay connects and says how.
func (d *doctor) relay(ctx context.Context) {
	if d.h.Relay == "" {
		d.say(doctorWarn, "relay", "", "none is configured: no e-mail can leave", "set ART34_RELAY=smtp://user@host:port")
		return
	}
	address, err := email.ParseRelayURL(d.h.Relay)
	if err == nil {
		err = d.dial(ctx)
	}
	if err != nil {
		e := explained(err)
		d.say(doctorFail, "relay", "", e.Sentence, e.Hint)
		return
	}
	login := "without a login"
	if address.User != "" {
		login = "and takes our login"
	}
	if address.TLS == email.TLSNone {
		if local(address.Host) {
			d.say(doctorOK, "relay", address.Host, "it answers "+login+", without encryption, on this machine", "")
			return
		}
		d.say(doctorWarn, "relay", address.Host, "it answers "+login+", without encryption: names, addresses and what was exposed cross the network in clear", "let it offer STARTTLS and take ?tls=none out of ART34_RELAY, unless the network between is yours alone")
		return
	}
	d.say(doctorOK, "relay", address.Host, "it answers "+login+", encrypted, with a certificate that is to be trusted", "")
}

// dial connects to the relay, and hangs up.
func (d *doctor) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	r, err := d.h.relay()
	if err != nil {
		return err
	}
	c, err := r.Dial(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}

// local reports whether a host is this machine.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// queue asks a real Redis for its version and for what it does when it is full.
func (d *doctor) queue(ctx context.Context) {
	url, err := d.h.redisURL()
	if err != nil {
		d.say(doctorFail, "queue", "", explained(err).Sentence, explained(err).Hint)
		return
	}
	if url == "" {
		d.say(doctorOK, "queue", "", "embedded: nothing to look at", "")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	heard := &warnings{}
	q, err := queue.Open(ctx, queue.Config{URL: url, Namespace: "art34-doctor", Random: rand.Text, Log: slog.New(heard)})
	if err != nil {
		d.say(doctorFail, "queue", "", explained(err).Sentence, explained(err).Hint)
		return
	}
	_ = q.Close()
	if len(heard.list) > 0 {
		d.say(doctorWarn, "queue", "", heard.list[0], "in redis.conf, or with CONFIG SET")
		return
	}
	d.say(doctorOK, "queue", "", "Redis answers, is new enough and drops nothing when it is full", "")
}

// warnings keeps what is logged as a warning.
type warnings struct{ list []string }

// Enabled implements slog.Handler.
func (w *warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	w.list = append(w.list, r.Message)
	return nil
}

// WithAttrs implements slog.Handler.
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w *warnings) WithGroup(string) slog.Handler { return w }

// senders looks at every sender once, and at the way back of its domain.
func (d *doctor) senders(ctx context.Context, campaigns []pipeline.Campaign) error {
	senders := map[senderDomains]bool{}
	var order []senderDomains
	for _, c := range campaigns {
		spec, err := d.spec(ctx, c)
		if err != nil {
			e := explained(err)
			d.say(doctorSkipped, "senders", c.Name, e.Sentence, e.Hint)
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(spec.Senders)) {
			x := domainsOf(spec.Senders[key])
			if !senders[x] {
				senders[x] = true
				order = append(order, x)
			}
		}
	}
	if len(order) == 0 {
		d.say(doctorSkipped, "senders", "", "there is no campaign to look at", "art34 new makes one")
		return nil
	}
	seen := map[string]bool{}
	for _, x := range order {
		back, err := d.h.proven(ctx, x.Envelope, provenFor)
		if err != nil {
			return err
		}
		if !seen[x.Envelope] {
			seen[x.Envelope] = true
			d.wayBack(back)
		}
		if !idnOK(x.From) || !idnOK(x.Envelope) {
			continue
		}
		d.records(ctx, x, back.Proven, seen)
	}
	return nil
}

func (d *doctor) wayBack(v provenView) {
	switch {
	case v.Proven:
		d.say(doctorOK, "way back", v.Domain, "proven: a message to ourselves and a bounce came back", "")
	case v.ProbedAt == nil:
		d.say(doctorSkipped, "way back", v.Domain, "not tried yet: art34 run does, with the feedback role, once a campaign runs", v.Why)
	default:
		d.say(doctorWarn, "way back", v.Domain, "not proven: accepted e-mails are not counted as informed", v.Why)
	}
}

// spec is the campaign.yaml in force, or that of the draft.
func (d *doctor) spec(ctx context.Context, c pipeline.Campaign) (*pipeline.Spec, error) {
	if c.Version > 0 {
		return d.h.editions.Spec(ctx, c)
	}
	e, _, err := d.h.draft(c)
	if err != nil {
		return nil, err
	}
	return e.spec, nil
}

func idnOK(domain string) bool {
	_, err := idna.Domain(domain)
	return err == nil
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	ascii, err := idna.Domain(domain)
	if err != nil {
		return strings.ToLower(domain)
	}
	return strings.ToLower(ascii)
}
