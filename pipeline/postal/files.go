package postal

import (
	"context"
	"iter"
	"os"

	"github.com/art34/art34/pipeline"
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
	File     string // "R000042.pdf", or "R000042.pdf.age"
	SHA256   string // hex, of that file as it is handed over
	Manifest *Manifest
}

// WriteRun draws a print run into dir: the PDF (encrypted, if asked for), and the
// manifest beside it as R000042.csv and R000042.json. Each file appears under
// its name only when it is whole and on the disk; the manifest comes last. What a
// crash left of the same run is overwritten.
func (p *Press) WriteRun(ctx context.Context, dir *os.Root, job RunJob) (*Written, error) {
	panic("postal: not built yet")
}

// RemoveRun deletes the files of a run from dir; files that are not there are no
// error.
func RemoveRun(dir *os.Root, run pipeline.Run) error { panic("postal: not built yet") }
