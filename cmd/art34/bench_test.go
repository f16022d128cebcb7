package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTargets measures what this program is measured by and prints every
// figure beside its target. It is one long measurement and no test: nothing fails
// because a machine is slow. Everything stays on the loopback and in directories
// that go with it.
//
//	ART34_BENCH_CUSTOMERS  customers to inform in the large campaign; 1000000
//	ART34_BENCH_SMALL      the same in the small one beside it; 10000
//	ART34_BENCH_MAILS      e-mails a round; 20000
//	ART34_BENCH_ROUNDS     rounds, of which the median counts; 3
//	ART34_BENCH_PARTS      of email, shared, letters, ledger, feedback, large; all
//
// A figure is told as soon as it is known. The table at the end holds what there is,
// also when a part has failed or somebody has interrupted.
func BenchmarkTargets(b *testing.B) {
	s := &suite{
		B: b, customers: sizeOf(b, "ART34_BENCH_CUSTOMERS", 1_000_000), small: sizeOf(b, "ART34_BENCH_SMALL", 10_000),
		mails: sizeOf(b, "ART34_BENCH_MAILS", 20_000), rounds: sizeOf(b, "ART34_BENCH_ROUNDS", 3),
	}
	parts := []struct {
		name string
		run  func()
	}{{"email", s.email}, {"shared", s.shared}, {"letters", s.letters}, {"ledger", s.ledgers}, {"feedback", s.feedback}, {"large", s.large}}
	wanted := strings.FieldsFunc(os.Getenv("ART34_BENCH_PARTS"), func(r rune) bool { return r == ',' || r == ' ' })
	ctx, stop := signal.NotifyContext(b.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s.stop = ctx
	for _, p := range parts {
		if len(wanted) == 0 || slices.Contains(wanted, p.name) {
			s.part(p.name, p.run)
		}
	}
	s.print(os.Stdout)
}

// part runs one part. One that fails ends itself and not the others: Fatal ends the
// goroutine that it is called in.
func (s *suite) part(name string, run func()) {
	if s.stop.Err() != nil {
		s.note("Part "+name, "not measured: interrupted")
		return
	}
	start, whole := time.Now(), false
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
		whole = true
	}()
	<-done
	if !whole {
		s.relay = nil // it may have taken some of what failed: the next part starts another
	}
	switch {
	case s.stop.Err() != nil:
		s.note("Part "+name, "interrupted after %s", time.Since(start).Round(time.Second))
	case !whole:
		s.note("Part "+name, "failed after %s", time.Since(start).Round(time.Second))
	default:
		s.say("%s took %s", name, time.Since(start).Round(time.Second))
	}
}

// sizeOf reads a size from the environment.
func sizeOf(b *testing.B, name string, preset int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return preset
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q is no size", name, text)
	}
	return n
}

// suite is one run of all measurements.
type suite struct {
	*testing.B
	customers, small, mails, rounds int
	stop                            context.Context // its end: somebody interrupts

	lines []figure
	relay *otherEnd // of all parts; started by the first that needs it
	mail  *mailing  // for the parts email and ledger
}

// figure is one line of the table.
type figure struct {
	what, value, target string
	missed              bool
}

// note adds a figure without a target.
func (s *suite) note(what, format string, args ...any) {
	s.add(figure{what: what, value: fmt.Sprintf(format, args...)})
}

// least adds a figure that should reach a target.
func (s *suite) least(what, format string, value, target float64) {
	s.add(figure{what, fmt.Sprintf(format, value), "≥ " + fmt.Sprintf(format, target), value < target})
}

// most adds a figure that should not exceed a target.
func (s *suite) most(what, format string, value, target float64) {
	s.add(figure{what, fmt.Sprintf(format, value), "≤ " + fmt.Sprintf(format, target), value > target})
}

func (s *suite) add(f figure) {
	s.lines = append(s.lines, f)
	s.say("%s: %s %s", strings.TrimSpace(f.what), f.value, f.target)
}

// say tells what is being measured: the whole takes long.
func (s *suite) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// print writes the table.
func (s *suite) print(w io.Writer) {
	fmt.Fprintf(w, "\nMeasured on %d processors, %s/%s, %s\n\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "FIGURE\tMEASURED\tTARGET\t")
		for _, f := range s.lines {
			verdict := ""
			switch {
			case f.target == "":
			case f.missed:
				verdict = "missed"
			default:
				verdict = "met"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.what, f.value, f.target, verdict)
		}
	})
	fmt.Fprintln(w)
}

// median is the middle of some figures.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
