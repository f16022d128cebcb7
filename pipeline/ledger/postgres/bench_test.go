package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// BenchmarkCommit is what couriers do to the ledger: each takes windows of 8,
// marks them, and records the answers. fsync is on. An operation is a message: a
// share of TakeDue and Load, and two changes.
func BenchmarkCommit(b *testing.B) {
	for _, couriers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("couriers=%d", couriers), func(b *testing.B) {
			s := testenv.NewPostgres(b, testenv.PostgresConfig{Durable: true})
			p := populate(b, openAt(b, s.Database(b)), "bench", b.N+8)
			windows := make(chan []pipeline.Ticket, couriers)
			b.ResetTimer()
			go feed(b, p, windows)
			var wg sync.WaitGroup
			for c := range couriers {
				wg.Go(func() {
					for w := range windows {
						carryWindow(b, p, w, fmt.Sprintf("courier-%d", c))
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(2*b.N)/b.Elapsed().Seconds(), "changes/s")
		})
	}
}

// feed takes b.N due notices and hands them out in windows of 8.
func feed(b *testing.B, p population, windows chan<- []pipeline.Ticket) {
	defer close(windows)
	for left := b.N; left > 0; {
		tickets, err := p.TakeDue(context.Background(), pipeline.Take{
			Campaign: p.campaign.ID, Channel: pipeline.Email, Limit: min(left, 400), Now: start, Moved: clock.Real{}.Now(),
		})
		if err != nil || len(tickets) == 0 {
			b.Errorf("took %d: %v", len(tickets), err)
			return
		}
		left -= len(tickets)
		for w := range slices.Chunk(tickets, 8) {
			windows <- w
		}
	}
}

func carryWindow(b *testing.B, p population, w []pipeline.Ticket, owner string) {
	jobs, err := p.Load(context.Background(), w)
	if err != nil {
		b.Error(err)
		return
	}
	var marks, accepts []pipeline.Change
	for _, j := range jobs {
		marks = append(marks, mark(j.Notice, owner, clock.Real{}.Now()))
	}
	for _, n := range p.commit(b, marks...) {
		accepts = append(accepts, accept(b, n, clock.Real{}.Now()))
	}
	p.commit(b, accepts...)
}

// BenchmarkStage loads notices with 400 bytes of sealed person, and four tokens
// each, in batches of 5,000. An operation is a notice.
func BenchmarkStage(b *testing.B) {
	s := testenv.NewPostgres(b, testenv.PostgresConfig{Durable: true, Settings: map[string]string{"max_wal_size": "4GB"}})
	l := openAt(b, s.Database(b))
	tokens := make([]pipeline.Token, 4*b.N)
	for k := range tokens {
		h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(k)))
		tokens[k] = pipeline.Token{Hash: [16]byte(h[:16]), Notice: int64(k/4 + 1)}
	}
	slices.SortFunc(tokens, func(a, b pipeline.Token) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	b.ResetTimer()
	populate(b, l, "bench", b.N)
	notices := b.Elapsed()
	i, err := l.BeginImport(b.Context(), pipeline.Import{Campaign: 1, Content: "tokens", StagedAt: start})
	if err != nil {
		b.Fatal(err)
	}
	for chunk := range slices.Chunk(tokens, 10000) {
		if err := l.StageTokens(b.Context(), i.ID, chunk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/notices.Seconds(), "notices/s")
	b.ReportMetric(float64(len(tokens))/(b.Elapsed()-notices).Seconds(), "tokens/s")
}
