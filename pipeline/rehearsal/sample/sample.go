// Package sample writes a synthetic population: people who do not exist, with
// contracts and impacts, in the input formats of Art34. No address can be
// delivered to: e-mail domains end in .example, phone numbers are of the ranges
// that are set aside for fiction.
package sample

import "context"

// Config is one population. The same Customers and Seed give the same bytes.
type Config struct {
	Customers int    // rows of the directory, about
	Seed      uint64 // any
	Dir       string // is created; gets customers.csv, impact.csv, campaign.yaml, logo-main.png, logo-second.png
}

// Totals says what was written.
type Totals struct {
	Customers int64 // rows of the directory, bad ones included
	Impacts   int64 // rows of the impact list, bad ones included
}

// Write streams the population to Dir.
func Write(ctx context.Context, c Config) (Totals, error) { panic("not yet") }
