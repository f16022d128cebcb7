package answer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline/kit/fold"
)

// Search returns the places in list of the entries that hold every word of a query,
// or words that begin like it, in question, answer or topic; accents do not count.
// Those that have them in the question come first. Where none holds every word, those
// that hold most of the longer ones are returned: callers put it in words of their own.
func Search(list []Entry, query string) []int {
	wanted := strings.Fields(fold.Words(query))
	hits := holding(list, wanted, len(wanted))
	if len(hits) == 0 {
		wanted = slices.DeleteFunc(wanted, func(w string) bool { return len(w) <= 3 })
		for least := len(wanted) - 1; least > 0 && len(hits) == 0; least-- {
			hits = holding(list, wanted, least)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.at
	}
	return out
}

// hit is the place of an entry, and how well it fits.
type hit struct{ at, score int }

// holding returns the entries that hold at least so many of the words.
func holding(list []Entry, wanted []string, least int) (hits []hit) {
	for i, e := range list {
		question, all := " "+fold.Words(e.Question), " "+fold.Words(e.Question+" "+e.Answer+" "+e.Topic)
		score, found := 0, 0
		for _, w := range wanted {
			switch {
			case strings.Contains(question, " "+w):
				score += 4
				found++
			case strings.Contains(all, " "+w):
				score++
				found++
			case len(w) > 3 && strings.Contains(all, w):
				found++
			}
		}
		if found >= least {
			hits = append(hits, hit{i, score})
		}
	}
	return hits
}
