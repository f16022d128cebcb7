package main

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/pipeline/postal"
)

// This file is where dispatch, which knows only interfaces, meets the letters,
// the relay and the press.

// Spec implements dispatch.Specs.
func (s *editions) Spec(ctx context.Context, c pipeline.Campaign) (*pipeline.Spec, error) {
	e, err := s.at(ctx, c, c.Version)
	if err != nil {
		return nil, err
	}
	return e.spec, nil
}

// Compose implements dispatch.Composer.
func (s *editions) Compose(ctx context.Context, j pipeline.Job, c pipeline.Campaign, at time.Time) (*pipeline.Message, error) {
	e, err := s.at(ctx, c, c.Version)
	if err != nil {
		return nil, err
	}
	p, err := e.render(ctx, j, at)
	if err != nil {
		return nil, err
	}
	return e.message(p, at)
}

// message builds the e-mail of a rendered letter.
func (e *edition) message(p paper, at time.Time) (*pipeline.Message, error) {
	b := bodies.Get().(*bodyParts)
	defer bodies.Put(b)
	b.text, b.html = letter.AppendText(b.text[:0], p.letter, email.AppendQuoted), letter.AppendHTML(b.html[:0], p.letter, email.AppendQuoted)
	m, err := e.composer.ComposeQuoted(p.letter, b.text, b.html, p.notice, p.person.Email, e.local(at))
	if err != nil {
		return nil, err
	}
	m.Told, m.Renderer = told(p.person), renderer
	return m, nil
}

// bodyParts are the two forms of a letter that an e-mail carries, and bodies the
// buffers for them.
type bodyParts struct{ text, html []byte }

var bodies = sync.Pool{New: func() any { return new(bodyParts) }}

// told is the newest import whose impacts a person's letter tells.
func told(p pipeline.Person) (newest int64) {
	for _, x := range p.Own {
		newest = max(newest, x.Import)
	}
	for _, c := range p.Contracts {
		for _, x := range c.Data {
			newest = max(newest, x.Import)
		}
	}
	return newest
}

// relayAt opens connections to a relay.
type relayAt struct{ relay *email.Relay }

// Dial implements dispatch.Relay.
func (r relayAt) Dial(ctx context.Context) (dispatch.Conn, error) {
	c, err := r.relay.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// relay is the configured relay, nil without one.
func (a *app) relay() (dispatch.Relay, error) {
	if a.Relay == "" {
		return nil, nil
	}
	address, err := email.ParseRelayURL(a.Relay)
	if err != nil {
		return nil, err
	}
	password, err := secret(a.RelayPasswordFile, "ART34_RELAY_PASSWORD")
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	r, err := email.NewRelay(email.RelayConfig{Address: address, Password: password, Hello: host})
	if err != nil {
		return nil, err
	}
	return relayAt{r}, nil
}

// pressRoom draws print runs into DIR/print-runs.
type pressRoom struct{ *editions }

// open opens the directory of the print runs, and makes it.
func (r pressRoom) open() (*os.Root, error) {
	path := r.h.printRuns()
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(path)
}

// Measure implements dispatch.Press.
func (r pressRoom) Measure(ctx context.Context, j pipeline.Job, c pipeline.Campaign, at time.Time) (dispatch.Sheet, error) {
	e, err := r.at(ctx, c, c.Version)
	if err != nil {
		return dispatch.Sheet{}, err
	}
	p, err := e.render(ctx, j, at)
	if err != nil {
		return dispatch.Sheet{}, err
	}
	item, err := e.item(p, 0)
	if err != nil {
		return dispatch.Sheet{}, err
	}
	size, err := e.press.Measure(item)
	if err != nil {
		return dispatch.Sheet{}, err
	}
	return dispatch.Sheet{
		Pages: size.Pages, Sheets: size.Sheets, Class: size.Class, Profile: size.Profile,
		Sort:   postal.SortKey("", p.person, item.Address),
		Letter: p.letter.Hash(), Told: told(p.person), Renderer: renderer,
	}, nil
}

// Draw implements dispatch.Press.
func (r pressRoom) Draw(ctx context.Context, run pipeline.Run, c pipeline.Campaign, letters []dispatch.RunLetter) (dispatch.Drawn, error) {
	e, err := r.at(ctx, c, run.Version)
	if err != nil {
		return dispatch.Drawn{}, err
	}
	dir, err := r.open()
	if err != nil {
		return dispatch.Drawn{}, err
	}
	defer dir.Close()
	var unfit []dispatch.Unfit
	written, err := e.press.WriteRun(ctx, dir, postal.RunJob{
		Run: run, EncryptTo: e.spec.Post.EncryptTo,
		Items: func(yield func(postal.Item, error) bool) {
			unfit = unfit[:0] // the press may ask for the letters again
			for _, l := range letters {
				if ctx.Err() != nil {
					yield(postal.Item{}, ctx.Err())
					return
				}
				runtime.Gosched() // the ledger's writer goes first, as between the letters that are measured
				item, err := e.runItem(ctx, l, run)
				if err != nil {
					unfit = append(unfit, dispatch.Unfit{Seq: l.Item.Seq, Code: unfitCode(err)})
					continue
				}
				if !yield(item, nil) {
					return
				}
			}
		},
	})
	if err != nil {
		return dispatch.Drawn{}, err
	}
	d := dispatch.Drawn{File: written.File, SHA256: written.SHA256, Pages: written.Drawn.Pages, Unfit: unfit}
	for _, l := range written.Drawn.Letters {
		d.Items = append(d.Items, dispatch.DrawnItem{Seq: l.Seq, FirstPage: l.FirstPage, Pages: l.Pages, Hash: l.Hash})
	}
	for _, u := range written.Drawn.Unfit {
		d.Unfit = append(d.Unfit, dispatch.Unfit{Seq: u.Seq, Code: unfitCode(u.Err)})
	}
	return d, nil
}

// runItem is one letter of a run, rendered again as it was measured: to the address
// of that moment, so that a file which is written again is the same.
func (e *edition) runItem(ctx context.Context, l dispatch.RunLetter, run pipeline.Run) (postal.Item, error) {
	person, err := e.open(l.Job)
	if err != nil {
		return postal.Item{}, err
	}
	p, err := e.renderPerson(ctx, l.Job.Notice, person.AsOf(run.CutAt), run.LetterDate)
	if err != nil {
		return postal.Item{}, err
	}
	return e.item(p, l.Item.Seq)
}

func unfitCode(err error) string {
	if code := pipeline.ErrorCode(err); code != "" {
		return code
	}
	return pipeline.ReasonUnfit
}

// Remove implements dispatch.Press.
func (r pressRoom) Remove(_ context.Context, run pipeline.Run) error {
	dir, err := r.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	return postal.RemoveRun(dir, run)
}

// operations is what a person at the command line may do.
func (h *house) operations() dispatch.Operations {
	return dispatch.Operations{
		Ledger: h.ledger, Specs: h.editions, Press: pressRoom{h.editions}, Clock: h.clock, Real: h.real, Actor: h.actor(),
	}
}
