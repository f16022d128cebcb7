package pipeline

import "time"

// Writing is one saved text of a campaign's folder: a letter, the catalogue,
// campaign.yaml. It is never changed: a correction is the next number.
type Writing struct {
	Campaign int64
	File     string // under the folder: "letters/breach.fr.md"
	N        int    // from 1, in the order of saving
	Hash     string // SHA-256 of Content, in hex
	Content  string
	Actor    string // "" where the text was found in the folder as nobody here had saved it
	At       time.Time
	Reason   string
}
