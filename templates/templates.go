// Package templates holds the starting letters and the catalogue of data kinds
// that a new campaign gets as plain files, the questions and answers of its cell, and
// the pages of the console. A campaign then uses its own files only.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed letters console qa
var files embed.FS

// Letters returns the starting letters: what `art34 new` copies to
// DIR/campaigns/NAME/letters/. Package letter documents the files.
func Letters() fs.FS { return sub("letters") }

// Console returns the pages of the console: html/, css/, static/, messages/, and
// example/campaign.yaml, which explains every key. Package
// console documents the files.
func Console() fs.FS { return sub("console") }

// QA returns the questions and answers that a new campaign may begin with, a file a
// kind of campaign and language: breach.fr.md. Package answer documents them.
func QA() fs.FS { return sub("qa") }

func sub(dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
