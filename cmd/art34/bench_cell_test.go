package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/templates"
)

// BenchmarkCell measures a look-up through the page (the search, the call that it
// opens, and the page of the call), one every 50 ms, beside a service that sends at
// full speed: percentiles, and the memory of the console, which is a process of its
// own. 3,000 agents with a call every three minutes ask 17 times a second. It ends
// with the campaign, or after 5,000 look-ups. ART34_BENCH_CUSTOMERS is the size of the
// campaign, 20,000 without it; ART34_BENCH_DIR has one in data that is
// approved, or launched and not yet done.
//
//	go test -run '^$' -bench '^BenchmarkCell$' -benchtime 1x ./cmd/art34
func BenchmarkCell(b *testing.B) {
	s := &suite{B: b, stop: b.Context()}
	in := &installation{t: b, dir: os.Getenv("ART34_BENCH_DIR")}
	if in.dir == "" {
		in = s.draft(sizeOf(b, "ART34_BENCH_CUSTOMERS", 20_000))
		in.must(in.lists()...)
		in.must("check", "muguet")
		in.must("approve", "muguet")
	}
	in.env = []string{s.sink().env(), "ART34_CONSOLE=off"}
	if in.status(false).State != pipeline.Running {
		in.must("launch", "muguet")
	}
	for b.Loop() {
		desk := s.desk(in)
		service := in.start("run", "--until-idle")
		desk.lookUp(5000, service.done)
		p50, p99 := quantiles(desk.took)
		b.ReportMetric(float64(len(desk.took)), "look-ups")
		b.ReportMetric(p50, "p50-ms")
		b.ReportMetric(p99, "p99-ms")
		b.ReportMetric(float64(slices.Max(desk.took).Microseconds())/1000, "max-ms")
		b.ReportMetric(desk.resident(), "console-MiB")
	}
	b.ReportMetric(s.relay.next().perSecond(), "sent/s")
	b.ReportMetric(0, "ns/op") // says nothing here
}

// deskCommand is the name under which this test binary is a console whose agent has
// no quota.
const deskCommand = "art34-bench-desk"

// deskMain serves the console of the installation in os.Args[1], prints its address
// and ends with its standard input.
func deskMain() {
	if err := serveDesk(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// agentOf is the login of the agent of a measurement: an account for each.
func agentOf(pid int) string { return fmt.Sprintf("ana%d", pid) }

func serveDesk(dir string) error {
	ctx := context.Background()
	h, err := newApp(&globals{Dir: dir, Log: "info", Ledger: os.Getenv("ART34_LEDGER")}, nil, io.Discard, io.Discard).open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	agent := agentOf(os.Getppid())
	accounts, err := h.accounts()
	if err != nil {
		return err
	}
	if _, _, err := accounts.Add(ctx, "user:bench", agent, "Ana", []string{"agent"}, ""); err != nil {
		return err
	}
	if _, err := accounts.SetPassword(ctx, agent, journeyPassword); err != nil {
		return err
	}
	customers := consoleCustomers{h}
	k, err := console.New(console.Config{
		Files: templates.Console(), Ledger: h.ledger, Accounts: accounts, Board: consoleBoard{h, new(meters)}, Desk: consoleDesk{h}, Floor: consoleFloor{h},
		Cell:  console.NewCell(console.CellConfig{Calls: h.ledger, Customers: customers, Deeds: customers, Clock: h.clock, Hour: 1 << 30, Day: 1 << 30}),
		Clock: h.clock, Real: &ahead{from: time.Now()}, Random: random, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Locale: "en",
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
	}()
	if err := http.Serve(l, k); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// ahead is a clock that runs fast enough for the limits of one visitor.
type ahead struct {
	from  time.Time
	asked atomic.Int64
}

// Now is a moment later each time.
func (a *ahead) Now() time.Time {
	return a.from.Add(time.Duration(a.asked.Add(1)) * 100 * time.Millisecond)
}

// deskEnd is an agent who looks customers up.
type deskEnd struct {
	b     *testing.B
	pid   int
	http  *http.Client
	url   string
	token string
	keys  []string
	took  []time.Duration
}

// desk starts a console beside whatever works in the installation, and logs in.
func (s *suite) desk(in *installation) *deskEnd {
	s.Helper()
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = []string{deskCommand, in.path("data")}
	cmd.Env = append(os.Environ(), in.env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = stdin.Close() // it ends when its input does
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.Fatalf("the console ended: %v", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	d := &deskEnd{b: s.B, pid: cmd.Process.Pid, http: &http.Client{Jar: jar, Timeout: time.Minute}, url: "http://" + strings.TrimSpace(address)}
	d.token = d.tokenOf(d.get("/login"))
	d.token = d.tokenOf(d.post("/login", "login", agentOf(os.Getpid()), "password", journeyPassword, "next", "/cell"))
	h := in.house()
	defer h.Close()
	d.keys = cellKeys(s.B, h, 2000)
	return d
}

// lookUp looks somebody up every 50 milliseconds, until the end or so many times.
func (d *deskEnd) lookUp(most int, end <-chan struct{}) {
	for i := range most {
		start := time.Now()
		d.look(d.keys[i*7919%len(d.keys)])
		d.took = append(d.took, time.Since(start))
		select {
		case <-end:
			return
		case <-time.After(time.Until(start.Add(50 * time.Millisecond))):
		}
	}
}

// resident is the most memory in MiB that the console ever held.
func (d *deskEnd) resident() float64 { return float64(highWater(d.pid)) / 1024 }

// cellKeys are customer numbers, references and e-mail addresses of the campaign.
func cellKeys(b *testing.B, h *house, n int) (keys []string) {
	ctx := context.Background()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		b.Fatal(err)
	}
	box, err := h.keys.Existing(c.ID)
	if err != nil {
		b.Fatal(err)
	}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, Roles: []pipeline.Role{pipeline.Primary}, Limit: n}) {
		if err != nil {
			b.Fatal(err)
		}
		p, err := openPerson(box, j)
		if err != nil {
			b.Fatal(err)
		}
		switch {
		case len(keys)%3 == 0:
			keys = append(keys, p.Reference.String())
		case len(keys)%3 == 1 && p.Email != "":
			keys = append(keys, p.Email)
		default:
			keys = append(keys, p.CustomerIDs[0])
		}
	}
	return keys
}

func (d *deskEnd) read(res *http.Response, err error) string {
	if err != nil {
		d.b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		d.b.Fatalf("%s: %d, %v\n%s", res.Request.URL.Path, res.StatusCode, err, body)
	}
	return string(body)
}

func (d *deskEnd) get(path string) string { return d.read(d.http.Get(d.url + path)) }

func (d *deskEnd) post(path string, pairs ...string) string {
	form := url.Values{"token": {d.token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return d.read(d.http.PostForm(d.url+path, form))
}

func (d *deskEnd) tokenOf(page string) string {
	m := regexp.MustCompile(`name="token" value="([0-9a-f]+)"`).FindStringSubmatch(page)
	if m == nil {
		d.b.Fatalf("no form on the page: %s", page)
	}
	return m[1]
}

// look looks somebody up and reads the page of the call.
func (d *deskEnd) look(key string) {
	if page := d.post("/cell", "key", key); !strings.Contains(page, "Who is calling?") && !strings.Contains(page, "More than one") && !strings.Contains(page, "The lead calls back") {
		d.b.Fatalf("not found: %s", page)
	}
}
