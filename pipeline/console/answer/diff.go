package answer

import (
	"strings"
	"unicode"
)

// Piece is a stretch of two texts: in both, only in the old, only in the new one.
type Piece struct {
	Op   string // same | out | in
	Text string
}

// mostCompared bounds what a comparison costs: pairs of words.
const mostCompared = 4_000_000

// Compare lays two texts over each other, word by word.
func Compare(old, new string) []Piece {
	a, b := words(old), words(new)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []Piece
	add := func(op string, text ...string) {
		s := strings.Join(text, "")
		if s == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Op == op {
			out[n-1].Text += s
			return
		}
		out = append(out, Piece{op, s})
	}
	add("same", a[:head]...)
	between(a[head:len(a)-tail], b[head:len(b)-tail], add)
	add("same", a[len(a)-tail:]...)
	return out
}

// between compares what two texts do not share at their ends, by the longest common
// subsequence.
func between(a, b []string, add func(op string, text ...string)) {
	if len(a)*len(b) > mostCompared {
		add("out", a...)
		add("in", b...)
		return
	}
	wide := len(b) + 1
	length := make([]int32, (len(a)+1)*wide)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*wide+j] = length[(i+1)*wide+j+1] + 1
			} else {
				length[i*wide+j] = max(length[(i+1)*wide+j], length[i*wide+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			add("same", a[i])
			i, j = i+1, j+1
		case length[(i+1)*wide+j] >= length[i*wide+j+1]:
			add("out", a[i])
			i++
		default:
			add("in", b[j])
			j++
		}
	}
	add("out", a[i:]...)
	add("in", b[j:]...)
}

// words cuts a text after each run of white space.
func words(s string) (list []string) {
	start, space := 0, false
	for i, r := range s {
		if unicode.IsSpace(r) {
			space = true
		} else if space {
			list, start, space = append(list, s[start:i]), i, false
		}
	}
	if start < len(s) {
		list = append(list, s[start:])
	}
	return list
}
