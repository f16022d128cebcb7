package dsn

import "strings"

// About returns what the text for people says about each recipient. One alone has
// the whole text. Among several each has the lines that name it and, where such a
// line begins with its address, those that follow it in the paragraph: what is said
// of one must not colour another. "" where nothing is said.
func (r *Report) About() []string {
	said := make([]string, len(r.Recipients))
	if len(said) == 1 {
		said[0] = r.Text
	}
	if len(said) < 2 {
		return said
	}
	parts := make([]strings.Builder, len(said))
	owners, current := r.owners(), nobody // whose paragraph it is
	for line := range strings.Lines(r.Text) {
		low := strings.ToLower(line)
		found, one := mentions(low, owners)
		bare := strings.TrimLeft(low, " \t<>*\"'")
		switch {
		case len(found) > 0 && one: // a line about one recipient
			switch owner := found[0].owner; {
			case owner == nobody:
				current = nobody
			case len(low)-len(bare) == found[0].from:
				current = owner
				parts[owner].WriteString(line)
			default:
				if current != owner {
					current = nobody
				}
				parts[owner].WriteString(line)
			}
		case len(found) > 0: // about several: what stands behind each
			for i, m := range found {
				end := len(low)
				if i+1 < len(found) {
					end = found[i+1].from
				}
				if m.owner != nobody {
					parts[m.owner].WriteString(low[m.to:end] + "\n")
				}
			}
			current = nobody
		case strings.TrimSpace(line) == "", headed(bare):
			current = nobody
		case strings.HasPrefix(bare, "--"), strings.HasPrefix(bare, "..."), strings.HasPrefix(low, "<<<"), strings.HasPrefix(low, ">>>"):
			current = nobody // the parts of Sendmail's transcript
		case current != nobody:
			parts[current].WriteString(line)
		}
	}
	for i := range said {
		said[i] = parts[i].String()
	}
	return said
}

// nobody is the owner of an address that stands for several recipients.
const nobody = -1

// owners says for which recipient each address stands.
func (r *Report) owners() map[string]int {
	m := make(map[string]int, 2*len(r.Recipients))
	for i, rec := range r.Recipients {
		for _, name := range []string{rec.Address, rec.Original} {
			if name = strings.ToLower(name); strings.Contains(name, "@") {
				if j, ok := m[name]; ok && j != i {
					m[name] = nobody
				} else {
					m[name] = i
				}
			}
		}
	}
	return m
}

// mention is an address of a recipient in a line.
type mention struct{ from, to, owner int }

// mentions finds the recipients that a line in lower case names; one says that they
// are all the same.
func mentions(low string, owners map[string]int) (found []mention, one bool) {
	one = true
	for from := 0; ; {
		at := strings.IndexByte(low[from:], '@')
		if at < 0 {
			return found, one
		}
		at += from
		begin, end := at, at+1
		for begin > from && addressByte(low[begin-1]) {
			begin--
		}
		for end < len(low) && addressByte(low[end]) {
			end++
		}
		for end > at+1 && strings.IndexByte(".-!?*'", low[end-1]) >= 0 {
			end--
		}
		if owner, ok := owners[low[begin:end]]; ok {
			found = append(found, mention{begin, end, owner})
			one = one && owner == found[0].owner
		}
		from = end
	}
}

// headed reports whether a line begins with an address.
func headed(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return strings.Contains(word, "@")
}

// addressByte reports whether c may be part of an address.
func addressByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 || strings.IndexByte(".-_+=!#$%&*/?^`{|}~'", c) >= 0
}
