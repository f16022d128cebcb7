package postal

import "github.com/art34/art34/pipeline"

// Transcript is the letter as plain text without layout, for a transcriber into
// braille or a speaker: UTF-8, LF, one paragraph a line, tables as lists of
// "head: value".
func Transcript(l *pipeline.Letter, address []string) []byte { panic("postal: not built yet") }
