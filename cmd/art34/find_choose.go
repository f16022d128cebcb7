package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// personsOf puts the notices of each person together, in the order found.
func personsOf(list []found) (persons [][]found) {
	for _, f := range list {
		i := slices.IndexFunc(persons, func(p []found) bool {
			return p[0].campaign.ID == f.campaign.ID && bytes.Equal(p[0].job.Person, f.job.Person)
		})
		if i < 0 {
			persons = append(persons, []found{f})
		} else {
			persons[i] = append(persons[i], f)
		}
	}
	// The same caller in several campaigns is one person to whoever answers.
	if len(persons) > 1 && !slices.ContainsFunc(persons, func(p []found) bool {
		n := 0
		for _, q := range persons {
			if q[0].campaign.ID == p[0].campaign.ID {
				n++
			}
		}
		return n > 1
	}) {
		return [][]found{slices.Concat(persons...)}
	}
	return persons
}

// choice is one of several customers who share what was asked for: nothing that
// tells one about another.
type choice struct {
	Campaign  string   `json:"campaign"`
	Reference string   `json:"reference"`
	Contracts []string `json:"contracts"`
}

// choose lists customers to choose from.
func (h *house) choose(persons [][]found, letter bool) error {
	list := make([]choice, len(persons))
	for i, p := range persons {
		first := p[len(p)-1] // the oldest notice
		list[i] = choice{Campaign: first.campaign.Name, Reference: first.person.Reference.String(), Contracts: []string{}}
		for _, f := range p {
			for _, c := range f.person.Contracts {
				list[i].Contracts = append(list[i].Contracts, c.ID)
			}
		}
		list[i].Contracts = pipeline.Set(list[i].Contracts)
	}
	err := h.answer(list, func(w io.Writer) {
		fmt.Fprintf(w, "%d customers share this. Ask the caller for the reference on the letter or a contract number, then art34 find with that:\n\n", len(list))
		table(w, func(w io.Writer) {
			fmt.Fprintln(w, "REFERENCE\tCAMPAIGN\tCONTRACTS")
			for _, c := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.Reference, c.Campaign, cmp.Or(strings.Join(c.Contracts, ", "), "none"))
			}
		})
	})
	if err == nil && letter {
		return errNo
	}
	return err
}

// lastWritten is the notice whose reference was asked for, else the one of the
// person whose letter left last, the newest if none did.
func (h *house) lastWritten(ctx context.Context, list []found) (found, error) {
	last, best := time.Time{}, list[0]
	for _, f := range list {
		if f.asked {
			return f, nil
		}
		attempts, err := h.ledger.Attempts(ctx, f.job.ID)
		if err != nil {
			return found{}, err
		}
		if n := len(attempts); n > 0 && attempts[n-1].At.After(last) {
			last, best = attempts[n-1].At, f
		}
	}
	return best, nil
}
