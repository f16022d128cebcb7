package mailbox

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Collect hands over what is new in a Maildir, at most most messages at a time, and
// moves them from new to cur once keep has kept them, marked as seen. It returns
// how many. What keep refuses stays where it is, and so does all if ctx ends.
func Collect(ctx context.Context, dir string, limit, most int, keep func(context.Context, []Item) error) (int, error) {
	if !isMaildir(dir) {
		return 0, &fs.PathError{Op: "read", Path: dir, Err: errors.New("is no Maildir: it needs new, cur and tmp")}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		return 0, err
	}
	total := 0
	for batch := range slices.Chunk(entries, max(most, 1)) {
		if ctx.Err() != nil {
			return total, ctx.Err()
		}
		items, names, err := gather(dir, batch, limit)
		if err != nil {
			return total, err
		}
		if len(items) > 0 {
			if err := keep(ctx, items); err != nil {
				return total, err
			}
		}
		for _, name := range names {
			err := os.Rename(filepath.Join(dir, "new", name), filepath.Join(dir, "cur", name+":2,S"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return total, err
			}
		}
		total += len(items)
	}
	return total, nil
}

// gather reads some files of new. One that somebody else took meanwhile is left
// out.
func gather(dir string, entries []fs.DirEntry, limit int) (items []Item, names []string, err error) {
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name()[0] == '.' {
			continue
		}
		path := filepath.Join(dir, "new", e.Name())
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		raw, err := readAtMost(f, limit)
		_ = f.Close()
		if err != nil {
			return nil, nil, err
		}
		names = append(names, e.Name())
		items = append(items, Item{Source: pipeline.FromMaildir, Path: path, Index: 1, Raw: raw[:min(len(raw), limit)], Cut: len(raw) > limit})
	}
	return items, names, nil
}

// readAtMost reads one byte more than the limit, so that one sees what is cut.
func readAtMost(f *os.File, limit int) ([]byte, error) {
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}
