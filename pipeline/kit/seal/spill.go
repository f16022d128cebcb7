package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
)

const (
	// frameSize is the plain bytes in a frame of a spill.
	frameSize = 64 << 10
	// streamSize is the length of a stream's number, with which it begins.
	streamSize = 7
)

// Spill encrypts temporary files under a key that exists only in this process:
// what a crash leaves on disk cannot be read by anybody.
type Spill struct {
	aead    cipher.AEAD
	streams atomic.Uint64
}

// NewSpill returns a spill with a fresh key.
func NewSpill() *Spill {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return &Spill{aead: aead}
}

// frameNonce is the number of the stream (7 bytes), the number of the frame and a
// mark on the last one, as in the STREAM construction (Hoang, Reyhanitabar,
// Rogaway, Vizár 2015): frames cannot be swapped, repeated or left out. The key
// is fresh, so counting is enough.
func frameNonce(stream uint64, frame uint32, last bool) (n [12]byte) {
	binary.BigEndian.PutUint64(n[:], stream<<8)
	binary.BigEndian.PutUint32(n[7:], frame)
	if last {
		n[11] = 1
	}
	return n
}

// Writer encrypts what is written to it into w, in frames of 64 KiB. Close ends
// the stream and must be called; it does not close w.
func (s *Spill) Writer(w io.Writer) io.WriteCloser {
	return &spillWriter{spill: s, w: w, stream: s.streams.Add(1), buf: make([]byte, 0, frameSize+tagSize)}
}

type spillWriter struct {
	spill  *Spill
	w      io.Writer
	stream uint64
	frame  uint32
	buf    []byte
	begun  bool
	err    error
}

func (w *spillWriter) Write(p []byte) (n int, err error) {
	for w.err == nil && len(p) > 0 {
		if len(w.buf) == frameSize {
			w.flush(false)
			continue
		}
		take := min(len(p), frameSize-len(w.buf))
		w.buf = append(w.buf, p[:take]...)
		p, n = p[take:], n+take
	}
	return n, w.err
}

// Close writes the last frame.
func (w *spillWriter) Close() error {
	if w.err == nil {
		w.flush(true)
	}
	if w.err != nil {
		if errors.Is(w.err, errClosed) {
			return nil
		}
		return w.err
	}
	w.err = errClosed
	return nil
}

var errClosed = errors.New("spill is closed")

func (w *spillWriter) flush(last bool) {
	if !w.begun {
		nonce := frameNonce(w.stream, 0, false)
		if _, w.err = w.w.Write(nonce[:streamSize]); w.err != nil {
			return
		}
		w.begun = true
	}
	nonce := frameNonce(w.stream, w.frame, last)
	_, w.err = w.w.Write(w.spill.aead.Seal(w.buf[:0], nonce[:], w.buf, nil))
	w.buf = w.buf[:0]
	w.frame++
}

// Reader decrypts a stream that Writer of the same Spill made. A stream that was
// altered or cut short is ErrSealed. It reads ahead of what it returns.
func (s *Spill) Reader(r io.Reader) io.Reader {
	return &spillReader{spill: s, r: r}
}

type spillReader struct {
	spill  *Spill
	r      io.Reader
	stream uint64
	frame  uint32
	buf    []byte // the frame as read, and the first byte of the next one
	plain  []byte // of buf, not yet returned
	have   int    // bytes of the next frame that were read already
	err    error
}

func (r *spillReader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 && r.err == nil {
		r.next()
	}
	if len(r.plain) == 0 && len(p) > 0 {
		return 0, r.err
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next reads a frame and one byte more: a frame is the last one when nothing
// follows.
func (r *spillReader) next() {
	const sealed = frameSize + tagSize
	if r.buf == nil {
		r.buf = make([]byte, sealed+1)
		if r.err = whole(io.ReadFull(r.r, r.buf[:streamSize])); r.err != nil {
			return
		}
		r.stream = binary.BigEndian.Uint64(r.buf[:8]) >> 8
	} else {
		r.buf[0], r.have = r.buf[sealed], 1
	}
	n, err := io.ReadFull(r.r, r.buf[r.have:])
	n += r.have
	last := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if err != nil && !last {
		r.err = err
		return
	}
	nonce := frameNonce(r.stream, r.frame, last)
	plain, err := r.spill.aead.Open(r.buf[:0], nonce[:], r.buf[:min(n, sealed)], nil)
	if err != nil {
		r.err = ErrSealed
		return
	}
	r.plain = plain
	r.frame++
	if last {
		r.err = io.EOF
	}
}

func whole(_ int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrSealed
	}
	return err
}
