package postal

import "math"

// line is words[from:to] of a paragraph.
type line struct {
	from, to int
	units    int  // natural width in 1/1000 of the size
	last     bool // of its paragraph, or before a forced break: never stretched
}

// breakLines breaks words into lines of at most width units. Among all ways with
// the fewest lines it takes the one with the most even right edge, and avoids a
// last line of one short word. A word wider than the line must have been split
// before (splitWide).
func breakLines(words []word, width int) []line {
	var out []line
	for from := 0; from < len(words); {
		to := from + 1
		for to < len(words) && !words[to].brk {
			to++
		}
		out = append(out, breakRun(words, from, to, width)...)
		from = to
	}
	return out
}

// breakRun breaks words[from:to], which hold no forced break, by dynamic
// programming: best[i] is the least cost of setting words[from:from+i].
func breakRun(words []word, from, to, width int) []line {
	n := to - from
	if total := naturalWidth(words[from:to]); total <= width {
		return []line{{from: from, to: to, units: total, last: true}}
	}
	const perLine = 100 // above what evenness can cost: fewest lines first
	best := make([]float64, n+1)
	prev := make([]int, n+1)
	for i := 1; i <= n; i++ {
		best[i] = math.Inf(1)
		units := 0
		for j := i - 1; j >= 0; j-- {
			units += words[from+j].units
			if j < i-1 {
				units += words[from+j+1].space
			}
			if units > width && j < i-1 {
				break
			}
			slack := float64(width-units) / float64(width)
			cost := perLine + slack*slack
			if i == n {
				cost = perLine
				if j == n-1 && units < width/6 {
					cost += 0.2
				}
			}
			if c := best[j] + cost; c < best[i] {
				best[i], prev[i] = c, j
			}
		}
	}
	var out []line
	for i := n; i > 0; i = prev[i] {
		out = append(out, line{from: from + prev[i], to: from + i, units: naturalWidth(words[from+prev[i] : from+i]), last: i == n})
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// naturalWidth is the width of words on one line.
func naturalWidth(words []word) int {
	n := 0
	for i, w := range words {
		n += w.units
		if i > 0 {
			n += w.space
		}
	}
	return n
}

// widest returns the width of the widest word.
func widest(words []word) int {
	n := 0
	for _, w := range words {
		n = max(n, w.units)
	}
	return n
}

// splitWide cuts words that are wider than a whole line, so that they go on in
// the next one: after a sign if there is one, else after any character. Nothing is
// lost, and no word that fits a line is touched.
func (f *fonts) splitWide(words []word, width int) []word {
	if widest(words) <= width {
		return words
	}
	var out []word
	for _, w := range words {
		for w.units > width {
			head, tail := f.splitWord(w, width)
			out = append(out, head)
			w = tail
		}
		out = append(out, w)
	}
	return out
}

// splitWord returns the longest head of a word that fits, at least one character.
func (f *fonts) splitWord(w word, width int) (head, tail word) {
	type place struct{ seg, byte int }
	var fits, sign place
	units := 0
	for i, s := range w.segs {
		for j := range len(s.text) {
			units += f.faces[s.face].widths[s.plate][s.text[j]]
			if units > width && fits != (place{}) {
				if sign != (place{}) {
					fits = sign
				}
				return f.cutWord(w, fits.seg, fits.byte)
			}
			fits = place{i, j + 1}
			if s.plate == plateWestern && isBreakSign(s.text[j]) {
				sign = fits
			}
		}
	}
	last := len(w.segs) - 1
	return f.cutWord(w, last, len(w.segs[last].text)-1)
}

func isBreakSign(b byte) bool {
	switch b {
	case '-', '/', '.', ',', ';', ':', '_', '@', '|', '+', '&', 0xA0:
		return true
	}
	return false
}

// cutWord splits a word after a byte of a segment.
func (f *fonts) cutWord(w word, at, after int) (head, tail word) {
	head = word{space: w.space, brk: w.brk}
	for i, s := range w.segs {
		switch {
		case i < at:
			head.push(s)
		case i > at:
			tail.push(s)
		default:
			widths := &f.faces[s.face].widths[s.plate]
			head.push(measured(s, s.text[:after], widths))
			tail.push(measured(s, s.text[after:], widths))
		}
	}
	return head, tail
}

func measured(s seg, text string, widths *[256]int) seg {
	s.text, s.units = text, 0
	for i := range len(text) {
		s.units += widths[text[i]]
	}
	return s
}

func (w *word) push(s seg) {
	if s.text != "" {
		w.segs = append(w.segs, s)
		w.units += s.units
	}
}
