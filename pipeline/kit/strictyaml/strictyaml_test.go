package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// TestHostileDocumentsEndSoon: a document that would keep the parser busy for minutes,
// or overflow its stack, is refused at once.
func TestHostileDocumentsEndSoon(t *testing.T) {
	t.Parallel()
	const n = 250_000
	for name, unit := range map[string]string{
		"sequences": "[", "mappings": "{a: ", "mixed": "[{a: ", "dashes": "- ", "keys": "? ", "explicit": "? - ", "tags": "!a ", "anchors": "&a ",
		"tags after dashes": "- !a ", "lines": "[\n",
	} {
		began := time.Now()
		var v struct {
			A string `yaml:"a"`
		}
		err := strictyaml.Decode("hostile.yaml", []byte(strings.Repeat(unit, n/len(unit))), &v)
		if err == nil || !strings.Contains(err.Error(), "nested too deeply") || len(err.Error()) > 200 {
			t.Errorf("%s: %.200v", name, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// TestTextsMayHoldBrackets: what people write is no structure.
func TestTextsMayHoldBrackets(t *testing.T) {
	t.Parallel()
	var v struct {
		A string              `yaml:"a"`
		B []map[string][]int  `yaml:"b"`
		C map[string][]string `yaml:"c"`
	}
	text := "a: |\n" + strings.Repeat("  Attention ! [1] {{.Name}} - a :-( & !important ] } - - - ----\n", 400) + "b: [{x: [1, 2]}, {y: [3]}]\nc:\n  k: [a, b]\n"
	if err := strictyaml.Decode("a.yaml", []byte(text), &v); err != nil || len(v.B) != 2 || len(v.C["k"]) != 2 {
		t.Errorf("%v %+v", err, v.B)
	}
}

// TestBombsEndSoon: what grows when it is read, or is wide, is refused, and names its
// line. The first of these is a list of ten billion billion.
func TestBombsEndSoon(t *testing.T) {
	t.Parallel()
	var aliases, keys strings.Builder
	aliases.WriteString("a0: &a0 [1,1,1,1,1,1,1,1,1]\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&aliases, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	for i := 0; keys.Len() < 250_000; i++ {
		fmt.Fprintf(&keys, "  k%d: 1\n", i)
	}
	for name, c := range map[string]struct{ in, want string }{
		"aliases": {aliases.String() + "s: [*a19]\n", "line 1: anchors"},
		"merge":   {"a: b\nm:\n  <<: {a: b}\n", "line 3: anchors"},
		"alias":   {"a: *b\n", "line 1: anchors"},
		"keys":    {"m:\n" + keys.String(), "more than 40000 values"},
		"flow":    {"s: [" + strings.Repeat("1,", 120_000) + "1]\n", "more than 40000 values"},
		"lines":   {"s:\n" + strings.Repeat("- {}\n", 50_000), "more than 40000 values"},
	} {
		var v struct {
			A string         `yaml:"a"`
			M map[string]any `yaml:"m"`
			S []any          `yaml:"s"`
		}
		began := time.Now()
		err := strictyaml.Decode("hostile.yaml", []byte(c.in), &v)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 300 {
			t.Errorf("%s: %.300v", name, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// TestOtherFilesAreNotQuoted: a list of customers in place of a campaign.yaml is refused
// without a word of it; a fault in a document of ours shows its lines.
func TestOtherFilesAreNotQuoted(t *testing.T) {
	t.Parallel()
	var v struct {
		A string `yaml:"a"`
	}
	for _, list := range []string{
		"\ufeffcustomer_id;last_name;email\n1;Dubreuil;a@b.example\n", "customer_id,last_name\n1,\"Dubreuil\n2,x", "customer_id\tlast_name\n1\tDubreuil\n",
		"\"customer_id\";\"last_name\"\n1;Dubreuil\n", "{\"customer_id\": \"1\", \"last_name\": \"Dubreuil\"}\n{\"customer_id\": \"2\"}\n", "Dubreuil\n", "# list\n\n1;Dubreuil;http://x\n",
	} {
		err := strictyaml.Decode("campaign.yaml", []byte(list), &v)
		if err == nil || strings.Contains(err.Error(), "Dubreuil") || !strings.Contains(err.Error(), "is it the right file?") {
			t.Errorf("%q: %v", list, err)
		}
	}
	err := strictyaml.Decode("campaign.yaml", []byte("# ours\n---\n\"a\": x\nb: y\n"), &v)
	if err == nil || !strings.Contains(err.Error(), "b: y") {
		t.Errorf("without its line: %v", err)
	}
}
