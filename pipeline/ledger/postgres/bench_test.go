package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// BenchmarkCommit is what couriers do to the ledger: each takes windows of 8,
// marks them, and records the answers. fsync is on. A change is one move; two of
// them and a share of TakeDue and Load make a message.
func BenchmarkCommit(b *testing.B) {
	for _, couriers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("couriers=%d", couriers), func(b *testing.B) {
			s := testenv.NewPostgres(b, testenv.PostgresConfig{Durable: true})
			p := populate(b, openAt(b, s.Database(b)), "bench", b.N+8)
			windows := make(chan []pipeline.Ticket, couriers)
			b.ResetTimer()
			go func() {
				defer close(windows)
				for left := b.N; left > 0; {
					tickets, err := p.TakeDue(context.Background(), pipeline.Take{Campaign: p.campaign.ID, Channel: pipeline.Email, Limit: min(left, 400), Now: start, Moved: start})
					if err != nil || len(tickets) == 0 {
						b.Errorf("took %d: %v", len(tickets), err)
						return
					}
					left -= len(tickets)
					for len(tickets) > 0 {
						n := min(8, len(tickets))
						windows <- tickets[:n]
						tickets = tickets[n:]
					}
				}
			}()
			var changes atomic.Int64
			var wg sync.WaitGroup
			for c := range couriers {
				wg.Go(func() {
					for w := range windows {
						jobs, err := p.Load(context.Background(), w)
						if err != nil {
							b.Error(err)
							return
						}
						var marks, accepts []pipeline.Change
						for _, j := range jobs {
							marks = append(marks, mark(j.Notice, fmt.Sprintf("courier-%d", c), start))
						}
						for _, n := range p.commit(b, marks...) {
							accepts = append(accepts, accept(b, n, start.Add(time.Second)))
						}
						p.commit(b, accepts...)
						changes.Add(int64(2 * len(jobs)))
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(changes.Load())/b.Elapsed().Seconds(), "changes/s")
		})
	}
}
