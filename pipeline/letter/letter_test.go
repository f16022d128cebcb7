package letter_test

import (
	"github.com/art34/art34/pipeline/letter"
	"os"
	"testing"
)

func TestShow(t *testing.T) {
	set := load(t, sampleSpec())
	for _, loc := range []string{"fr", "en"} {
		l := render(t, set, sampleRequest(loc))
		t.Logf("\n%s", letter.Text(l))
		os.WriteFile("/tmp/art34/l."+loc+".html", letter.HTML(l), 0o644)
	}
}
