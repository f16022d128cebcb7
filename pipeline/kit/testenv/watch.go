package testenv

import (
	"context"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Watch runs a script in every document before any of its own, and returns what the
// dialogs said that pages have opened since. Each is answered; that of a text which
// is not saved is not counted.
func (b *Browser) Watch(script string) (dialogs func() []string) {
	b.t.Helper()
	var mu sync.Mutex
	var said []string
	err := chromedp.Listen(b.ctx, func(ev any) {
		d, ok := ev.(*page.EventJavascriptDialogOpening)
		if !ok {
			return
		}
		if d.Type != page.DialogTypeBeforeunload {
			mu.Lock()
			said = append(said, d.Message)
			mu.Unlock()
		}
		go func() { // whoever listens must not ask
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	})
	if err != nil {
		b.t.Fatalf("listen: %v", err)
	}
	b.do("watch", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(said)
	}
}

// EvalTo evaluates what leads to another page, and waits for that.
func (b *Browser) EvalTo(expression string) {
	b.t.Helper()
	b.lead(expression, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool](expression+"; true")(ctx, t)
		return chromedp.Void{}, err
	})
}
