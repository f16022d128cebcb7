package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockRun takes DIR/run.lock, so that only one service works with the embedded
// ledger or queue of a directory. The kernel gives it back when the process ends,
// however it ends. The file says who has it.
func (a *app) lockRun() (release func(), err error) {
	path := filepath.Join(a.Dir, "run.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := io.ReadAll(io.LimitReader(f, 200))
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, decline("run-locked", "another art34 run works in this directory: "+strings.TrimSpace(string(who)),
				"stop it first; several can work together with ART34_LEDGER=postgres://… and ART34_REDIS=redis://…")
		}
		return nil, err
	}
	host, _ := os.Hostname()
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "process %d on %s\n", os.Getpid(), host)
		if err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return func() { _ = f.Close() }, nil
}
