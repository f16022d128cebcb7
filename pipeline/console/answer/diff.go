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

// mostCompared bounds what a comparison costs: pairs of words, or of lines, four
// bytes each.
const mostCompared = 250_000

// Compare lays two texts over each other, word by word; where that is too much, line
// by line and word by word between the lines that are in both.
func Compare(old, new string) []Piece {
	c := comparison{left: mostCompared}
	a, b := words(old), words(new)
	if pairs(trimmed(a, b)) <= c.left {
		c.between(a, b, c.replaced)
	} else {
		c.between(lines(old), lines(new), func(out, in []string) {
			c.between(words(strings.Join(out, "")), words(strings.Join(in, "")), c.replaced)
		})
	}
	return c.pieces
}

// comparison is two texts being laid over each other.
type comparison struct {
	pieces []Piece
	left   int // pairs that may still be looked at
}

func (c *comparison) add(op string, text ...string) {
	s := strings.Join(text, "")
	if s == "" {
		return
	}
	if n := len(c.pieces); n > 0 && c.pieces[n-1].Op == op {
		c.pieces[n-1].Text += s
		return
	}
	c.pieces = append(c.pieces, Piece{op, s})
}

func (c *comparison) replaced(out, in []string) {
	c.add("out", out...)
	c.add("in", in...)
}

// trimmed is how much two lists do not share at their ends, and where that begins.
func trimmed(a, b []string) (head, na, nb int) {
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	na, nb = len(a)-head, len(b)-head
	for na > 0 && nb > 0 && a[head+na-1] == b[head+nb-1] {
		na, nb = na-1, nb-1
	}
	return head, na, nb
}

// pairs is what it costs to compare what trimmed leaves.
func pairs(_, na, nb int) int { return na * nb }

// between compares two lists by their longest common subsequence. What is in one of
// them only goes to replaced, a stretch at a time.
func (c *comparison) between(a, b []string, replaced func(out, in []string)) {
	head, na, nb := trimmed(a, b)
	c.add("same", a[:head]...)
	tail := a[head+na:]
	a, b = a[head:head+na], b[head:head+nb]
	if na*nb > c.left {
		c.replaced(a, b)
		c.add("same", tail...)
		return
	}
	c.left -= na * nb
	wide := nb + 1
	length := make([]int32, (na+1)*wide)
	for i := na - 1; i >= 0; i-- {
		for j := nb - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*wide+j] = length[(i+1)*wide+j+1] + 1
			} else {
				length[i*wide+j] = max(length[(i+1)*wide+j], length[i*wide+j+1])
			}
		}
	}
	i, j, outFrom, inFrom := 0, 0, 0, 0
	for i < na && j < nb {
		switch {
		case a[i] == b[j]:
			replaced(a[outFrom:i], b[inFrom:j])
			c.add("same", a[i])
			i, j = i+1, j+1
			outFrom, inFrom = i, j
		case length[(i+1)*wide+j] >= length[i*wide+j+1]:
			i++
		default:
			j++
		}
	}
	replaced(a[outFrom:], b[inFrom:])
	c.add("same", tail...)
}

// lines cuts a text after each line break.
func lines(s string) []string { return strings.SplitAfter(s, "\n") }

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
