package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// maxRuns is how many sorted runs are merged at a time; more are merged into one
// first, so that memory does not grow with the input.
const maxRuns = 128

// sorter sorts records by their key, stably, in bounded memory: what does not fit
// goes to a temporary file under a key that exists only in this process. The file
// loses its name at once, so that a crash leaves nothing behind.
type sorter struct {
	dir    string
	spill  *seal.Spill
	keyLen int // bytes of a record's key, at least 8
	limit  int // bytes in memory

	buf   []byte
	items []item
	count int64

	file *os.File
	end  int64
	runs []run
}

// item is a record in the buffer; prefix spares most comparisons the way there.
type item struct {
	prefix uint64
	off, n uint32
}

// run is a sorted part of the file.
type run struct{ off, n int64 }

func newSorter(dir string, spill *seal.Spill, keyLen, limit int) *sorter {
	return &sorter{dir: dir, spill: spill, keyLen: keyLen, limit: limit}
}

// add takes a record; its first keyLen bytes are the key.
func (s *sorter) add(record []byte) error {
	if len(s.buf)+len(record)+16*(len(s.items)+1) > s.limit && len(s.items) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.grow(len(record))
	s.items = append(s.items, item{prefix: binary.BigEndian.Uint64(record), off: uint32(len(s.buf)), n: uint32(len(record))})
	s.buf = append(s.buf, record...)
	s.count++
	return nil
}

// grow gives the buffer its final size at once when it is no longer small:
// growing step by step would leave several of them to the garbage collector.
func (s *sorter) grow(n int) {
	const small = 256 << 10
	if need := len(s.buf) + n; need > cap(s.buf) && need > small && need < s.limit {
		buf := make([]byte, len(s.buf), s.limit)
		copy(buf, s.buf)
		s.buf = buf
	}
}

func (s *sorter) record(i item) []byte { return s.buf[i.off : i.off+i.n] }

func (s *sorter) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		if c := bytes.Compare(s.buf[a.off+8:a.off+uint32(s.keyLen)], s.buf[b.off+8:b.off+uint32(s.keyLen)]); c != 0 {
			return c
		}
		return cmp.Compare(a.off, b.off)
	})
}

// flush writes the buffer as a run.
func (s *sorter) flush() error {
	if len(s.runs) >= maxRuns {
		if err := s.compact(); err != nil {
			return err
		}
	}
	s.sort()
	if err := s.open(); err != nil {
		return err
	}
	w := s.writer()
	for _, i := range s.items {
		if err := w.record(s.record(i)); err != nil {
			return spillError(err)
		}
	}
	s.buf, s.items = s.buf[:0], s.items[:0]
	return s.finish(w)
}

func (s *sorter) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "art34-spill-*")
	if err != nil {
		return spillError(err)
	}
	// Where an open file cannot be removed, close does it.
	_ = os.Remove(f.Name())
	s.file = f
	return nil
}

// runWriter writes length-prefixed records to the end of the file.
type runWriter struct {
	sealed io.WriteCloser
	disk   *bufio.Writer
	at     *io.OffsetWriter
	start  int64
	n      [binary.MaxVarintLen32]byte
}

func (s *sorter) writer() *runWriter {
	w := &runWriter{start: s.end, at: io.NewOffsetWriter(s.file, s.end)}
	w.disk = bufio.NewWriterSize(w.at, 64<<10)
	w.sealed = s.spill.Writer(w.disk)
	return w
}

func (w *runWriter) record(b []byte) error {
	if _, err := w.sealed.Write(w.n[:binary.PutUvarint(w.n[:], uint64(len(b)))]); err != nil {
		return err
	}
	_, err := w.sealed.Write(b)
	return err
}

// finish ends a run and enters it.
func (s *sorter) finish(w *runWriter) error {
	if err := errors.Join(w.sealed.Close(), w.disk.Flush()); err != nil {
		return spillError(err)
	}
	n, err := w.at.Seek(0, io.SeekCurrent)
	if err != nil {
		return spillError(err)
	}
	s.runs = append(s.runs, run{off: w.start, n: n})
	s.end = w.start + n
	return nil
}

// compact merges all runs into one, in a new file.
func (s *sorter) compact() error {
	old := *s
	m := old.merge(false)
	s.file, s.end, s.runs = nil, 0, nil
	if err := s.open(); err != nil {
		return err
	}
	w := s.writer()
	for {
		rec, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = w.record(rec)
		}
		if err != nil {
			return errors.Join(spillError(err), old.file.Close())
		}
	}
	return errors.Join(s.finish(w), old.file.Close())
}

// sorted ends the adding and returns the records in order. The sorter must be
// closed after the last one was read. If anything is on disk the rest goes there
// too: its memory is needed by the sorter that comes next.
func (s *sorter) sorted() (*merger, error) {
	if len(s.runs) == 0 {
		s.sort()
		return s.merge(true), nil
	}
	if len(s.items) > 0 {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	s.buf, s.items = nil, nil
	return s.merge(false), nil
}

// Close gives memory and disk back.
func (s *sorter) Close() error {
	s.buf, s.items, s.runs = nil, nil, nil
	if s.file == nil {
		return nil
	}
	name := s.file.Name()
	err := s.file.Close()
	_ = os.Remove(name) // gone already, except where open files cannot be removed
	s.file = nil
	return err
}

func spillError(err error) error {
	if _, ok := errors.AsType[*pipeline.Error](err); ok {
		return err
	}
	return &pipeline.Error{Code: "spill-failed", Sentence: "the temporary directory cannot be used", Hint: "free space there, or set TMPDIR to a directory with room for about three times the lists", Cause: err}
}

// merger yields records in order of their keys; of equal keys the one that was
// added first comes first.
type merger struct {
	keyLen  int
	sources []*source
	begun   bool
	err     error
}

// source is one sorted run, on disk or in memory, with its current record.
type source struct {
	order  int
	key    uint64
	record []byte
	next   func(*source) error
}

func (s *sorter) merge(memory bool) *merger {
	m := &merger{keyLen: s.keyLen}
	for i, r := range s.runs {
		in := bufio.NewReaderSize(s.spill.Reader(io.NewSectionReader(s.file, r.off, r.n)), 16<<10)
		m.sources = append(m.sources, &source{order: i, next: func(src *source) error { return src.read(in) }})
	}
	if memory {
		i := 0
		m.sources = append(m.sources, &source{order: len(s.runs), next: func(src *source) error {
			if i == len(s.items) {
				return io.EOF
			}
			src.record = s.record(s.items[i])
			i++
			return nil
		}})
	}
	return m
}

// read reads the next record of a run.
func (src *source) read(in *bufio.Reader) error {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return err
	}
	if n > 1<<26 {
		return fmt.Errorf("spill record of %d bytes", n)
	}
	if cap(src.record) < int(n) {
		src.record = make([]byte, n, 2*n)
	}
	src.record = src.record[:n]
	if _, err := io.ReadFull(in, src.record); err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// next returns the next record, valid until the call after; io.EOF at the end.
func (m *merger) next() ([]byte, error) {
	if m.err != nil {
		return nil, m.err
	}
	if !m.begun {
		m.begun = true
		live := m.sources[:0]
		for _, src := range m.sources {
			switch ok, err := src.advance(); {
			case err != nil:
				m.err = spillError(err)
				return nil, m.err
			case ok:
				live = append(live, src)
			}
		}
		m.sources = live
		heap.Init(m)
	} else {
		switch ok, err := m.sources[0].advance(); {
		case err != nil:
			m.err = spillError(err)
			return nil, m.err
		case ok:
			heap.Fix(m, 0)
		default:
			heap.Pop(m)
		}
	}
	if len(m.sources) == 0 {
		m.err = io.EOF
		return nil, io.EOF
	}
	return m.sources[0].record, nil
}

// advance moves to the next record and reports whether there is one.
func (src *source) advance() (bool, error) {
	err := src.next(src)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err == nil {
		src.key = binary.BigEndian.Uint64(src.record)
	}
	return err == nil, err
}

// The heap of a merger's sources.

func (m *merger) Len() int      { return len(m.sources) }
func (m *merger) Swap(i, j int) { m.sources[i], m.sources[j] = m.sources[j], m.sources[i] }
func (m *merger) Push(any)      {}
func (m *merger) Pop() any {
	last := m.sources[len(m.sources)-1]
	m.sources = m.sources[:len(m.sources)-1]
	return last
}
func (m *merger) Less(i, j int) bool {
	a, b := m.sources[i], m.sources[j]
	if a.key != b.key {
		return a.key < b.key
	}
	if c := bytes.Compare(a.record[8:m.keyLen], b.record[8:m.keyLen]); c != 0 {
		return c < 0
	}
	return a.order < b.order
}
