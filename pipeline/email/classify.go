package email

import "github.com/art34/art34/pipeline"

// Classify says what a refusal of a recipient means, from the reply code, the
// enhanced status code of RFC 3463 ("" without one) and the text of the reply. It
// returns Dead, Transient or Ours; when in doubt Transient, which ends in a letter
// too, but not today and not for a whole provider at once.
func Classify(code int, enhanced, text string) pipeline.Outcome { return "" }
