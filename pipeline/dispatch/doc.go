// Package dispatch turns what is due into paced batches, carries them to the
// relay and the print shop, and puts right what somebody left behind.
//
// The ledger is the truth and the queue a wake-up call. A notice moves like this:
//
//	Due -- Dispatcher takes it, paced --> Queued -- a task wakes a Courier -->
//	Sending (durable before the first byte) -- the relay answers -->
//	Accepted, Due again, InDoubt, Unreachable
//
// One Dispatcher leads, chosen by a lease: for pacing, never for correctness. The
// Courier claims each notice by its generation, so that a task that comes late or
// twice does nothing. The Reconciler finds what dead processes and lost tasks
// left. The PrintRoom cuts and draws print runs. Operations is what people may do.
// Service runs all of it.
//
// Two clocks: the business clock decides what is due and when a window closes, and
// a rehearsal may compress it; leases, pacing, timeouts and backoff use the real
// one.
package dispatch
