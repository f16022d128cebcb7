package dispatch

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Operations is what people may do to campaigns, notices and print runs. It works
// on the ledger alone, so that any process may use it beside a running service,
// which follows within a second. Errors are *pipeline.Error.
type Operations struct {
	Ledger Ledger
	Specs  Specs
	Press  Press       // to destroy the files of voided runs; may be nil
	Clock  clock.Clock // of the business
	Real   clock.Clock
	Actor  string // "user:…" in events and the audit trail
}

// Cohort selects notices: those named, or those that the filter selects.
type Cohort struct {
	Campaign int64
	Notices  []int64
	Flag     string // of the customers, when Notices is empty; "" selects all
	Reason   string // of the notices; "" selects all
}

// Moved counts what an operation on a cohort did.
type Moved struct {
	Moved   int64
	Skipped int64 // in a state that does not allow it
}

// Launch starts an approved campaign at a time (zero: now) and, with canary above
// 0, has it pause after so many were accepted.
func (o Operations) Launch(ctx context.Context, name string, at time.Time, canary int) error {
	panic("dispatch: not built yet")
}

// Pause stops a running campaign: within a second nothing more leaves.
func (o Operations) Pause(ctx context.Context, name, reason string) error {
	panic("dispatch: not built yet")
}

// Resume goes on with a paused campaign; after a canary, with all of it.
func (o Operations) Resume(ctx context.Context, name, reason string) error {
	panic("dispatch: not built yet")
}

// Cancel ends a campaign: print runs that were not released are voided and
// everything that was not sent is cancelled. It may be repeated.
func (o Operations) Cancel(ctx context.Context, name, reason string) (Moved, error) {
	panic("dispatch: not built yet")
}

// SetPacing replaces connections, window, rates, hours and breaker thresholds,
// also while the campaign runs.
func (o Operations) SetPacing(ctx context.Context, name string, p pipeline.EmailPolicy) error {
	panic("dispatch: not built yet")
}

// Hold keeps notices from being sent until they are released.
func (o Operations) Hold(ctx context.Context, c Cohort, reason string) (Moved, error) {
	panic("dispatch: not built yet")
}

// Release lets held notices go on.
func (o Operations) Release(ctx context.Context, c Cohort, reason string) (Moved, error) {
	panic("dispatch: not built yet")
}

// Exclude takes notices out for good, with a reason.
func (o Operations) Exclude(ctx context.Context, c Cohort, reason string) (Moved, error) {
	panic("dispatch: not built yet")
}

// Resolve decides about doubts: send again, or hold.
func (o Operations) Resolve(ctx context.Context, c Cohort, send bool, reason string) (Moved, error) {
	panic("dispatch: not built yet")
}

// ReleaseBreaker closes a breaker of a campaign: "relay", "provider:NAME".
func (o Operations) ReleaseBreaker(ctx context.Context, name, scope, reason string) error {
	panic("dispatch: not built yet")
}

// ReleaseRun hands an assembled print run to the print shop. Repeating it changes
// nothing.
func (o Operations) ReleaseRun(ctx context.Context, id int64) (pipeline.Run, error) {
	panic("dispatch: not built yet")
}

// VoidRun takes back a run that was not released; its letters are due again.
func (o Operations) VoidRun(ctx context.Context, id int64, reason string) (pipeline.Run, error) {
	panic("dispatch: not built yet")
}

// Rejected is a letter that the print shop spoiled or refused.
type Rejected struct {
	Seq  int    // position in the run
	Code string // the print shop's reason
}

// AcknowledgeRun records the deposit of a released run, less the rejected letters,
// which are printed again. Repeating it with the same deposit changes nothing.
func (o Operations) AcknowledgeRun(ctx context.Context, id int64, d pipeline.Deposit, rejected []Rejected) (pipeline.Run, error) {
	panic("dispatch: not built yet")
}

// RecallRun records that the print shop stopped a released run; its letters are
// held. Repeating it changes nothing.
func (o Operations) RecallRun(ctx context.Context, id int64, reason string) (pipeline.Run, error) {
	panic("dispatch: not built yet")
}
