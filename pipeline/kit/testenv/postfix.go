package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// PostfixConfig says what a Postfix does with mail.
type PostfixConfig struct {
	// Routes maps a domain to a transport: "discard:", "smtp:[127.0.0.1]:2525",
	// "lmtp:inet:127.0.0.1:2601", "error:5.1.1 no such user" (refused at RCPT; with
	// smtpd_reject_unlisted_recipient=no accepted and bounced), "retry:4.2.0 later"
	// (accepted and deferred). "*" is everything else; without it, everything else is
	// discarded.
	Routes map[string]string
	// Settings are further parameters of main.cf, for example to bounce sooner:
	// maximal_queue_lifetime=6s, minimal_backoff_time=2s, queue_run_delay=1s.
	Settings map[string]string
}

// PostfixServer is a real Postfix for one test, with its own configuration, queue
// and data directories.
type PostfixServer struct {
	Addr string // host:port, plain SMTP, relays for the loopback
	URL  string // smtp://host:port?tls=none, as ART34_RELAY
	Log  string // the mail log

	config PostfixConfig
	dir    string
	port   int
	proc   *process
}

// QueueEntry is one message in Postfix's queue.
type QueueEntry struct {
	Name       string `json:"queue_name"` // incoming, active, deferred, hold
	ID         string `json:"queue_id"`
	Sender     string `json:"sender"`
	Recipients []struct {
		Address string `json:"address"`
		Delay   string `json:"delay_reason"`
	} `json:"recipients"`
}

// Postfix starts a server that ends with the test. Postfix insists on being
// started by root: elsewhere the test is skipped, or fails if Postfix is required.
func Postfix(t testing.TB, c PostfixConfig) *PostfixServer {
	t.Helper()
	Binary(t, "postfix")
	if os.Geteuid() != 0 {
		Missing(t, "postfix", "postfix has to be started by root")
	}
	s := &PostfixServer{config: c}
	var err error
	for try := 1; ; try++ {
		if err = s.create(); err == nil {
			break
		}
		_ = os.RemoveAll(s.dir)
		if try == starts {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := s.proc.close(); err != nil {
			t.Errorf("postfix: %v", err)
		}
	})
	return s
}

// create makes the directories and starts the server on a port of its own.
func (s *PostfixServer) create() (err error) {
	// Postfix's unprivileged daemons walk through the directory.
	if s.dir, err = directory("postfix", nil); err != nil {
		return err
	}
	if !open(filepath.Dir(s.dir)) {
		_ = os.Remove(s.dir)
		if s.dir, err = os.MkdirTemp("/tmp", "art34-postfix-"); err != nil {
			return err
		}
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	s.Addr = addr(s.port)
	s.URL = "smtp://" + s.Addr + "?tls=none"
	s.Log = filepath.Join(s.dir, "maillog")
	if err := errors.Join(os.Chmod(s.dir, 0o755), s.spool(), s.configure()); err != nil {
		return err
	}
	return s.start()
}

func (s *PostfixServer) start() error {
	master := filepath.Join(daemons(), "master")
	p, err := launch(spec{dir: s.dir, args: []string{master, "-c", filepath.Join(s.dir, "conf"), "-d"}, end: "TERM"})
	if err != nil {
		return err
	}
	s.proc = p
	return p.until("postfix", func() bool {
		return greets(s.Addr, "220 postfix.example")
	})
}

// Queue lists what is in the queue.
func (s *PostfixServer) Queue(t testing.TB) []QueueEntry {
	t.Helper()
	var out []QueueEntry
	for line := range bytes.Lines(s.tool(t, "postqueue", "-j")) {
		var e QueueEntry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("postqueue: %v: %s", err, line)
		}
		out = append(out, e)
	}
	return out
}

func (s *PostfixServer) tool(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	return Run(t, name, append([]string{"-c", filepath.Join(s.dir, "conf")}, args...)...)
}

// daemons is where the distribution keeps Postfix's programs.
func daemons() string {
	for _, dir := range []string{"/usr/lib/postfix/sbin", "/usr/libexec/postfix"} {
		if _, err := os.Stat(filepath.Join(dir, "master")); err == nil {
			return dir
		}
	}
	out, _ := exec.Command(lookup("postconf"), "-hd", "daemon_directory").Output()
	return strings.TrimSpace(string(out))
}

// owners are the accounts of Postfix, or others that exist where the package was
// unpacked and not installed.
func owners() (owner, group string) {
	owner, group = "daemon", "mail"
	if _, err := user.Lookup("postfix"); err == nil {
		owner = "postfix"
	}
	if _, err := user.LookupGroup("postdrop"); err == nil {
		group = "postdrop"
	}
	return owner, group
}

// spool makes the queue as postfix-script would (its conf/postfix-files).
func (s *PostfixServer) spool() error {
	owner, group := owners()
	u, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(g.Gid)
	mk := func(name string, uid, gid int, mode os.FileMode) error {
		path := filepath.Join(s.dir, name)
		return errors.Join(os.MkdirAll(path, 0o755), os.Chown(path, uid, gid), os.Chmod(path, mode))
	}
	errs := []error{
		mk("conf", 0, 0, 0o755), mk("data", uid, 0, 0o700), mk("queue", 0, 0, 0o755), mk("queue/pid", 0, 0, 0o755),
		mk("queue/maildrop", uid, gid, 0o730), mk("queue/public", uid, gid, 0o710),
	}
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		errs = append(errs, mk("queue/"+name, uid, 0, 0o700))
	}
	return errors.Join(errs...)
}

// configure writes main.cf, master.cf and the transport map.
func (s *PostfixServer) configure() error {
	owner, group := owners()
	conf := filepath.Join(s.dir, "conf")
	main := map[string]string{
		"compatibility_level": "3.6", "myhostname": "postfix.example", "mydestination": "", "mynetworks": "127.0.0.0/8",
		"queue_directory": filepath.Join(s.dir, "queue"), "data_directory": filepath.Join(s.dir, "data"),
		"command_directory": filepath.Dir(lookup("postqueue")), "daemon_directory": daemons(),
		"mail_owner": owner, "setgid_group": group, "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
		"maillog_file": s.Log, "maillog_file_prefixes": filepath.Dir(s.dir), "alias_maps": "", "alias_database": "",
		"local_recipient_maps": "", "local_transport": "error:5.1.1 no local delivery", "default_transport": "discard:",
		"transport_maps": "texthash:" + filepath.Join(conf, "transport"), "smtp_dns_support_level": "disabled",
		"smtp_tls_security_level": "none", "smtpd_tls_security_level": "none", "smtputf8_enable": "no",
		"smtpd_recipient_restrictions": "permit_mynetworks, reject", "smtpd_relay_restrictions": "permit_mynetworks, reject",
		"smtpd_client_connection_count_limit": "0", "smtpd_peername_lookup": "no", "disable_dns_lookups": "yes",
		"in_flow_delay": "0", "bounce_notice_recipient": "postmaster@discard.example", "notify_classes": "",
	}
	maps.Copy(main, s.config.Settings)
	if everything, ok := s.config.Routes["*"]; ok {
		main["default_transport"] = everything
	}
	var cf, routes strings.Builder
	for _, k := range slices.Sorted(maps.Keys(main)) {
		fmt.Fprintf(&cf, "%s = %s\n", k, main[k])
	}
	for _, d := range slices.Sorted(maps.Keys(s.config.Routes)) {
		if d != "*" {
			fmt.Fprintf(&routes, "%s %s\n", d, s.config.Routes[d])
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(conf, "main.cf"), []byte(cf.String()), 0o644),
		os.WriteFile(filepath.Join(conf, "master.cf"), []byte(s.Addr+" inet n - n - - smtpd\n"+services), 0o644),
		os.WriteFile(filepath.Join(conf, "transport"), []byte(routes.String()), 0o644),
	)
}

// services is the least of master.cf(5) that takes, queues, delivers and bounces,
// with nothing in a chroot: service type private unpriv chroot wakeup maxproc
// command.
const services = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
