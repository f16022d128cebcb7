package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// TestListsThatNobodyReads: a list that was not read is removed once nothing has been
// written to it for long, and at once where the console says so; nothing else is.
func TestListsThatNobodyReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := clerk{h: &house{app: &app{globals: &globals{}}}}
	k.h.Dir = dir
	ctx := context.Background()
	receive := func() console.List {
		l, err := k.Receive(ctx, "customers", "customers.csv", strings.NewReader("customer_id\n1\n"))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	there := func(l console.List) bool { _, err := os.Stat(l.Path); return err == nil }
	left, arriving, refused := receive(), receive(), receive()
	if err := k.Discard([]console.List{refused, {}, {Path: filepath.Join(dir, "ledger.db")}, {Path: "customers.csv"}}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	old := now.Add(-uploadsLeft - time.Minute)
	for _, path := range []string{left.Path, filepath.Dir(left.Path), filepath.Dir(arriving.Path)} {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := sweepDirectories(k.uploads(), now.Add(-uploadsLeft)); err != nil {
			t.Fatal(err)
		}
	}
	if there(left) || there(refused) || !there(arriving) {
		t.Errorf("left %v, refused %v, arriving %v", there(left), there(refused), there(arriving))
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	if err := sweepDirectories(filepath.Join(dir, "nowhere"), now); err != nil {
		t.Error(err)
	}
	_, err := k.Receive(ctx, "customers", "customers.csv", io.MultiReader(strings.NewReader("customer_id\n"), brokenOff{}))
	rest, _ := os.ReadDir(k.uploads())
	if err == nil || len(rest) != 1 {
		t.Errorf("%v, and %d lists are left", err, len(rest))
	}
}

// brokenOff is a browser that goes away.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, errors.New("gone") }
