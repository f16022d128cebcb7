package intake

import (
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestCountryOfACorrection: it goes by its code, none is home, and what is not known
// stays what it is.
func TestCountryOfACorrection(t *testing.T) {
	t.Parallel()
	c := NewChecks(Config{Spec: &pipeline.Spec{}})
	for text, want := range map[string]string{"": "FR", " ": "FR", "FR": "FR", "France": "FR", "be": "BE", "Belgique": "BE", "Narnia": "Narnia"} {
		if got := c.Country(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
