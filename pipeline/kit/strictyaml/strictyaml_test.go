package strictyaml_test

import (
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
		if took := time.Since(began); took > 5*time.Second {
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
