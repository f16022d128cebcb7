// Package mailbox reads messages out of files, directories, mbox and Maildir, and
// from an IMAP server, without losing one: what is taken away is taken after it was
// kept.
package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Item is one message of a mailbox.
type Item struct {
	Source pipeline.InboundSource
	Path   string
	Index  int    // within the file, from 1
	Raw    []byte // at most the limit; Cut says that there was more
	Cut    bool
}

// Walk hands over every message at a path: a file, an mbox, a Maildir (cur and
// new), or a directory with any of them. Names that begin with a dot are left out.
// Nothing is changed. It ends with the first error of take; one of reading is a
// *fs.PathError.
func Walk(ctx context.Context, path string, limit int, take func(Item) error) error {
	return filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case at != path && d.Name()[0] == '.':
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() && d.Name() == "tmp" && isMaildir(filepath.Dir(at)):
			return fs.SkipDir // half delivered
		case d.IsDir() || at != path && !d.Type().IsRegular():
			return nil
		}
		return file(at, limit, take)
	})
}

func isMaildir(dir string) bool {
	for _, name := range []string{"new", "cur", "tmp"} {
		if s, err := os.Stat(filepath.Join(dir, name)); err != nil || !s.IsDir() {
			return false
		}
	}
	return true
}

func file(path string, limit int, take func(Item) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	source := pipeline.FromFile
	if dir := filepath.Dir(path); isMaildir(filepath.Dir(dir)) {
		source = pipeline.FromMaildir
	}
	return Read(f, source, limit, func(i Item) error {
		i.Path = path
		return take(i)
	})
}

// Read hands over the messages of one stream: those of an mbox (mboxrd: a line
// ">From " inside a message loses its ">"), or the one message that it is.
func Read(r io.Reader, source pipeline.InboundSource, limit int, take func(Item) error) error {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(5)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	s := splitter{source: source, limit: limit, take: take}
	if string(head) == "From " {
		s.source, s.mbox = pipeline.FromMbox, true
	}
	return s.run(b)
}

// splitter cuts a stream into messages.
type splitter struct {
	source pipeline.InboundSource
	mbox   bool
	limit  int
	take   func(Item) error
	index  int
	buffer bytes.Buffer
	cut    bool
	begun  bool
}

func (s *splitter) run(b *bufio.Reader) error {
	blank, whole := true, true // the line before was empty; this is the start of a line
	for {
		line, err := b.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		start := whole
		whole = err == nil
		if s.mbox && start && blank && bytes.HasPrefix(line, []byte("From ")) {
			if err := s.flush(); err != nil {
				return err
			}
			for !whole && err != io.EOF { // the rest of an endless "From " line
				_, err = b.ReadSlice('\n')
				whole = err == nil
			}
			s.begun, blank = true, false
			if errors.Is(err, io.EOF) {
				return s.flush()
			}
			continue
		}
		if start {
			blank = len(bytes.TrimRight(line, "\r\n")) == 0
		} else {
			blank = false
		}
		if s.mbox && start && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) && line[0] == '>' {
			line = line[1:]
		}
		s.add(line)
		if errors.Is(err, io.EOF) {
			return s.flush()
		}
	}
}

func (s *splitter) add(line []byte) {
	s.begun = s.begun || len(line) > 0
	if room := s.limit - s.buffer.Len(); len(line) > room {
		line, s.cut = line[:max(room, 0)], true
	}
	s.buffer.Write(line)
}

func (s *splitter) flush() error {
	if !s.begun {
		return nil
	}
	s.index++
	i := Item{Source: s.source, Index: s.index, Raw: slices.Clone(s.buffer.Bytes()), Cut: s.cut}
	s.buffer.Reset()
	s.cut, s.begun = false, false
	if len(bytes.TrimSpace(i.Raw)) == 0 {
		return nil
	}
	return s.take(i)
}
