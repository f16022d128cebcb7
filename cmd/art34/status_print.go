package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

func (s *status) print(w io.Writer) {
	fmt.Fprintf(w, "%s is %s", s.Campaign, s.State)
	if s.PausedFor != "" {
		fmt.Fprintf(w, " (%s)", s.PausedFor)
	}
	if s.LaunchAt != nil && s.State == pipeline.Running && s.LaunchAt.After(time.Now()) {
		fmt.Fprintf(w, " from %s", shown(*s.LaunchAt))
	}
	fmt.Fprintf(w, ": %s to inform\n", count(s.Population, "customer", "customers"))
	if p := s.Paused; p != nil {
		fmt.Fprintf(w, "Paused by %s at %s: %s\n", p.By, shown(p.At), cmp.Or(p.Reason, "no reason was given"))
	}
	fmt.Fprintln(w)
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "\tEMAIL\tPOST\tNONE\tALL")
		for _, st := range pipeline.States() {
			if s.States[st] == 0 {
				continue
			}
			fmt.Fprintf(w, "%s", st)
			for _, ch := range pipeline.Channels() {
				fmt.Fprintf(w, "\t%s", dashed(s.Channels[ch][st]))
			}
			fmt.Fprintf(w, "\t%s\n", thousands(s.States[st]))
		}
		fmt.Fprintf(w, "balance\t\t\t\t%d\n", s.Balance)
	})
	fmt.Fprintf(w, "\n%s, of which %s sent again out of doubt; %s in doubt so far\n", count(s.Attempts, "attempt", "attempts"), thousands(s.Duplicates), thousands(s.InDoubt))
	for _, x := range []struct {
		name string
		account
	}{{"Supplements", s.Supplements}, {"Paper copies", s.Copies}} {
		if x.Expected > 0 {
			fmt.Fprintf(w, "%s: %s, %s\n", x.name, thousands(x.Expected), stateCounts(x.States))
		}
	}
	printCounts(w, "Held because of", s.Held)
	printCounts(w, "Unreachable because of", s.Unreachable)
	s.Outside.print(w, sumOf(s.Unreachable))
	if len(s.Runs) > 0 {
		fmt.Fprintf(w, "Print runs: %s\n", stateCounts(s.Runs))
		if s.Runs[pipeline.RunAssembled] > 0 {
			fmt.Fprintln(w, "  art34 print list shows them, art34 print release hands them to the print shop")
		}
	}
	for _, v := range s.Versions {
		once := ""
		if s.Duplicates > 0 {
			once = ", each counted once"
		}
		fmt.Fprintf(w, "Version %d, approved by %s at %s: %s%s\n", v.N, v.ApprovedBy, shown(v.ApprovedAt), count(v.Attempts, "attempt", "attempts"), once)
	}
	if s.PerSecond > 0 {
		fmt.Fprintf(w, "Pace: %.0f/s", s.PerSecond)
		if s.ExpectedEnd != nil {
			fmt.Fprintf(w, ", the e-mails would be out at %s", shown(*s.ExpectedEnd))
		}
		fmt.Fprintln(w)
	}
	s.printWayBack(w)
	for _, x := range s.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", x.Sentence)
	}
	for _, b := range s.Breakers {
		b.print(w)
	}
	for _, b := range s.Blocked {
		fmt.Fprintf(w, "Blocked: %s of %s; %s\n", count(b.Notices, "notice", "notices"), s.Campaign, b.Sentence)
		if b.Hint != "" && !strings.HasPrefix(b.Code, "breaker:") && (b.Code != "relay-away" || len(s.Breakers) == 0) {
			fmt.Fprintf(w, "  %s\n", b.Hint)
		}
	}
	if len(s.Missing) > 0 {
		fmt.Fprintf(w, "Missing: %s\n", strings.Join(s.Missing, ", "))
		if slices.ContainsFunc(s.Missing, func(m string) bool { return strings.HasPrefix(m, "art34 run") }) {
			fmt.Fprintln(w, "  nobody does that work: start art34 run where the ledger is")
		}
	}
	printNext(w, s.Next)
	if s.Audit != nil {
		s.Audit.print(w)
	}
	if s.Balance != 0 {
		fmt.Fprintf(w, "\nThe balance is %d: notices are missing or too many. This is a defect of the program or the ledger; stop and have it looked at.\n", s.Balance)
	}
}

// print says why a breaker is open and what to do.
func (b breakerView) print(w io.Writer) {
	detail := ""
	if b.Detail != "" {
		detail = " (" + b.Detail + ")"
	}
	fmt.Fprintf(w, "Breaker %s, since %s: %s%s\n  %s\n", b.Scope, shown(b.Since), b.Sentence, detail, b.Hint)
}

func dashed(n int64) string {
	if n == 0 {
		return "-"
	}
	return thousands(n)
}

// stateCounts writes "informed 12, posted 3", without the empty ones.
func stateCounts[S ~string](m map[S]int64) string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(m)) {
		if m[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", s, thousands(m[s])))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
