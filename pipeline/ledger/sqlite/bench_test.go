package sqlite

import (
	"encoding/binary"
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

// BenchmarkCarry is the ledger's part of sending: eight couriers take a hundred at
// a time and commit windows of eight, once to mark and once to record. One op is
// one notice; changes/s counts the two commits, not the taking.
func BenchmarkCarry(b *testing.B) {
	for _, crowdSize := range []int{10_000, 200_000} {
		b.Run(map[int]string{10_000: "10k", 200_000: "200k"}[crowdSize], func(b *testing.B) {
			c := populate(b, open(b), "bench", max(crowdSize, b.N+1000))
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			before, began := cpu(b), time.Now()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for left.Add(-100) > -100 {
						c.carry(b, 100, 8, "p1")
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(2*float64(b.N)/time.Since(began).Seconds(), "changes/s")
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/notice")
		})
	}
}

func BenchmarkStage(b *testing.B) {
	l := open(b)
	before := cpu(b)
	populate(b, l, "bench", b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "notices/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/notice")
}

// BenchmarkTokens loads the blind index: sorted tokens, five a notice.
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
