package answer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline/kit/fold"
)

// Search returns the places in list of the entries that hold every word of a query,
// or words that begin like it, in question, answer or topic; accents do not count.
// Those that have them in the question come first.
func Search(list []Entry, query string) []int {
	wanted := strings.Fields(fold.Words(query))
	type hit struct{ at, score int }
	var hits []hit
	for i, e := range list {
		question, all := " "+fold.Words(e.Question), " "+fold.Words(e.Question+" "+e.Answer+" "+e.Topic)
		score, found := 0, true
		for _, w := range wanted {
			switch {
			case strings.Contains(question, " "+w):
				score += 4
			case strings.Contains(all, " "+w):
				score++
			case len(w) > 3 && strings.Contains(all, w):
			default:
				found = false
			}
		}
		if found {
			hits = append(hits, hit{i, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.at
	}
	return out
}
