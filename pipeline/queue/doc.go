// Package queue carries wake-up calls from the dispatcher to couriers and print
// workers, over asynq and a Redis that may be embedded. It is the only home of
// asynq, go-redis and miniredis.
//
// Nothing may be lost with a queue: the ledger is the truth, and a task only says
// what to look up there. That is why this package needs little of asynq, and why
// it shields its users from what is known to go wrong there (asynq v0.26):
//
//   - An acknowledgement that fails is never repeated successfully, and the
//     finished task runs again a minute later. Handlers are told to expect copies;
//     the ledger's generations make them harmless.
//   - A timeout or a lost lease frees the worker's place while the handler goes
//     on. Timeouts are a day, handlers get a context of our own, and limits that
//     matter (connections to a relay) are kept by the handlers themselves.
//   - A handler's error ends in an archive that blocks the ID, drops its oldest
//     entries silently and breaks for good when thousands expire at once. Our
//     handlers return none; a task whose process died is retried, not archived.
//   - An ID stays taken by orphans for ever. IDs hold the generation of their
//     first ticket, so that a second try has another ID.
//   - A wipe leaves the client believing that its queues are registered. Epoch
//     notices a wipe and starts with a new client.
//   - Pauses live in Redis and die with it. Ours live in the ledger.
//   - Unique locks outlive conflicts, groups lose tasks, the scheduler fires once
//     per process, Retention keeps IDs taken: none of them is used.
//   - Bulk calls of the inspector block Redis. It is not used; two plain reads of
//     asynq's keys (Unfinished, Backlog) do, and a test holds them to its layout.
//   - Leases go by the workers' own clocks, so that clocks a minute apart make
//     copies. Copies are harmless.
//   - A server fetches one task per round trip, and rewrites the payloads of all
//     running ones every five seconds. Tasks carry up to a hundred notices, as ids.
//   - Empty queues are polled, a second apart by default. Config.Check is shorter.
package queue
