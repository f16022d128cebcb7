package email

import "encoding/binary"

// maxQuoted is the longest line of quoted-printable text, with the "=" of a soft
// line break (RFC 2045, section 6.7).
const maxQuoted = 76

// AppendQuoted appends text in quoted-printable form (RFC 2045, section 6.7), with
// CRLF for every line break. The bytes are those of mime/quotedprintable, which
// takes three times as long: two bodies of a message are most of what building it
// costs. A text that ends in a line break is encoded like a part of a longer one.
func AppendQuoted(dst, text []byte) []byte {
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
		for i+8 <= end && plain8(binary.LittleEndian.Uint64(text[i:])) {
			i += 8
		}
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

// plain8 reports whether eight bytes are printable ASCII without "=". It looks at
// all of them at once: the highest bit of each byte is set where one is not.
func plain8(x uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	equal := x ^ ones*'='
	return (x|(x-ones*' ')|(x+ones)|(equal-ones)&^equal)&high == 0
}

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
