// Package intake brings customer directories and impact lists in: streamed,
// checked row by row, merged per person, staged into the ledger and published in
// one step.
//
// The way of a row:
//
//	Source → decompressed, decoded → rows → checks → spill, sorted by customer
//	       → joined: directory with impacts → spill, sorted by person
//	       → merged: one notice a person → sealed → staged → published
//
// Memory does not grow with the files: both joins are external merge sorts over
// spill files that are encrypted under a key which is never stored. Nothing is
// visible to anybody before the publication; a failure before it leaves nothing.
//
// A bad row never stops an import and is never dropped silently. What can be
// wrong with a row is in one table, Codes. For each file, rows are accepted rows
// plus rejected rows. Rejects name file, row, column and code, never the value.
//
// The package is the only home of excelize, klauspost/compress and phonenumbers.
package intake
