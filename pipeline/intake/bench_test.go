package intake

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/rehearsal/sample"
)

// discard is a ledger that writes nothing, so that the benchmark measures intake.
type discard struct {
	*memory
	notices, tokens int
}

func (d *discard) Stage(_ context.Context, _ int64, b []pipeline.Staged) error {
	d.notices += len(b)
	return nil
}

func (d *discard) StageTokens(_ context.Context, _ int64, b []pipeline.Token) error {
	d.tokens += len(b)
	return nil
}

// BenchmarkRun imports a sample population into a ledger that writes nothing.
// ART34_BENCH_CUSTOMERS sets its size (100,000).
func BenchmarkRun(b *testing.B) {
	n := 100_000
	if s := os.Getenv("ART34_BENCH_CUSTOMERS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	dir := b.TempDir()
	totals, err := sample.Write(context.Background(), sample.Config{Customers: n, Seed: 7, Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		x := newBench(b)
		x.config.Customers = []Source{File(filepath.Join(dir, "customers.csv"))}
		x.config.Impacts = []Source{File(filepath.Join(dir, "impact.csv"))}
		x.config.OwnDomains = []string{"telecom-exemple.example"}
		d := &discard{memory: x.sink}
		x.config.Sink = d
		r, err := Run(context.Background(), x.config)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(totals.Customers+totals.Impacts)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.Logf("%d + %d rows, %d notices, %d tokens, peak %s; %+v", totals.Customers, totals.Impacts, d.notices, d.tokens, peak(), r.Import.Manifest)
	}
}

// peak is the largest resident size of the process so far.
func peak() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown on " + runtime.GOOS
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
