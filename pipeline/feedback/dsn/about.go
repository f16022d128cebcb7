package dsn

import "strings"

// About returns what the text for people says about recipient i of the report.
// Alone it has the whole text. Among several each has the lines that name it and,
// where such a line begins with its address, those that follow it in the
// paragraph: what is said of one must not colour another. "" where nothing is.
func (r *Report) About(i int) string {
	if len(r.Recipients) < 2 {
		return r.Text
	}
	return r.lines(r.names(i), r.others(i))
}

// names are the addresses that stand for recipient i and for no other.
func (r *Report) names(i int) (list []string) {
	for _, name := range []string{r.Recipients[i].Address, r.Recipients[i].Original} {
		if name = strings.ToLower(name); strings.Contains(name, "@") && !r.shared(name, i) {
			list = append(list, name)
		}
	}
	return list
}

func (r *Report) shared(name string, i int) bool {
	for j, other := range r.Recipients {
		if j != i && (strings.EqualFold(other.Address, name) || strings.EqualFold(other.Original, name)) {
			return true
		}
	}
	return false
}

// others are the addresses of all recipients but i.
func (r *Report) others(i int) (list []string) {
	for j, rec := range r.Recipients {
		for _, name := range []string{rec.Address, rec.Original} {
			if name = strings.ToLower(name); j != i && strings.Contains(name, "@") {
				list = append(list, name)
			}
		}
	}
	return list
}

// lines collects what the text says behind any of the names.
func (r *Report) lines(names, others []string) string {
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	mine := false // the paragraph began with one of the names
	for line := range strings.Lines(r.Text) {
		low := strings.ToLower(line)
		bare := strings.TrimLeft(low, " \t<>*\"'")
		at, name := firstOf(low, names)
		otherAt, _ := firstOf(low, others)
		switch {
		case at >= 0 && otherAt < 0:
			mine = mine || strings.HasPrefix(bare, name)
			b.WriteString(line)
		case at >= 0: // a line that names several: what stands behind each
			for at >= 0 {
				rest := low[at+len(name):]
				end, _ := firstOf(rest, others)
				if end < 0 {
					end = len(rest)
				}
				b.WriteString(rest[:end] + "\n")
				low = rest[end:]
				at, name = firstOf(low, names)
			}
			mine = false
		case otherAt >= 0, strings.TrimSpace(line) == "", inText.MatchString(line) && headed(bare):
			mine = false
		case transcriptLine(bare), strings.HasPrefix(low, "<<<"), strings.HasPrefix(low, ">>>"):
			mine = false
		case mine:
			b.WriteString(line)
		}
	}
	return b.String()
}

// headed reports whether a line begins with an address.
func headed(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return strings.Contains(word, "@")
}

// transcriptLine is a line of Sendmail between its sections.
func transcriptLine(line string) bool {
	return strings.HasPrefix(line, "--") || strings.HasPrefix(line, "...")
}

// firstOf finds the first of the names that stands alone in a text in lower case,
// not within a longer address; -1 without one.
func firstOf(low string, names []string) (at int, name string) {
	at = -1
	for _, n := range names {
		for from := 0; ; {
			i := strings.Index(low[from:], n)
			if i < 0 {
				break
			}
			i += from
			end := i + len(n)
			if (i == 0 || !addressByte(low[i-1])) && (end == len(low) || !addressByte(low[end]) || low[end] == '.' && (end+1 == len(low) || !addressByte(low[end+1]) || low[end+1] == '.')) {
				if at < 0 || i < at || i == at && len(n) > len(name) {
					at, name = i, n
				}
				break
			}
			from = i + 1
		}
	}
	return at, name
}

// addressByte reports whether c may be part of an address.
func addressByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte(".-_+=!#$%&*/?^`{|}~@", c) >= 0
}
