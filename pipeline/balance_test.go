package pipeline_test

import (
	"testing"

	"github.com/art34/art34/pipeline"
)

func TestBalance(t *testing.T) {
	t.Parallel()
	imports := []pipeline.Import{
		{ID: 1, Manifest: pipeline.Manifest{Population: 10}},
		{ID: 2, Absorbed: 1, Manifest: pipeline.Manifest{Population: 2, Supplements: 3, Copies: 1}},
	}
	full := []pipeline.Tally{
		{Import: 1, Role: pipeline.Primary, Channel: pipeline.Email, State: pipeline.Accepted, Count: 7},
		{Import: 1, Role: pipeline.Primary, Channel: pipeline.Post, State: pipeline.Due, Count: 3},
		{Import: 2, Role: pipeline.Primary, Channel: pipeline.NoChannel, State: pipeline.Unreachable, Count: 2},
		{Import: 2, Role: pipeline.Supplement, Channel: pipeline.Email, State: pipeline.Informed, Count: 2},
		{Import: 2, Role: pipeline.Copy, Channel: pipeline.Post, State: pipeline.Posted, Count: 1},
	}
	b := pipeline.NewBalance(imports, full)
	if b.Difference() != 0 || b.Population != 12 || b.States[pipeline.Accepted] != 7 || b.Channels[pipeline.Post][pipeline.Due] != 3 || b.Settled() {
		t.Fatalf("%+v, difference %d", b, b.Difference())
	}
	for i := range full {
		for _, d := range []int64{-1, 1} {
			off := append([]pipeline.Tally(nil), full...)
			off[i].Count += d
			if got := pipeline.NewBalance(imports, off).Difference(); got == 0 {
				t.Errorf("tally %d off by %d, and the balance is 0", i, d)
			}
		}
	}
	swapped := append([]pipeline.Tally(nil), full...)
	swapped[0].Count, swapped[2].Count = 6, 3
	if pipeline.NewBalance(imports, swapped).Difference() == 0 {
		t.Error("a notice too many in one import hides one that is missing in the other")
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	b := pipeline.NewBalance([]pipeline.Import{{ID: 1, Manifest: pipeline.Manifest{Population: 1}}}, []pipeline.Tally{{Import: 1, Role: pipeline.Primary, State: pipeline.Informed, Count: 1}})
	if !b.Settled() {
		t.Error("all informed, and not settled")
	}
}
