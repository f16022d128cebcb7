package testenv

import (
	"context"
	"image"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pageHeight is how much of a page is drawn before the empty end is cut off.
const pageHeight = 6000

// Screenshot draws a page with Chromium at a width in CSS pixels and writes it as
// PNG to out; the empty space below the page is cut off. page is a URL of the
// loopback, or the path of an HTML file. Nothing else can be reached: a page that
// loads something from the network is drawn without it.
func Screenshot(t testing.TB, page string, width int, out string) {
	t.Helper()
	browser := Binary(t, "chromium")
	if !strings.Contains(page, "://") {
		abs, err := filepath.Abs(page)
		if err != nil {
			t.Fatal(err)
		}
		page = (&url.URL{Scheme: "file", Path: abs}).String()
	}
	home := t.TempDir()
	shot := filepath.Join(home, "shot.png")
	ctx, cancel := context.WithTimeout(t.Context(), toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser,
		"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+filepath.Join(home, "profile"), "--force-device-scale-factor=1",
		"--window-size="+strconv.Itoa(width)+","+strconv.Itoa(pageHeight), "--screenshot="+shot, page)
	cmd.Env = append(os.Environ(), "HOME="+home, "TZ=UTC")
	cmd.WaitDelay = patience
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, tail(said))
	}
	if err := crop(shot, out); err != nil {
		t.Fatalf("chromium: %v\n%s", err, tail(said))
	}
}

// crop copies a picture without the rows at its end that look like the last one.
func crop(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	pic, err := png.Decode(in)
	if err != nil {
		return err
	}
	b := pic.Bounds()
	end := b.Max.Y
	for end > b.Min.Y+1 && sameRow(pic, end-2, b.Max.Y-1) {
		end--
	}
	b.Max.Y = end
	if s, ok := pic.(interface {
		SubImage(image.Rectangle) image.Image
	}); ok {
		pic = s.SubImage(b)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := png.Encode(f, pic); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func sameRow(p image.Image, y1, y2 int) bool {
	b := p.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		if p.At(x, y1) != p.At(x, y2) {
			return false
		}
	}
	return true
}
