package dispatch

import "testing"

// Long letters make smaller runs: a run is drawn in memory.
func TestFullRun(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ size, sheets, want int }{
		{1000, 1, 1000}, {1000, 4, 1000}, {4000, 1, 4000}, {9000, 1, 4000}, {4000, 2, 2000}, {4000, 5, 800}, {1000, 0, 1000}, {10, 5000, 1},
	} {
		b := &bench{size: x.size}
		if got := b.full(pile{sheets: x.sheets}); got != x.want {
			t.Errorf("%d letters of %d sheets: %d, want %d", x.size, x.sheets, got, x.want)
		}
	}
}
