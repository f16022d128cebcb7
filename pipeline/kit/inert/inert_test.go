package inert

import "testing"

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Martin": "Martin", "=1+1": "'=1+1", "+33": "'+33", "-cmd": "'-cmd", "@x": "'@x", " =1": "' =1", "\t=1": "' =1", "\u00a0=1": "'\u00a0=1", "＝1": "'＝1",
		"\u200b=1": "'\u200b=1", "\ufeff=1": "'\ufeff=1", "a\x00b\r\nc": "a b  c", "": "", "   ": "   ", "|calc": "'|calc", "%x": "'%x", "12 rue X": "12 rue X",
	} {
		if got := Cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
