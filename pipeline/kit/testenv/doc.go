// Package testenv starts the real programs that tests talk to: Redis,
// PostgreSQL, Postfix, a foreign SMTP server, Chromium, and tools such as qpdf.
//
// Nothing has to be installed or running for `go test`: a program that is missing
// skips the tests that need it, with a sentence that names it. Where they must
// not be skipped, in continuous integration, the environment says so:
//
//	ART34_TEST_REQUIRE=all                       every program is needed: a missing one fails the test
//	ART34_TEST_REQUIRE=postgres,redis-server     these are needed
//
// The names are those given to Binary and Run: postgres, redis-server, postfix,
// python3, chromium, qpdf, pdftotext, pdffonts, pdftoppm, dmtxread, curl, …
//
// Every server listens on a free port of 127.0.0.1, keeps its files in a
// directory of its own under the temporary directory, and ends with the test
// that started it. It also ends, and takes its directory with it, when the test
// binary dies without running clean-ups (a timeout, a panic, kill -9): a small
// shell stands between the two and watches a pipe that only the test binary
// holds open. Servers run in sessions of their own, so an interrupt at the
// terminal reaches them through that pipe and not in the middle of a test.
//
// Everything may be used from parallel tests. The package is imported from
// _test.go files only.
package testenv
