package main

import (
	"context"
	"fmt"
	"io"

	"github.com/art34/art34/pipeline/rehearsal/sample"
)

type sampleCmd struct {
	Customers int    `help:"How many customers." default:"1000" placeholder:"N"`
	Seed      uint64 `help:"The same seed gives the same population." default:"1" placeholder:"S"`
	Out       string `help:"Directory to write to." required:"" placeholder:"DIR" type:"path"`
}

// Help shows examples.
func (sampleCmd) Help() string {
	return `Writes customers.csv, impact.csv, campaign.yaml and two logos. Nobody in it exists, no address can be delivered to.

Example:

    art34 sample --customers 20000 --seed 7 --out sample`
}

// Run writes a synthetic population.
func (c sampleCmd) Run(ctx context.Context, a *app) error {
	if c.Customers < 1 {
		return refuse("usage", "--customers is at least 1", "art34 sample --customers 1000 --out sample")
	}
	totals, err := sample.Write(ctx, sample.Config{Customers: c.Customers, Seed: c.Seed, Dir: c.Out})
	if err != nil {
		return err
	}
	return a.answer(map[string]any{"out": c.Out, "customers": totals.Customers, "impacts": totals.Impacts}, func(w io.Writer) {
		fmt.Fprintf(w, "%s and %s in %s\n", count(totals.Customers, "customer row", "customer rows"), count(totals.Impacts, "impact row", "impact rows"), c.Out)
	})
}
