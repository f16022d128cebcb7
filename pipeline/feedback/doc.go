// Package feedback says what comes back means: for each recipient of a report one
// of the four outcomes of package pipeline. It judges and changes nothing.
package feedback
