package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/art34/art34/pipeline"
)

// Formats of an input, as manifests name them.
const (
	formatCSV    = "csv"
	formatNDJSON = "ndjson"
	formatXLSX   = "xlsx"
)

// ratioGrace is how much a file may expand to before its ratio counts: a short
// list of very similar rows is no bomb.
const ratioGrace = 16 << 20

// maxWindow is the memory that a zstd frame may ask for.
const maxWindow = 32 << 20

// file is an open source, decompressed.
type file struct {
	name   string
	body   *bufio.Reader // decompressed, not yet decoded
	format string
	packed string // "gzip", "zstd", ""

	raw    *counter
	close  []func() error
	limits Limits
}

// fileError is a failure of a whole file that a person can repair.
func fileError(name, code, sentence, hint string, cause error) error {
	return &pipeline.Error{Code: code, Sentence: name + ": " + sentence, Hint: hint, Permanent: true, Exit: 2, Cause: cause}
}

// open recognises compression and format by content.
func open(s Source, limits Limits) (*file, error) {
	in, err := s.Open()
	if err != nil {
		return nil, fileError(s.Name, "file-unreadable", "cannot be opened", "look at its path and its permissions", err)
	}
	f := &file{name: s.Name, limits: limits, close: []func() error{in.Close}, raw: &counter{r: in, sum: sha256.New()}}
	if err := f.unpack(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// unpack takes off one layer of compression and looks at what is in it.
func (f *file) unpack() error {
	head := bufio.NewReaderSize(f.raw, 64<<10)
	magic, err := head.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fileError(f.name, "file-unreadable", "cannot be read", "look at the disk or share that it lies on, or copy it here first", err)
	}
	var out io.Reader = head
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(head)
		if err != nil {
			return f.damaged(err)
		}
		f.packed, out = "gzip", z
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(head, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return f.damaged(err)
		}
		f.close = append(f.close, func() error { z.Close(); return nil })
		f.packed, out = "zstd", z
	}
	if f.packed != "" {
		out = &expansion{r: out, file: f}
	}
	f.body = bufio.NewReaderSize(out, 64<<10)
	return f.sniff()
}

// sniff finds the format by the first bytes.
func (f *file) sniff() error {
	head, err := f.body.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return f.broken(err)
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		f.format = formatXLSX
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return fileError(f.name, "format-unknown", "is an old or password-protected Excel file", "save it as CSV UTF-8, or as XLSX without a password", nil)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}), bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return fileError(f.name, "format-unknown", "is compressed twice", "unpack it once", nil)
	case bytes.HasPrefix(text, []byte("{")):
		f.format = formatNDJSON
	case bytes.HasPrefix(text, []byte("[")):
		return fileError(f.name, "format-unknown", "is a JSON array", "write one JSON object a line (NDJSON), for example with jq -c '.[]'", nil)
	case len(text) == 0:
		return fileError(f.name, "file-empty", "is empty", "export it again; art34 sample writes an example of each list", nil)
	case bytes.HasPrefix(head, []byte("%PDF")), bytes.HasPrefix(text, []byte("<")):
		return fileError(f.name, "format-unknown", "is neither CSV, NDJSON nor XLSX", "export the list as CSV UTF-8", nil)
	default:
		f.format = formatCSV
	}
	return nil
}

func (f *file) damaged(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return fileError(f.name, "window-too-large", fmt.Sprintf("was packed with a zstd window of more than %d MiB", maxWindow>>20), "pack it again without --long or --ultra, or with gzip", nil)
	}
	return fileError(f.name, "file-damaged", "is damaged or cut off", "transfer it again and compare its SHA-256", err)
}

// broken translates an error of the reading chain.
func (f *file) broken(err error) error {
	if e, ok := errors.AsType[*pipeline.Error](err); ok {
		return e
	}
	if f.packed != "" {
		return f.damaged(err)
	}
	return fileError(f.name, "file-unreadable", "cannot be read to its end", "look at the disk or share that it lies on, or copy it here first", err)
}

// finish reads what the decompressor left and returns the SHA-256 of the file as
// it lies on disk.
func (f *file) finish() (string, error) {
	if _, err := io.Copy(io.Discard, f.raw); err != nil {
		return "", f.broken(err)
	}
	return hex.EncodeToString(f.raw.sum.Sum(nil)), nil
}

// Close closes the decompressor and the source.
func (f *file) Close() error {
	var errs []error
	for i := len(f.close) - 1; i >= 0; i-- {
		errs = append(errs, f.close[i]())
	}
	f.close = nil
	return errors.Join(errs...)
}

// counter counts and hashes the bytes of a file as it lies on disk.
type counter struct {
	r   io.Reader
	n   int64
	sum hash.Hash
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	_, _ = c.sum.Write(p[:n]) // a hash never fails
	return n, err
}

// expansion stops a decompression bomb.
type expansion struct {
	r    io.Reader
	file *file
	n    int64
}

func (e *expansion) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.n += int64(n)
	l := e.file.limits
	switch {
	case e.n > l.Expanded:
		return 0, fileError(e.file.name, "file-expands", fmt.Sprintf("unpacks to more than %s", size(l.Expanded)), "unpack it yourself and look at it; split it if it is right", nil)
	case e.n > ratioGrace && e.n > l.Ratio*e.file.raw.n:
		return 0, fileError(e.file.name, "file-expands", fmt.Sprintf("unpacks to more than %d times its size", l.Ratio), "unpack it yourself and look at it; import it unpacked if it is right", nil)
	}
	return n, err
}
