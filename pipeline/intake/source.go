package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Source is one input file. Format, encoding and compression are recognised by
// its content, not by its name.
type Source struct {
	Name string                        // base name, for manifests, rejects and errors
	Size int64                         // bytes, for the progress; 0: unknown
	Open func() (io.ReadCloser, error) // may be called again after Close
}

// File returns the source of a file on disk.
func File(path string) Source {
	s := Source{Name: filepath.Base(path), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	if i, err := os.Stat(path); err == nil {
		s.Size = i.Size()
	}
	return s
}

// sum returns the SHA-256 of the file as it lies on disk.
func (s Source) sum(ctx context.Context) (_ string, err error) {
	in, err := s.Open()
	if err != nil {
		return "", fileError(s.Name, "file-unreadable", "cannot be opened", "look at its path and its permissions", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	h := sha256.New()
	for {
		switch _, err := io.CopyN(h, in, 16<<20); {
		case errors.Is(err, io.EOF):
			return hex.EncodeToString(h.Sum(nil)), nil
		case err != nil:
			return "", fileError(s.Name, "file-unreadable", "cannot be read to its end", "look at the disk or share that it lies on, or copy it here first", err)
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
	}
}
