package email

import (
	"encoding/binary"
	"testing"
)

// TestPlainEight: eight bytes at once are judged like each of them, wherever the
// one that is different stands and whatever its neighbours are.
func TestPlainEight(t *testing.T) {
	for _, fill := range []byte{' ', '~', '<', '>', 'a', 0x7e, '='} {
		for at := range 8 {
			for c := range 256 {
				b := [8]byte{fill, fill, fill, fill, fill, fill, fill, fill}
				b[at] = byte(c)
				want := true
				for _, x := range b {
					want = want && plain(x) && x != '\t'
				}
				if got := plain8(binary.LittleEndian.Uint64(b[:])); got != want {
					t.Fatalf("% x: %t, want %t", b, got, want)
				}
			}
		}
	}
}
