package main

import (
	"net"
	"syscall"

	"github.com/art34/art34/pipeline/kit/door"
)

// Connections that the pages and the events of providers take at a time, at most: an
// open page has one or two. Fewer where the process may open few files.
const (
	mostConsole = 10_000
	mostEvents  = 500
)

// doorman keeps a listener from taking the file descriptors that the ledger, the relay
// and the print runs need: no more than a third, and one client no more than half of
// that. Behind a proxy all come from one address, and the proxy sees to it.
func doorman(l net.Listener, most int, behindProxy bool) net.Listener {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		most = min(most, max(10, int(min(files.Cur, 1<<20)/3)))
	}
	each := most / 2
	if behindProxy {
		each = most
	}
	return door.NewRoom(most, each).Listener(l)
}
