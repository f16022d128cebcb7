// Package templates holds the starting letters and the catalogue of data kinds
// that a new campaign gets as plain files, and the pages of the console. A campaign
// then uses its own files only.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed letters console
var files embed.FS

// Letters returns the starting letters: what `art34 new` copies to
// DIR/campaigns/NAME/letters/. Package letter documents the files.
func Letters() fs.FS { return sub("letters") }

// Console returns the pages of the console: html/, css/, static/, messages/. Package
// console documents the files.
func Console() fs.FS { return sub("console") }

func sub(dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
