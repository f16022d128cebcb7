// Package rehearsal is the practice range: a relay that takes mail and refuses
// some of it as the real world does, a print shop that spoils a few letters, a
// forecast of how long a campaign takes, and the factor by which to compress time.
// Chance is a function of a seed and the recipient, so that a rehearsal can be
// repeated.
package rehearsal
