package pipeline

import "time"

// Take asks the ledger for due notices.
type Take struct {
	Campaign int64
	Lane     Lane
	Channel  Channel
	Provider string // "" takes any
	Limit    int
	Now      time.Time // DueAt must not be after it
	Moved    time.Time // becomes MovedAt, by the real clock
}

// PeekPosition is a place in the order country, area, ID; the zero value is
// before all.
type PeekPosition struct {
	Country, Area string
	ID            int64
}

// Filter selects notices.
type Filter struct {
	Campaign int64
	States   []State // empty: all
	Flag     string  // one of Notice.Flags
	Reason   string
	Roles    []Role // empty: all
	After    int64  // ID above
	Limit    int    // 0: no limit
}

// Counters are what a campaign ever counted.
type Counters struct {
	Attempts int64 // tries: hand-overs that were started, and letters that were cut into runs
	Doubts   int64
	Again    int64 // sent again out of doubt: the upper bound of real duplicates
}

// DueCount says how many notices are due.
type DueCount struct {
	Channel  Channel
	Provider string
	Reason   string
	Count    int64
}
