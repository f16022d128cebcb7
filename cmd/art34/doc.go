// Command art34 tells every customer hit by a personal-data breach, one by one,
// which of their contracts and which kinds of their data were exposed: by e-mail
// where an address is on file, by a printed letter where none is.
//
// This package is the only place that wires the others together, and the only one
// that reads the environment and ends the process. One file holds one subcommand:
// a struct whose fields are its options and whose run method does the work.
//
//   - cli.go is the grammar, config.go where an option may come from,
//     report.go how results, progress and errors are printed;
//   - house.go opens what is durable: the ledger, the keys, the campaign's files;
//   - letters.go turns a version of a campaign into messages and pages;
//   - service.go starts the roles of "art34 run".
//
// Exit codes: 0 done; 1 the command ran and the answer is no; 2 wrong use or bad
// input; 3 a needed service is away.
package main
