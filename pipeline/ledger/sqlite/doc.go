// Package sqlite keeps the ledger in one SQLite file: the embedded engine, for a
// campaign of a million on one machine. It is the only home of modernc.org/sqlite,
// a translation of SQLite to Go, so the program needs no C compiler.
//
// One goroutine writes. It takes all requests that wait, up to a few thousand
// rows, into one transaction, so that many couriers share one fsync; processes that
// write at the same time take turns. Reads run on
// connections of their own, see a consistent snapshot and never wait for the
// writer (write-ahead log). With synchronous=FULL what was reported as written
// survives a loss of power.
package sqlite
