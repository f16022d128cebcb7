package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// maxAttributes bounds the further columns of all directories of an import.
const maxAttributes = 200

// readAll reads the files of one role: every row is counted, judged, and spilled
// under its customer number.
func (im *importer) readAll(ctx context.Context, s *schema, sources []Source) error {
	for i, src := range sources {
		if err := im.readFile(ctx, s, i, src); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) readFile(ctx context.Context, s *schema, index int, src Source) (err error) {
	f, err := open(src, im.limits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := newReader(f, s)
	if err != nil {
		return err
	}
	im.check.spreadsheet = f.format == formatXLSX
	count := pipeline.FileCount{Name: src.Name, Role: s.role, Format: f.format}
	if f.packed != "" {
		count.Format += "+" + f.packed
	}
	if err := im.rows(ctx, s, r, index, src, &count); err != nil {
		return err
	}
	if count.SHA256, err = f.finish(); err != nil {
		return err
	}
	for _, other := range im.manifest.Files {
		if other.Role == s.role && other.SHA256 == count.SHA256 {
			return fileError(src.Name, "file-twice", "is the same file as "+other.Name, "name each file once", nil)
		}
	}
	var ignored []string
	count.Encoding, count.Delimiter, ignored = r.about()
	im.ignored = append(im.ignored, ignored...)
	im.manifest.Files = append(im.manifest.Files, count)
	return nil
}

func newReader(f *file, s *schema) (reader, error) {
	switch f.format {
	case formatNDJSON:
		return newNDJSONReader(f, s), nil
	case formatXLSX:
		return newXLSXReader(f, s)
	}
	return newCSVReader(f, s)
}

// rows lets one goroutine read while this one judges.
func (im *importer) rows(ctx context.Context, s *schema, r reader, index int, src Source, count *pipeline.FileCount) error {
	ctx, cancel := context.WithCancel(ctx)
	full := make(chan *batch, 2)
	free := make(chan *batch, 3)
	for range cap(free) {
		free <- new(batch)
	}
	failed := make(chan error, 1)
	go func() {
		defer close(full)
		failed <- fill(ctx, r, free, full)
	}()
	defer func() { // the reader must be done before its file is closed
		cancel()
		for range full { //nolint:revive // drained
		}
	}()
	for b := range full {
		for i := range b.rows {
			if err := im.row(s, &b.rows[i], b.extra, index, count); err != nil {
				return err
			}
		}
		im.progress(Progress{Phase: "reading", File: src.Name, Rows: count.Rows, Bytes: b.bytes, Total: src.Size})
		free <- b
	}
	return <-failed
}

// fill reads until the end of the file.
func fill(ctx context.Context, r reader, free <-chan *batch, full chan<- *batch) error {
	for {
		var b *batch
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case b = <-free:
		}
		b.reset()
		if err := r.fill(b); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case full <- b:
		}
	}
}

// row judges one row and spills it or rejects it.
func (im *importer) row(s *schema, r *row, extra []string, index int, count *pipeline.FileCount) error {
	count.Rows++
	if s.role == roleCustomers {
		im.check.customer(r, &im.customer)
		if _, bad := im.check.f.rejected(); !bad {
			im.check.attributes(r, &im.customer, extra, im.attribute)
		}
	} else {
		im.impacts = im.check.impacts(r, im.impacts)
	}
	if f, bad := im.check.f.rejected(); bad {
		count.Rejected++
		im.counts[f.code]++
		if s.role == roleImpact && f.code != totalsRow && f.code != repeatedHeader {
			if id := im.check.readable(r); id != "" {
				if err := im.byCustomer.add(im.enc.poison(customerKey(id))); err != nil {
					return err
				}
			}
		}
		return im.rejects.add(count.Name, r.n, f)
	}
	count.Accepted++
	if s.role == roleCustomers {
		im.customer.file = index
		im.customer.codes = im.lasting(im.customer.codes[:0])
		if err := im.byCustomer.add(im.enc.customer(customerKey(im.customer.f[cCustomerID]), &im.customer)); err != nil {
			return err
		}
	} else {
		codes := im.lasting(nil)
		for i := range im.impacts {
			im.impacts[i].codes, im.impacts[i].at = codes, place{roleImpact, index, r.n}
			if err := im.byCustomer.add(im.enc.impact(customerKey(im.impacts[i].customer), &im.impacts[i])); err != nil {
				return err
			}
		}
	}
	return im.noteFindings(count.Name, r.n)
}

// noteFindings counts and reports what was found in an accepted row, each code
// once a row.
func (im *importer) noteFindings(file string, n int64) error {
	for i, f := range im.check.f.list {
		again := slices.ContainsFunc(im.check.f.list[:i], func(e found) bool { return e.code == f.code })
		if !again {
			im.counts[f.code]++
		}
		if err := im.findings.add(file, n, f); err != nil {
			return err
		}
	}
	return nil
}

// note counts a finding that shows only when rows come together, and says where
// the record stands.
func (im *importer) note(c code, at place) error { return im.noteIn(c, "", at) }

// noteIn is note for one column.
func (im *importer) noteIn(c code, column string, at place) error {
	im.counts[c]++
	sources := im.c.Customers
	if at.role == roleImpact {
		sources = im.c.Impacts
	}
	name := ""
	if at.row > 0 && at.file < len(sources) {
		name = sources[at.file].Name
	}
	return im.findings.add(name, at.row, found{c, column})
}

// lasting returns the codes that stay with the record.
func (im *importer) lasting(list []code) []code {
	for _, f := range im.check.f.list {
		if e := f.code.effect(); (e == Hold || e == NoEmail || e == NoPost) && !slices.Contains(list, f.code) {
			list = append(list, f.code)
		}
	}
	return list
}

// attribute returns the place of a further column in the list of the import; -1
// when there are too many.
func (im *importer) attribute(name string) int {
	folded := foldName(name)
	if i, ok := im.attributeOf[folded]; ok {
		return i
	}
	if len(im.attributes) >= maxAttributes {
		return -1
	}
	im.attributeOf[folded] = len(im.attributes)
	im.attributes = append(im.attributes, strings.ToLower(strings.ReplaceAll(name, " ", "_")))
	return len(im.attributes) - 1
}

// customerKey is what rows of a customer number are joined by. The spill is
// encrypted, so the hash needs no key.
func customerKey(id string) key {
	sum := sha256.Sum256([]byte(foldID(id)))
	return key(sum[:16])
}

// content is the identity of an import: the hashes of its files, in any order.
func content(files []pipeline.FileCount) string {
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("%s %s\n", f.Role, f.SHA256))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte("art34/import/1\n" + strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}
