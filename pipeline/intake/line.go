package intake

import (
	"bytes"
	"errors"
	"io"
)

// textLine returns the next line; empty ones are told as in next.
func (s *csvScanner) textLine() (csvRecord, []byte, error) {
	var blank int64
	for {
		if s.blank > 0 {
			s.blank--
			s.line++
			return csvRecord{row: s.line, problem: emptyRow}, nil, nil
		}
		n, err := s.lineEnd(s.start)
		switch {
		case errors.Is(err, errLong):
			s.line += blank + 1
			return csvRecord{row: s.line, problem: longRow}, nil, s.skipLine()
		case err != nil:
			return csvRecord{}, nil, err
		case s.vacant(s.start, n):
			s.start = min(n+1, s.end)
			blank++
			continue
		case blank > 0:
			s.blank, blank = blank, 0
			continue
		}
		line := s.buf[s.start:n]
		s.start = min(n+1, s.end)
		s.line++
		return csvRecord{row: s.line}, line, nil
	}
}

// vacant reports whether a line holds nothing but separators and spaces, or the
// end-of-file mark of DOS.
func (s *csvScanner) vacant(from, to int) bool {
	for _, c := range s.buf[from:to] {
		if c != s.comma && c != ' ' && c != '\t' && c != '\r' && c != 0x1a {
			return false
		}
	}
	return true
}

// lineEnd returns the index of the line end at or after from, reading on as
// needed; the end of the file counts as one.
func (s *csvScanner) lineEnd(from int) (int, error) {
	rel := from - s.start
	for {
		if i := bytes.IndexByte(s.buf[s.start+rel:s.end], s.eol); i >= 0 {
			return s.start + rel + i, nil
		}
		rel = s.end - s.start
		switch err := s.more(); {
		case errors.Is(err, io.EOF) && rel > 0:
			return s.end, nil
		case err != nil:
			return 0, err
		}
	}
}

// more reads on, moving what is unread to the front and growing the buffer up to
// the longest row. The end of the file is io.EOF, a full buffer errLong.
func (s *csvScanner) more() error {
	if s.err != nil {
		return s.err
	}
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.end -= s.start
		s.start = 0
	}
	if s.end > s.limits.Row {
		return errLong
	}
	if s.end == len(s.buf) {
		grown := make([]byte, 2*len(s.buf))
		copy(grown, s.buf[:s.end])
		s.buf = grown
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.err = err
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// skipLine drops the rest of a line that is too long.
func (s *csvScanner) skipLine() error {
	for {
		if i := bytes.IndexByte(s.buf[s.start:s.end], s.eol); i >= 0 {
			s.start += i + 1
			return nil
		}
		s.start, s.end = 0, 0
		if err := s.more(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
