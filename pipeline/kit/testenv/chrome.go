package testenv

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// axe is axe-core 4.14.1 by Deque Systems (MPL-2.0, axe/LICENSE), as released.
//
//go:embed axe/axe.min.js
var axe string

// shotsVar names the directory that keeps the pictures of pages.
const shotsVar = "ART34_TEST_SHOTS"

// pageTime bounds what one page takes to come, or to say something, on a machine
// that is busy with other tests: a test that fails for it hangs.
const pageTime = 3 * time.Minute

// Browser is a page in a real Chromium that reaches the loopback only. Pictures go
// to $ART34_TEST_SHOTS, else to a directory that ends with the test. Any fault of a
// step fails the test.
type Browser struct {
	t     testing.TB
	ctx   context.Context
	shots string
}

// Chrome starts a browser; a test without Chromium is skipped, or fails: see
// Missing. patience bounds everything that is done with it.
func Chrome(t testing.TB, patience time.Duration) *Browser {
	t.Helper()
	bin := Binary(t, "chromium")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(pageTime),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		t.Fatalf("chromium: %v", err)
	}
	ctx, end = context.WithTimeout(ctx, patience)
	t.Cleanup(end)
	b := &Browser{t, ctx, os.Getenv(shotsVar)}
	if b.shots == "" {
		b.shots = t.TempDir()
	}
	if err := os.MkdirAll(b.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.where())
	}
}

// where says which page is shown, for a test that fails.
func (b *Browser) where() string {
	ctx, end := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer end()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + "\n" + document.body.innerText.slice(0, 2000)`))
	if err != nil {
		return ""
	}
	return s
}

// Size sets the window, in CSS pixels, and "light" or "dark".
func (b *Browser) Size(width int, scheme string) {
	b.t.Helper()
	b.do("size", chromedp.EmulateViewport(int64(width), 900), func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return chromedp.Void{}, err
	})
}

// Script turns JavaScript on or off.
func (b *Browser) Script(on bool) {
	b.t.Helper()
	b.do("script", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return chromedp.Void{}, err
	})
}

// Open goes to a page. One that is left may have begun to load itself anew at that
// moment: what is called off then is its own load.
func (b *Browser) Open(url string) {
	b.t.Helper()
	for {
		err := chromedp.Do(b.ctx, chromedp.Navigate(url), chromedp.WaitReady("body"))
		if err == nil {
			return
		}
		if off, ok := errors.AsType[*chromedp.LoadError](err); !ok || off.ErrorText != "net::ERR_ABORTED" {
			b.t.Fatalf("open %s: %v\n%s", url, err, b.where())
		}
	}
}

// Type fills a field.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.do("type into "+selector, chromedp.SendKeys(selector, text))
}

// Fill replaces what a field holds.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.do("empty "+selector, chromedp.Clear(selector))
	b.Type(selector, text)
}

// Files chooses the files of a field.
func (b *Browser) Files(selector string, paths ...string) {
	b.t.Helper()
	b.do("choose files in "+selector, chromedp.SetUploadFiles(selector, paths))
}

// Press clicks something that leads to another page, and waits for that.
func (b *Browser) Press(selector string) {
	b.t.Helper()
	b.do("press "+selector, chromedp.ScrollIntoView(selector))
	b.lead("press "+selector, chromedp.Click(selector))
}

// Key presses keys on whatever has the focus: "\t" is Tab, "\r" Enter.
func (b *Browser) Key(keys string) {
	b.t.Helper()
	b.do("key", chromedp.KeyEvent(keys))
}

// KeyTo presses keys that lead to another page, and waits for that.
func (b *Browser) KeyTo(keys string) {
	b.t.Helper()
	b.lead("key "+keys, chromedp.KeyEvent(keys))
}

// AltTo presses Alt and a key that leads to another page, and waits for that.
func (b *Browser) AltTo(key string) {
	b.t.Helper()
	// The key of a page is found by the text that its key would type.
	text := func(p *input.DispatchKeyEventParams) { p.UnmodifiedText = key }
	b.lead("Alt+"+key, chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierAlt), text))
}

// lead takes a step to another page, and waits for that.
func (b *Browser) lead(what string, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, end := context.WithTimeout(b.ctx, pageTime)
	defer end()
	if _, err := chromedp.RunResponse(ctx, step); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.where())
	}
	b.do("wait", chromedp.WaitReady("body"))
}

// Click clicks something that stays on the page.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.do("click "+selector, chromedp.Click(selector))
}

// Eval is what an expression gives, as text. A page that waits for a job loads itself
// anew: if it does so in the middle, the new one is asked.
func (b *Browser) Eval(expression string) string {
	b.t.Helper()
	for {
		s, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`Promise.resolve(`+expression+`).then(String)`, chromedp.EvalAwaitPromise))
		if err == nil {
			return s
		}
		if !leftPage(err) {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
}

// leftPage reports whether an expression had no answer because its page was left.
func leftPage(err error) bool {
	e, ok := errors.AsType[*cdproto.Error](err)
	return ok && slices.ContainsFunc([]string{"context was destroyed", "navigated or closed", "Cannot find default execution context", "Promise was collected"},
		func(part string) bool { return strings.Contains(e.Message, part) })
}

// Text is what the page says.
func (b *Browser) Text() string {
	b.t.Helper()
	return b.Eval(`document.body ? document.body.innerText : ""`)
}

// Until looks until the page says something.
func (b *Browser) Until(text string) {
	b.t.Helper()
	for end := time.Now().Add(pageTime); !strings.Contains(b.Text(), text); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("the page does not say %q:\n%s", text, b.where())
		}
	}
}

// Shot keeps a picture of the whole page.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Fatalf("picture %s: %v", name, err)
	}
}

// Print writes the page as it is printed to a PDF, and returns where it lies.
func (b *Browser) Print(name string) string {
	b.t.Helper()
	path := filepath.Join(b.shots, name+".pdf")
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err == nil {
		err = os.WriteFile(path, pdf, 0o600)
	}
	if err != nil {
		b.t.Fatalf("print %s: %v", name, err)
	}
	return path
}

// Accessible lets axe-core look at the page by the rules of WCAG 2.2 A and AA, and
// fails the test for each that is broken; also if the page does not fit.
func (b *Browser) Accessible(name string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](axe+"; true")); err != nil {
		b.t.Fatalf("axe: %v", err)
	}
	found := b.Eval(`axe.run(document, {iframes: false, runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}})
		.then(r => JSON.stringify(r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => n.html + " :: " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatalf("axe: %v: %s", err, found)
	}
	for _, v := range violations {
		b.t.Errorf("%s: %s (%s)\n%s", name, v.Help, v.ID, strings.Join(v.Nodes, "\n"))
	}
	b.Fits(name)
}

// Fits fails the test if the page is wider than the window (WCAG 1.4.10).
func (b *Browser) Fits(name string) {
	b.t.Helper()
	if wide := b.Eval(`document.documentElement.scrollWidth <= document.documentElement.clientWidth ? "" :
		[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join("\n") || "something"`); wide != "" {
		b.t.Errorf("%s is wider than the window: %s", name, wide)
	}
}
