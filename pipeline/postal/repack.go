package postal

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// gofpdf makes a new compressor for every page, 1.2 MB each: half the time of a
// print run and nearly all of its garbage. So it writes its pages as they are, and
// the document is repacked on its way out with one compressor.

// repacker takes a whole document in one or more writes and, on close, writes it
// with its page contents compressed.
type repacker struct{ doc []byte }

// Write keeps p. gofpdf hands over the document in one piece, which is not copied.
func (r *repacker) Write(p []byte) (int, error) {
	if r.doc == nil {
		r.doc = p
	} else {
		r.doc = append(slices.Clip(r.doc), p...)
	}
	return len(p), nil
}

// errRepack says that the document is not as gofpdf writes it.
var errRepack = errors.New("the document has another form than expected")

// repack copies a document of gofpdf to w, object by object in the order of the
// file, with every plain stream compressed and the cross-reference table anew
// (PDF 1.3, 3.4.3).
func repack(w io.Writer, doc []byte) error {
	offsets, table, err := crossReferences(doc)
	if err != nil {
		return err
	}
	order := make([]int, len(offsets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return offsets[a] - offsets[b] })
	moved := make([]int, len(offsets))
	out := &counter{w: w}
	var z packer
	for i, n := range order {
		from, to := offsets[n], table
		if i+1 < len(order) {
			to = offsets[order[i+1]]
		}
		if i == 0 {
			if _, err := out.Write(doc[:from]); err != nil {
				return err
			}
		}
		moved[n] = out.n
		if err := z.object(out, doc[from:to]); err != nil {
			return err
		}
	}
	return finishFile(out, doc[table:], moved)
}

// crossReferences reads the table at the end of the file: offset of every object
// from number 1 on, and of the table itself.
func crossReferences(doc []byte) (offsets []int, table int, err error) {
	at := bytes.LastIndex(doc, []byte("startxref\n"))
	if at < 0 {
		return nil, 0, errRepack
	}
	if table, err = strconv.Atoi(string(firstLine(doc[at+len("startxref\n"):]))); err != nil || table < 0 || table >= at {
		return nil, 0, errRepack
	}
	rest, ok := bytes.CutPrefix(doc[table:], []byte("xref\n"))
	if !ok {
		return nil, 0, errRepack
	}
	var zero, size int
	head := firstLine(rest)
	if _, err := fmt.Sscanf(string(head), "%d %d", &zero, &size); err != nil || zero != 0 || size < 2 {
		return nil, 0, errRepack
	}
	rest = rest[len(head)+1:]
	const entry = len("0000000000 00000 n \n")
	if len(rest) < size*entry {
		return nil, 0, errRepack
	}
	offsets = make([]int, size-1)
	for n := range offsets {
		e := rest[(n+1)*entry:]
		if offsets[n], err = strconv.Atoi(string(e[:10])); err != nil || offsets[n] <= 0 || offsets[n] >= table {
			return nil, 0, errRepack
		}
	}
	return offsets, table, nil
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

// finishFile writes the table and the trailer.
func finishFile(out *counter, tail []byte, moved []int) error {
	trailer := bytes.Index(tail, []byte("trailer\n"))
	end := bytes.LastIndex(tail, []byte("startxref\n"))
	if trailer < 0 || end < trailer {
		return errRepack
	}
	table := out.n
	var b bytes.Buffer
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(moved)+1)
	for _, at := range moved {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	b.Write(tail[trailer:end])
	fmt.Fprintf(&b, "startxref\n%d\n%%%%EOF\n", table)
	_, err := out.Write(b.Bytes())
	return err
}

// packer compresses streams, one after the other.
type packer struct {
	z   *zlib.Writer
	buf bytes.Buffer
}

// object writes one object, compressed if it is a stream with nothing but a
// length: that is what the content of a page looks like, fonts and images have
// more.
func (p *packer) object(w io.Writer, obj []byte) error {
	head := firstLine(obj)
	rest := obj[min(len(head)+1, len(obj)):]
	var length int
	dict := firstLine(rest)
	if n, err := fmt.Sscanf(string(dict[:min(len(dict), 40)]), "<</Length %d>>", &length); n != 1 || err != nil || string(dict) != fmt.Sprintf("<</Length %d>>", length) {
		_, err := w.Write(obj)
		return err
	}
	body, ok := bytes.CutPrefix(rest[len(dict)+1:], []byte("stream\n"))
	if !ok || len(body) < length {
		return errRepack
	}
	p.buf.Reset()
	if p.z == nil {
		var err error
		if p.z, err = zlib.NewWriterLevel(&p.buf, zlib.BestSpeed); err != nil {
			return err
		}
	} else {
		p.z.Reset(&p.buf)
	}
	if _, err := p.z.Write(body[:length]); err != nil {
		return err
	}
	if err := p.z.Close(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s\n<</Filter /FlateDecode /Length %d>>\nstream\n", head, p.buf.Len()); err != nil {
		return err
	}
	if _, err := w.Write(p.buf.Bytes()); err != nil {
		return err
	}
	_, err := w.Write(body[length:])
	return err
}

// counter counts what goes through.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
