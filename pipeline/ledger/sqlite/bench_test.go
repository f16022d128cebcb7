package sqlite

import (
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the most memory in MiB that this process ever held.
func resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(n) / 1024
}

// sizes are the populations to measure with; a million takes a minute to stage.
func sizes() []int {
	if os.Getenv("ART34_BENCH") == "full" {
		return []int{10_000, 1_000_000}
	}
	return []int{10_000, 100_000}
}

// BenchmarkCarry is the ledger's part of sending: eight couriers take a hundred at
// a time and commit windows of eight, once to mark and once to record. One op is
// one notice; changes/s counts the two commits, not the taking. Somebody looks
// tokens up all the while: find-p99 is the slowest of a hundred.
func BenchmarkCarry(b *testing.B) {
	for _, size := range sizes() {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			c := populate(b, open(b), "bench", max(size, b.N+1000))
			var left atomic.Int64
			left.Store(int64(b.N))
			var couriers, finder sync.WaitGroup
			done := make(chan struct{})
			var took []time.Duration
			b.ResetTimer()
			before, began := cpu(b), time.Now()
			finder.Go(func() { took = find(b, c, done) })
			for range 8 {
				couriers.Go(func() {
					for left.Add(-100) > -100 {
						c.carry(b, 100, 8, "p1")
					}
				})
			}
			couriers.Wait()
			b.StopTimer()
			b.ReportMetric(2*float64(b.N)/time.Since(began).Seconds(), "changes/s")
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/notice")
			b.ReportMetric(resident(b), "MiB-resident")
			close(done)
			finder.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "find-p99-ms")
		})
	}
}

// find looks notices up as the call centre does, every few milliseconds, and
// returns how long each took: token, notice, events, attempts.
func find(b *testing.B, c crowd, done <-chan struct{}) (took []time.Duration) {
	for {
		began := time.Now()
		_, _, err := c.Search(b.Context(), c.campaign.ID, [16]byte{byte(len(took))}, 10)
		if err == nil {
			_, err = c.Notice(b.Context(), c.first+int64(len(took)))
		}
		if err == nil {
			_, err = c.Events(b.Context(), c.first)
		}
		if err == nil {
			_, err = c.Attempts(b.Context(), c.first)
		}
		if err != nil {
			b.Error(err)
		}
		took = append(took, time.Since(began))
		select {
		case <-done:
			return took
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// BenchmarkStage loads an import. One op is one notice with its sealed person.
func BenchmarkStage(b *testing.B) {
	l := open(b)
	before := cpu(b)
	populate(b, l, "bench", b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "notices/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/notice")
	b.ReportMetric(resident(b), "MiB-resident")
}

// BenchmarkTokens loads the blind index. One op is one token.
func BenchmarkTokens(b *testing.B) {
	l := open(b)
	c, err := l.CreateCampaign(b.Context(), pipeline.Campaign{Name: "bench", Kind: "breach"})
	if err != nil {
		b.Fatal(err)
	}
	i, err := l.BeginImport(b.Context(), pipeline.Import{Campaign: c.ID, StagedAt: start})
	if err != nil {
		b.Fatal(err)
	}
	before := cpu(b)
	batch := make([]pipeline.Token, 0, 10_000)
	for n := range b.N {
		var k pipeline.Token
		binary.BigEndian.PutUint64(k.Hash[:], uint64(n)*(1<<63/uint64(b.N)))
		k.Notice = int64(n*7919%b.N) + 1
		if batch = append(batch, k); len(batch) == cap(batch) || n == b.N-1 {
			if err := l.StageTokens(b.Context(), i.ID, batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/token")
}

// BenchmarkTally is what a page that refreshes itself asks for.
func BenchmarkTally(b *testing.B) {
	c := populate(b, open(b), "bench", 20_000)
	for b.Loop() {
		if _, err := c.Tally(b.Context(), c.campaign.ID); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBesideService is one small write of another command while eight
// couriers work at full speed. One op is one such write.
func BenchmarkBesideService(b *testing.B) {
	c := populate(b, open(b), "bench", 200_000)
	other := openAt(b, c.cfg.Path)
	var couriers sync.WaitGroup
	var enough atomic.Bool
	for range 8 {
		couriers.Go(func() {
			for !enough.Load() && c.carry(b, 100, 8, "p1") > 0 {
			}
		})
	}
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	for i := range b.N {
		began := time.Now()
		if _, err := other.SetMeta(b.Context(), "k", strconv.Itoa(i), false); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(began)
		time.Sleep(5 * time.Millisecond)
	}
	b.StopTimer()
	enough.Store(true)
	couriers.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N-1].Microseconds())/1000, "max-ms")
}
