// Package postgres keeps the ledger in a PostgreSQL database, version 15 or
// newer: the engine for several machines. It is the only home of pgx.
//
// PostgreSQL does not serialise for us. Isolation is READ COMMITTED and every
// check-then-act is one conditional statement, or happens under a row lock that
// the other side takes too. Rows of notices are locked in order of their id,
// then the sums; a deadlock that happens all the same is tried again.
//
// Couriers do not each wait for an fsync of their own: a few writers collect the
// changes of concurrent Commit calls into one statement, which moves the notices
// by compare-and-set and writes events, attempts and sums in one round trip and
// one transaction (group.go, apply.go).
//
// A connection can break between the server's commit and its answer. Commit
// remembers what it does not know and settles it when the caller tries the same
// change again; the other methods are safe to repeat or say that it was done.
//
// What has to be set up is a database with the encoding UTF8 and a role that may
// create tables in its default schema. All settings that matter (durability,
// timeouts, isolation) are made per connection. A pooler between us and the server
// must work by session.
package postgres
