package email

// maxQuoted is the longest line of quoted-printable text, with the "=" of a soft
// line break (RFC 2045, section 6.7).
const maxQuoted = 76

// appendQuoted appends text in quoted-printable form (RFC 2045, section 6.7), with
// CRLF for every line break. The bytes are those of mime/quotedprintable, which
// takes three times as long: two bodies of a message are most of what building it
// costs.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789ABCDEF"
	col := 0 // of the line that is being written
	for i := 0; i < len(text); {
		c := text[i]
		if c == '\n' || c == '\r' {
			dst = append(quoteBlank(dst, col), '\r', '\n')
			col = 0
			if i++; c == '\r' && i < len(text) && text[i] == '\n' {
				i++
			}
			continue
		}
		if !plain(c) {
			if col > maxQuoted-1-3 {
				dst, col = append(dst, '=', '\r', '\n'), 0
			}
			dst = append(dst, '=', hex[c>>4], hex[c&15])
			col += 3
			i++
			continue
		}
		if col == maxQuoted-1 {
			dst, col = append(dst, '=', '\r', '\n'), 0
		}
		end := min(len(text), i+maxQuoted-1-col)
		start := i
		for i < end && plain(text[i]) {
			i++
		}
		dst = append(dst, text[start:i]...)
		col += i - start
	}
	return quoteBlank(dst, col)
}

// plain reports whether a byte stands for itself. A blank does not at the end of a
// line, see quoteBlank.
func plain(c byte) bool { return c >= ' ' && c <= '~' && c != '=' || c == '\t' }

// quoteBlank ends a line of so many bytes: relays take blanks at an end away.
func quoteBlank(dst []byte, col int) []byte {
	if col == 0 {
		return dst
	}
	last := dst[len(dst)-1]
	if last != ' ' && last != '\t' {
		return dst
	}
	dst = dst[:len(dst)-1]
	if col-1 > maxQuoted-1-3 {
		dst = append(dst, '=', '\r', '\n')
	}
	if last == ' ' {
		return append(dst, "=20"...)
	}
	return append(dst, "=09"...)
}
