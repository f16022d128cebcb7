// Package postal prints letters: it turns pipeline.Letter values into the PDF of
// a print run that a print shop accepts, and into the manifest that goes with it.
// It is the only home of gofpdf.
//
// The way of a letter:
//
//	Press.Address   person → lines of the envelope (NF Z10-011 in France, UPU abroad)
//	Press.Measure   letter → pages, sheets, class, envelope profile; nothing is drawn
//	Press.Draw      many letters, sorted → one PDF, one entry a letter
//	Press.WriteRun  the same into files, with the manifest, whole or not at all
//	ParseAck        what the print shop answers
//
// Three promises hold the package together. Nothing is cut: a line, a word or a
// letter that does not fit is an error with a code. Nothing is missing: a
// character that no font has is an error before a page is drawn. And nothing
// but the address can be seen through the window of the envelope: the geometry is
// data (Profile), and Profile.Validate proves it for every position that the
// sheet can slide to.
//
// The same letters give the same bytes. What is drawn is grey, opaque, with
// embedded fonts, in PDF 1.3.
package postal

// Renderer is the version of everything in this package that can be seen on
// paper. It is recorded with every attempt; raise it when a page changes.
const Renderer = "postal/1"
