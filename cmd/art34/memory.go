package main

import (
	"os"
	"runtime/debug"
)

// Garbage is collected when the heap has grown fourfold, not twofold: what is kept
// is small, and what each notice leaves behind is large, so that collecting took a
// tenth of the time. The limit keeps the whole process, with SQLite's caches
// beside the heap, below 256 MiB.
const (
	garbagePercent = 300
	heapLimit      = 128 << 20
)

// spendMemory sets both, unless the environment says otherwise.
func spendMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit)
	}
}
