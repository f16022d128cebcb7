package markdown

import (
	"bytes"
	"fmt"
)

// What a document may hold. goldmark takes time with the square of each: 60,000
// brackets kept it busy for six seconds, and these together keep it under half a
// second. A letter with a thousand contracts has two thousand marks of emphasis.
const (
	maxBrackets = 2_000  // [ that are not escaped
	maxMarks    = 5_000  // runs of * and _ that are not escaped
	maxLines    = 10_000 // of the document
	maxLeading  = 20     // marks of lists and quotes at the start of a line
)

// HeavyError says that a document has more of something than any letter needs, and
// would keep the program busy. Parse refuses it before it reads it.
type HeavyError struct {
	Line int    // from 1: the first beyond the limit
	What string // there is too much of
	Most int
}

// Error says what there is too much of.
func (e *HeavyError) Error() string { return fmt.Sprintf("more than %d %s", e.Most, e.What) }

// Is says that marks of quotes and lists without end are a depth, too.
func (e *HeavyError) Is(target error) bool { return target == ErrDepth && e.Most == maxLeading }

// Heavy reports whether a document is more than Parse takes, as a *HeavyError.
func Heavy(src []byte) error {
	brackets, marks, n := 0, 0, 0
	for line := range bytes.Lines(src) {
		n++
		b, m := inline(line)
		brackets, marks = brackets+b, marks+m
		switch {
		case leading(line) > maxLeading:
			return &HeavyError{n, "marks of lists and quotes at the start of a line", maxLeading}
		case brackets > maxBrackets:
			return &HeavyError{n, "opening brackets [", maxBrackets}
		case marks > maxMarks:
			return &HeavyError{n, "marks * and _", maxMarks}
		case n > maxLines:
			return &HeavyError{n, "lines", maxLines}
		}
	}
	return nil
}

// inline counts what may begin a link, and what may begin or end emphasis.
func inline(line []byte) (brackets, marks int) {
	var before byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\':
			i, c = i+1, 0
		case c == '[':
			brackets++
		case (c == '*' || c == '_') && c != before:
			marks++
		}
		before = c
	}
	return brackets, marks
}

// leading counts what may begin a quote or an item before the text of a line begins. A
// line of one sign and blanks alone is a divider.
func leading(line []byte) (marks int) {
	line = bytes.TrimRight(line, " \t\r\n")
	if len(line) > 0 && line[0] != '>' && len(bytes.Trim(line, string(line[0])+" \t")) == 0 {
		return 0
	}
	for i, c := range line {
		ends := i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'
		switch {
		case c == '>', (c == '-' || c == '*' || c == '+' || c == '.' || c == ')') && ends:
			marks++
		case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		default:
			return marks
		}
	}
	return marks
}
