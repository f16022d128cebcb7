// Package templates holds the starting letters and the catalogue of data kinds
// that a new campaign gets as plain files. A campaign then uses its own files only.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed letters
var files embed.FS

// Letters returns the starting letters: what `art34 new` copies to
// DIR/campaigns/NAME/letters/. Package letter documents the files.
func Letters() fs.FS {
	sub, err := fs.Sub(files, "letters")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
