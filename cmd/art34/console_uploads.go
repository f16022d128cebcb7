package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// This file removes lists that were sent to the console and never read: the browser
// went away in the middle of one, or the service was killed. They hold customers in
// clear.

// uploadsLeft is how old the last write to a list is before nobody waits for it: it may
// take two hours to arrive, and is written to all the while.
const uploadsLeft = 3 * time.Hour

// sweepEvery is how often they are looked for.
const sweepEvery = 15 * time.Minute

// Discard removes lists that were received and that no import will read.
func (k clerk) Discard(lists []console.List) error {
	var err error
	for _, l := range lists {
		if dir := filepath.Dir(l.Path); filepath.Dir(dir) == filepath.Clean(k.uploads()) {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	return err
}

// sweepUploads removes what was left.
func (h *house) sweepUploads() {
	if err := sweepDirectories(filepath.Join(h.Dir, "uploads"), h.real.Now().Add(-uploadsLeft)); err != nil {
		h.log.Warn("lists that were sent to the console and never read cannot be removed", "error", err)
	}
}

// sweepDirectories removes every directory in dir in which nothing was written since
// before.
func sweepDirectories(dir string, before time.Time) error {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range list {
		path := filepath.Join(dir, entry.Name())
		last, statErr := lastWrite(path)
		if statErr != nil || !last.Before(before) {
			continue // it may be gone by now: its import has read it
		}
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// lastWrite is when a directory, or a file in it, was written to last.
func lastWrite(dir string) (last time.Time, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return last, err
	}
	last = info.ModTime()
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last, err
}
