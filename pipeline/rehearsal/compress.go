package rehearsal

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// Factor returns how many times faster than the machine's a clock has to run for
// the longest way of a notice under a policy to fit into a time: resends until the
// deadline, then a letter, then the return window. It is at least 1.
func Factor(p pipeline.Policy, into time.Duration) float64 {
	if into <= 0 {
		return 1
	}
	return max(1, float64(p.Deadline+p.BounceWindow+p.ReturnWindow)/float64(into))
}
