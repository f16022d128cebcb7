package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/templates"
)

// BenchmarkCell measures a look-up through the page (the search, the call that it
// opens, and the page of the call), one after the other, beside a service that sends
// at full speed: percentiles, and the memory of this process, which holds the
// console. ART34_BENCH_CUSTOMERS is the size of the campaign; 20,000 without it.
//
//	go test -run '^$' -bench '^BenchmarkCell$' -benchtime 1x ./cmd/art34
func BenchmarkCell(b *testing.B) {
	customers := 20_000
	if n, err := strconv.Atoi(os.Getenv("ART34_BENCH_CUSTOMERS")); err == nil && n > 0 {
		customers = n
	}
	s := &suite{B: b}
	in := install(b, customers, 34, s.sink().env(), "ART34_CONSOLE=off")
	in.must("launch", "muguet")
	h := in.house()
	defer h.Close()
	keys, page := cellKeys(b, h, 2000), newCellClient(b, h)
	for b.Loop() {
		took := besideSending(in, func(i int) { page.lookUp(keys[i*7919%len(keys)]) })
		p50, p99 := quantiles(took)
		b.ReportMetric(float64(len(took)), "look-ups")
		b.ReportMetric(p50, "p50-ms")
		b.ReportMetric(p99, "p99-ms")
		b.ReportMetric(float64(slices.Max(took).Microseconds())/1000, "max-ms")
	}
	sent := s.relay.next()
	b.ReportMetric(sent.perSecond(), "sent/s")
	b.ReportMetric(float64(residentMemory(b))/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op") // says nothing here
}

// besideSending does something again and again while the service sends, and says how
// long each time took.
func besideSending(in *installation, f func(i int)) (took []time.Duration) {
	in.t.Helper()
	service := in.start("run", "--until-idle")
	for i := 0; ; i++ {
		start := time.Now()
		f(i)
		took = append(took, time.Since(start))
		select {
		case <-service.done:
			return took
		default:
		}
	}
}

// residentMemory is the memory of this process now, in bytes (proc(5)).
func residentMemory(b *testing.B) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here")
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(data)
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n << 10
}

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

// cellClient is an agent whose console has no quota.
type cellClient struct {
	b     *testing.B
	http  *http.Client
	url   string
	token string
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

func newCellClient(b *testing.B, h *house) *cellClient {
	ctx := context.Background()
	accounts, err := h.accounts()
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := accounts.Add(ctx, "user:bench", "ana", "Ana", []string{"agent"}, ""); err != nil {
		b.Fatal(err)
	}
	if _, err := accounts.SetPassword(ctx, "ana", journeyPassword); err != nil {
		b.Fatal(err)
	}
	customers := consoleCustomers{h}
	k, err := console.New(console.Config{
		Files: templates.Console(), Ledger: h.ledger, Accounts: accounts, Board: consoleBoard{h, new(meters)}, Desk: consoleDesk{h}, Floor: consoleFloor{h},
		Cell:  console.NewCell(console.CellConfig{Calls: h.ledger, Customers: customers, Deeds: customers, Clock: h.clock, Hour: 1 << 30, Day: 1 << 30}),
		Clock: h.clock, Real: &ahead{from: time.Now()}, Random: random, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Locale: "en",
	})
	if err != nil {
		b.Fatal(err)
	}
	s := httptest.NewServer(k)
	b.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := &cellClient{b: b, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}, url: s.URL}
	c.token = c.tokenOf(c.get("/login"))
	c.token = c.tokenOf(c.post("/login", "login", "ana", "password", journeyPassword, "next", "/cell"))
	return c
}

func (c *cellClient) read(res *http.Response, err error) string {
	if err != nil {
		c.b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		c.b.Fatalf("%s: %d, %v\n%s", res.Request.URL.Path, res.StatusCode, err, body)
	}
	return string(body)
}

func (c *cellClient) get(path string) string { return c.read(c.http.Get(c.url + path)) }

func (c *cellClient) post(path string, pairs ...string) string {
	form := url.Values{"token": {c.token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return c.read(c.http.PostForm(c.url+path, form))
}

func (c *cellClient) tokenOf(page string) string {
	m := regexp.MustCompile(`name="token" value="([0-9a-f]+)"`).FindStringSubmatch(page)
	if m == nil {
		c.b.Fatalf("no form on the page: %s", page)
	}
	return m[1]
}

// lookUp looks somebody up and reads the page of the call.
func (c *cellClient) lookUp(key string) {
	if page := c.post("/cell", "key", key); !strings.Contains(page, "Who is calling?") && !strings.Contains(page, "More than one") && !strings.Contains(page, "Pass this call on") {
		c.b.Fatalf("not found: %s", page)
	}
}
