package testenv_test

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestScreenshotIsAsHighAsThePage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	html := `<!doctype html><body style="margin:0;background:#fff"><div style="height:900px;background:#036">x</div></body>`
	if err := os.WriteFile(page, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.png")
	testenv.Screenshot(t, page, 640, out)
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := png.DecodeConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	if c.Width != 640 || c.Height < 900 || c.Height > 902 {
		t.Errorf("the picture is %d × %d, want 640 × 901", c.Width, c.Height)
	}
}
