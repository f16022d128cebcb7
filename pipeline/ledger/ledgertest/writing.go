package ledgertest

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
)

func (b *bench) writing(file, content string) pipeline.Writing {
	return pipeline.Writing{Campaign: b.campaign.ID, File: file, Hash: strings.Repeat("a1", 32), Content: content, Actor: "user:ana", At: t0, Reason: "clearer"}
}

func testWritings(t *testing.T, e Engine) {
	b := newBench(t, e)
	const file = "letters/breach.fr.md"
	first, err := b.AddWriting(b.ctx, b.writing(file, "Bonjour,\né 😀\n"), 0, b.audit("edit"))
	b.must(err)
	second, err := b.AddWriting(b.ctx, b.writing(file, "Madame,\n"), 1, b.audit("edit"), b.audit("note"))
	b.must(err)
	other, err := b.AddWriting(b.ctx, b.writing("letters/a.yaml", ""), 0)
	b.must(err)
	if first.N != 1 || second.N != 2 || other.N != 1 {
		t.Fatalf("%d %d %d", first.N, second.N, other.N)
	}
	// Whoever was slower is told, and leaves no trace.
	_, err = b.AddWriting(b.ctx, b.writing(file, "Monsieur,\n"), 1, b.audit("edit"))
	b.want(err, pipeline.ErrStale)
	_, err = b.AddWriting(b.ctx, b.writing(file, "Monsieur,\n"), 7, b.audit("edit"))
	b.want(err, pipeline.ErrConflict)
	got, err := b.Writing(b.ctx, b.campaign.ID, file, 1)
	b.must(err)
	if !reflect.DeepEqual(got, first) {
		t.Errorf("read back\n%+v, stored\n%+v", got, first)
	}
	for _, miss := range []struct {
		campaign int64
		file     string
		n        int
	}{{b.campaign.ID, file, 3}, {b.campaign.ID, "nothing", 1}, {b.campaign.ID + 1, file, 1}} {
		_, err := b.Writing(b.ctx, miss.campaign, miss.file, miss.n)
		b.want(err, pipeline.ErrNotFound)
	}
	all, err := b.Writings(b.ctx, b.campaign.ID)
	b.must(err)
	first.Content, second.Content, other.Content = "", "", ""
	if want := []pipeline.Writing{other, first, second}; !reflect.DeepEqual(all, want) {
		t.Errorf("%+v", all)
	}
	entries := 0
	for a, err := range b.AuditTrail(b.ctx, b.campaign.ID) {
		b.must(err)
		if a.Action == "edit" || a.Action == "note" {
			entries++
		}
	}
	if entries != 3 {
		t.Errorf("%d entries of the audit trail", entries)
	}
}

// testWritingsRace: of many who save at the same moment one is first.
func testWritingsRace(t *testing.T, e Engine) {
	b := newBench(t, e)
	second := b.open()
	var mu sync.Mutex
	won := 0
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			l := b.Ledger
			if i%2 == 1 {
				l = second
			}
			_, err := l.AddWriting(b.ctx, b.writing("letters/breach.fr.md", "x"), 0, b.audit("edit"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, pipeline.ErrStale) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d were first", won)
	}
}
