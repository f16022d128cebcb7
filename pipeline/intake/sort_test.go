package intake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// TestSorter compares with a sort in memory, for buffers so small that runs have
// to be merged into runs.
func TestSorter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ records, limit int }{{0, 1000}, {1, 1000}, {50, 1 << 20}, {5000, 1 << 20}, {5000, 40_000}, {5000, 400}} {
		t.Run(fmt.Sprintf("%d in %d bytes", c.records, c.limit), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r := rand.New(rand.NewPCG(7, uint64(c.limit)))
			s := newSorter(dir, seal.NewSpill(), 10, c.limit)
			var want [][]byte
			for i := range c.records {
				rec := make([]byte, 10, 60)
				binary.BigEndian.PutUint64(rec, uint64(r.IntN(c.records/3+1)))
				rec[9] = byte(r.IntN(2))
				rec = append(binary.AppendUvarint(rec, uint64(i)), strings.Repeat("x", r.IntN(40))...)
				want = append(want, rec)
				if err := s.add(rec); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortStableFunc(want, func(a, b []byte) int { return bytes.Compare(a[:10], b[:10]) })
			m, err := s.sorted()
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				got, err := m.next()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want[i]) {
					t.Fatalf("record %d is %x, want %x", i, got, want[i])
				}
			}
			if _, err := m.next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last: %v", err)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("%d files can be seen while the sorter is open", len(left))
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSorterWithoutDirectory(t *testing.T) {
	t.Parallel()
	s := newSorter(t.TempDir()+"/gone", seal.NewSpill(), 8, 100)
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		err = s.add(bytes.Repeat([]byte{byte(i)}, 40))
	}
	if pipeline.ErrorCode(err) != "spill-failed" {
		t.Errorf("got %v", err)
	}
}

// FuzzRecord: what was encoded comes back, and anything else is an error or a
// record, never a panic.
func FuzzRecord(f *testing.F) {
	var e encoder
	c := customer{codes: []code{namesDiffer}, attrs: []attribute{{3, "gold"}}, file: 2, row: 77}
	c.f[cLastName] = "Dubreuil"
	f.Add(bytes.Clone(e.customer(key{1}, &c)))
	f.Add(bytes.Clone(e.impact(key{1}, &impact{customer: "C1", kinds: []string{"identity"}})))
	f.Fuzz(func(t *testing.T, rec []byte) {
		if len(rec) < recKey {
			return
		}
		var c, d customer
		if decodeCustomer(rec, &c) == nil {
			if err := decodeCustomer(new(encoder).customer(key{}, &c), &d); err != nil || d.f != c.f || d.row != c.row || !slices.Equal(d.codes, c.codes) || !slices.Equal(d.attrs, c.attrs) {
				t.Fatalf("%v is not %v: %v", d, c, err)
			}
		}
		var i, j impact
		if decodeImpact(rec, &i) == nil {
			if err := decodeImpact(new(encoder).impact(key{}, &i), &j); err != nil || j.customer != i.customer || j.label != i.label || !slices.Equal(i.kinds, j.kinds) || i.possible != j.possible {
				t.Fatalf("%v is not %v: %v", j, i, err)
			}
		}
	})
}
