package intake

import (
	"io"
	"os"
	"path/filepath"
)

// Source is one input file. Format, encoding and compression are recognised by
// its content, not by its name.
type Source struct {
	Name string // base name, for manifests, rejects and errors
	Size int64  // bytes, for the progress; 0: unknown
	Open func() (io.ReadCloser, error)
}

// File returns the source of a file on disk.
func File(path string) Source {
	s := Source{Name: filepath.Base(path), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
	if i, err := os.Stat(path); err == nil {
		s.Size = i.Size()
	}
	return s
}
