package postal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/agefile"
)

// RunJob is a print run to be written.
type RunJob struct {
	Run       pipeline.Run
	Items     iter.Seq2[Item, error] // sorted; see SortKey
	EncryptTo string                 // age recipient of the print shop; "": in clear
}

// Written says which files a print run consists of.
type Written struct {
	Drawn    *Drawn
	File     string // "R000042.pdf", or "R000042.pdf.age"; "": every letter was unfit, nothing was written
	SHA256   string // hex, of that file as it is handed over
	Manifest *Manifest
}

// WriteRun draws a print run into dir: the PDF (encrypted, if asked for), and the
// manifest beside it as R000042.csv and R000042.json. Each file appears under
// its name only when it is whole and on the disk; the manifest comes last. What a
// crash left of the same run is overwritten. In clear, the same run is the same
// bytes again; encryption is never the same twice, but for the PDF within
// (Manifest.PDFSHA256).
func (p *Press) WriteRun(ctx context.Context, dir *os.Root, job RunJob) (*Written, error) {
	name := job.Run.Name() + ".pdf"
	var to agefile.Recipient
	if job.EncryptTo != "" {
		var err error
		if to, err = agefile.ParseRecipient(job.EncryptTo); err != nil {
			return nil, &pipeline.Error{Code: "recipient-invalid", Sentence: "post.encrypt_to is no age recipient", Hint: "ask the print shop for its public key; it starts with age1", Permanent: true, Exit: 2, Cause: err}
		}
		name += agefile.Extension
	}
	if err := RemoveRun(dir, job.Run); err != nil {
		return nil, err
	}
	out := &Written{File: name}
	var pdf hash.Hash
	sum, err := writeFile(dir, name, func(w io.Writer) error {
		enc := io.WriteCloser(nopCloser{w})
		if job.EncryptTo != "" {
			var err error
			if enc, err = agefile.Encrypt(w, to); err != nil {
				return err
			}
		}
		pdf = sha256.New()
		var err error
		if out.Drawn, err = p.Draw(ctx, io.MultiWriter(enc, pdf), job.Run, job.Items); err != nil {
			return err
		}
		if len(out.Drawn.Letters) == 0 {
			return errNothing
		}
		return enc.Close()
	})
	if errors.Is(err, errNothing) {
		return &Written{Drawn: out.Drawn, Manifest: p.manifest(job.Run, out.Drawn)}, nil
	}
	if err != nil {
		return nil, err
	}
	out.SHA256 = sum
	m := p.manifest(job.Run, out.Drawn)
	m.File, m.SHA256, m.PDFSHA256 = name, sum, hex.EncodeToString(pdf.Sum(nil))
	out.Manifest = m
	if _, err := writeFile(dir, job.Run.Name()+".csv", m.WriteCSV); err != nil {
		return nil, err
	}
	if _, err := writeFile(dir, job.Run.Name()+".json", m.WriteJSON); err != nil {
		return nil, err
	}
	return out, nil
}

// errNothing ends the writing of a file that would hold no letter.
var errNothing = errors.New("no letter can be drawn")

// RemoveRun deletes the files of a run from dir; files that are not there are no
// error.
func RemoveRun(dir *os.Root, run pipeline.Run) error {
	removed := false
	for _, ext := range []string{".json", ".csv", ".pdf", ".pdf" + agefile.Extension} {
		for _, tmp := range []string{"", ".tmp"} {
			switch err := dir.Remove(run.Name() + ext + tmp); {
			case err == nil:
				removed = true
			case !errors.Is(err, fs.ErrNotExist):
				return err
			}
		}
	}
	if !removed {
		return nil
	}
	return syncDir(dir)
}

// ReadManifest reads the manifest of a run back from dir.
func ReadManifest(dir *os.Root, run pipeline.Run) (*Manifest, error) {
	data, err := dir.ReadFile(run.Name() + ".json")
	if err != nil {
		return nil, err
	}
	return ParseManifest(bytes.NewReader(data))
}

// writeFile writes a file under a temporary name, brings it to the disk and gives
// it its name. It returns the SHA-256 of the content in hex.
func writeFile(dir *os.Root, name string, fill func(w io.Writer) error) (sum string, err error) {
	tmp := name + ".tmp"
	f, err := dir.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = dir.Remove(tmp)
		}
	}()
	h := sha256.New()
	b := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16)
	if err = fill(b); err != nil {
		return "", err
	}
	if err = b.Flush(); err != nil {
		return "", err
	}
	if err = f.Sync(); err != nil {
		return "", fmt.Errorf("sync %s: %w", name, err)
	}
	if err = f.Close(); err != nil {
		return "", err
	}
	if err = dir.Rename(tmp, name); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), syncDir(dir)
}

// syncDir makes new names durable.
func syncDir(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // nothing was written through it
	return d.Sync()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
