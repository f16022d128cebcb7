package feedback

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern is a set of alternatives, matched against a text in lower case. Each
// alternative names literals one of which any match must hold: they are looked for
// first, which is a hundred times cheaper than the expressions and settles most.
type pattern []alternative

type alternative struct {
	literals []string       // none: the expression is always tried
	rx       *regexp.Regexp // nil: a literal is a match
}

// compile reads an expression in lower case whose top level is a list of
// alternatives.
func compile(src string) pattern {
	var p pattern
	for _, alt := range split(src) {
		re, err := syntax.Parse(alt, syntax.Perl)
		if err != nil {
			panic(err) // the rules are constants, and a test compiles them
		}
		if re.Op == syntax.OpLiteral {
			p = append(p, alternative{literals: []string{string(re.Rune)}})
			continue
		}
		p = append(p, alternative{literals: required(re), rx: regexp.MustCompile(alt)})
	}
	return p
}

// split cuts an expression at the bars of its top level. Line breaks and tabs
// around an alternative are layout.
func split(src string) (alts []string) {
	depth, from := 0, 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 {
				alts, from = append(alts, strings.Trim(src[from:i], "\n\t")), i+1
			}
		}
	}
	return append(alts, strings.Trim(src[from:], "\n\t"))
}

// maxLiterals is how many literals may stand for one alternative.
const maxLiterals = 40

// required returns literals one of which every match of re holds, nil where there
// are none worth looking for.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			of := required(sub)
			if of == nil {
				return nil
			}
			all = append(all, of...)
		}
		if len(all) <= maxLiterals {
			return all
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if of := required(sub); of != nil && shortest(of) > shortest(best) {
				best = of
			}
		}
		return best
	}
	return nil
}

func shortest(list []string) int {
	n := 0
	for i, s := range list {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// match reports whether a text in lower case holds one of the alternatives.
func (p pattern) match(low string) bool {
	for _, a := range p {
		if a.match(low) {
			return true
		}
	}
	return false
}

func (a alternative) match(low string) bool {
	found := len(a.literals) == 0
	for _, l := range a.literals {
		if strings.Contains(low, l) {
			found = true
			break
		}
	}
	return found && (a.rx == nil || a.rx.MatchString(low))
}
