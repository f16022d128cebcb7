package markdown_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/kit/markdown"
)

// TestHeavyDocumentsEndSoon: a quarter of a megabyte of signs is refused, or read, in
// no time; goldmark alone takes up to two minutes for some of these.
func TestHeavyDocumentsEndSoon(t *testing.T) {
	t.Parallel()
	const size = 256 << 10
	for _, unit := range []string{
		"[", "![", "]", "> ", ">", "*", "_", "*a ", "**a ", "_a ", "a_", "[a](", "[a](b", "[](", "`", "- ", "1. ", "1) ", "- 1. > ", "-\n", "- a\n", "| ", "|a\n", "|-|\n", "a|b\n-|-\n",
		"\\", "<", "[[a]", "*a_ ", "# ", "=\n", "a\n-\n", ">\n> > ", "[a](<", "[a](\"", "[a] ", "[a][", "* * ", "a  \n", "a\n", "\n", "a\n\n", "> [", "\\[[", "a[\n\n",
	} {
		began := time.Now()
		_, err := markdown.New().Parse([]byte(strings.Repeat(unit, size/len(unit))))
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%q: %v, %v", unit, took, err)
		}
	}
}

// TestHeavySaysWhere: the finding names the line and what there is too much of.
func TestHeavySaysWhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		line int
		what string
	}{
		"brackets": {"a\n\n" + strings.Repeat("[", 3000), 3, "opening brackets ["},
		"emphasis": {"a\n" + strings.Repeat("*a ", 6000), 2, "marks * and _"},
		"quotes":   {"a\n\n\n" + strings.Repeat(">", 30) + " a", 4, "at the start of a line"},
		"no text":  {strings.Repeat(">", 30), 1, "at the start of a line"},
		"lists":    {"a\n" + strings.Repeat("- 1. ", 30) + "a", 2, "at the start of a line"},
		"lines":    {strings.Repeat("a\n", 11_000), 10_001, "lines"},
	} {
		_, err := markdown.New().Parse([]byte(c.in))
		heavy, ok := errors.AsType[*markdown.HeavyError](err)
		if !ok || heavy.Line != c.line || !strings.Contains(heavy.Error(), c.what) {
			t.Errorf("%s: %v %+v", name, err, heavy)
		}
	}
}

// TestOrdinaryIsNotHeavy: what letters hold is far from the limits, and what is
// escaped is text.
func TestOrdinaryIsNotHeavy(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"contracts": strings.Repeat("- **Internet**: title, *first name*, [help](https://a.example)\n", 1000),
		"escaped":   markdown.Escape(strings.Repeat("[*_>", 20_000)),
		"dividers":  "a\n\n" + strings.Repeat("- ", 100) + "\n\n" + strings.Repeat("*", 200) + "\n",
		"stars":     strings.Repeat("*", 4000),
	} {
		if err := markdown.Heavy([]byte(in)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
