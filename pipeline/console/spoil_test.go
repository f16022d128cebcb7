package console_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	qa "github.com/art34/art34/pipeline/console/answer"
)

// spoiler puts markup of an attacker into every text that the parts of the house hand
// to the console, whatever would have kept it out before: a list, a mail server's
// answer, a colleague, a file.
type spoiler struct {
	whole bool // a mark instead of the text, not behind it

	mu    sync.Mutex
	marks []string // none: nothing is spoiled yet
	next  int
}

// begin spoils from now on.
func (s *spoiler) begin(marks []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = marks
}

// kept are texts by which the console finds its way: they are never shown without
// being looked up first, or have a form that the ledger or the desk checks.
func kept(field string) bool {
	switch field {
	case "Campaign.Name", "Campaign.Kind", "User.Login", "User.Locale", "User.Roles", "User.Source", "User.Password", "APIToken.Scopes",
		"QA.Locale", "Query.Locale", "NoticeLine.Locale", "Notice.Locale", "LetterOf.Locale", "File.Locale", "File.Locales", "Preview.Locales", "Entry.Locale",
		"Text.File", "Writing.File", "Call.Agent", "Call.Source", "Embargo.Members", "Proofs.Columns", "Match.Flags",
		"File.Flags", "Sample.Why", "Hand.Did", "WayBack.Code", "Call.Escalated", "Call.Outcome", "Call.Cause", "Call.Told", "Forgery.Way", "Forgery.Verdict":
		return true
	}
	return false
}

func (s *spoiler) text(t string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t == "" || len(s.marks) == 0 {
		return t
	}
	s.next++
	mark := s.marks[s.next%len(s.marks)]
	if s.whole {
		return mark
	}
	return t + mark
}

// of copies a value with every text in it spoiled. Named types are codes of the house.
func (s *spoiler) of(v reflect.Value, field string) reflect.Value {
	if kept(field) {
		return v
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			return reflect.ValueOf(s.text(v.String()))
		}
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				c.Field(i).Set(s.of(v.Field(i), v.Type().Name()+"."+f.Name))
			}
		}
		return c
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(s.of(v.Index(i), ""))
		}
		return c
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeMap(v.Type())
		for k, x := range v.Seq2() {
			switch k.String() {
			case "fr", "en", "email", "post", "relay", "orange": // by language, channel, and what a page is opened by
			default:
				k = s.of(k, "")
			}
			c.SetMapIndex(k, s.of(x, ""))
		}
		return c
	}
	return v
}

// spoil spoils what a part of the house answers, or what it says of a fault.
func spoil[T any](s *spoiler, v T, err error) (T, error) {
	if own, ok := errors.AsType[*pipeline.Error](err); ok {
		c := *own
		c.Sentence, c.Hint = s.text(c.Sentence), s.text(c.Hint)
		return v, &c
	}
	if err != nil {
		return v, err
	}
	return s.of(reflect.ValueOf(&v).Elem(), "").Interface().(T), nil
}

// all puts the spoiler between the console and everything behind it.
func (s *spoiler) all(c *console.Config) {
	c.Ledger = spoiledLedger{c.Ledger, s}
	c.Board = spoiledBoard{c.Board, s}
	c.Desk = spoiledDesk{c.Desk, s}
	c.Floor = spoiledFloor{c.Floor, s}
	cell := c.Cell.CellConfig
	cell.Calls, cell.Customers = spoiledCalls{cell.Calls, s}, spoiledCustomers{cell.Customers, s}
	c.Cell = console.NewCell(cell)
}

type spoiledLedger struct {
	console.Ledger
	s *spoiler
}

func (l spoiledLedger) Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error) {
	session, u, err := l.Ledger.Session(ctx, hash)
	u, err = spoil(l.s, u, err)
	return session, u, err
}

func (l spoiledLedger) User(ctx context.Context, login string) (pipeline.User, error) {
	v, err := l.Ledger.User(ctx, login)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) AllUsers(ctx context.Context) ([]pipeline.User, error) {
	v, err := l.Ledger.AllUsers(ctx)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) AllTokens(ctx context.Context) ([]pipeline.APIToken, error) {
	v, err := l.Ledger.AllTokens(ctx)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) Campaign(ctx context.Context, name string) (pipeline.Campaign, error) {
	v, err := l.Ledger.Campaign(ctx, name)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error) {
	v, err := l.Ledger.AllCampaigns(ctx)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error) {
	v, err := l.Ledger.LastAudits(ctx, campaign, limit)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error) {
	v, err := l.Ledger.ByHand(ctx, campaign)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) QAs(ctx context.Context, campaign int64) ([]pipeline.QA, error) {
	v, err := l.Ledger.QAs(ctx, campaign)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error) {
	v, steps, err := l.Ledger.QAHistory(ctx, campaign, id)
	v, err = spoil(l.s, v, err)
	if err == nil {
		steps, err = spoil(l.s, steps, nil)
	}
	return v, steps, err
}

func (l spoiledLedger) Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error) {
	v, err := l.Ledger.Queries(ctx, campaign, f, limit)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) Query(ctx context.Context, campaign, id int64) (pipeline.Query, error) {
	v, err := l.Ledger.Query(ctx, campaign, id)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error) {
	v, err := l.Ledger.Forgeries(ctx, campaign, limit)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error) {
	v, err := l.Ledger.CountCalls(ctx, campaign, since)
	return spoil(l.s, v, err)
}

func (l spoiledLedger) CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error) {
	v, err := l.Ledger.CountTold(ctx, campaign, since)
	return spoil(l.s, v, err)
}

type spoiledBoard struct {
	console.Board
	s *spoiler
}

func (b spoiledBoard) Figures(ctx context.Context, c pipeline.Campaign) (console.Figures, error) {
	v, err := b.Board.Figures(ctx, c)
	return spoil(b.s, v, err)
}

func (b spoiledBoard) Planned(ctx context.Context, c pipeline.Campaign) ([]pipeline.Planned, error) {
	v, err := b.Board.Planned(ctx, c)
	return spoil(b.s, v, err)
}

type spoiledFloor struct {
	console.Floor
	s *spoiler
}

func (f spoiledFloor) Spoken(ctx context.Context, actor string, r pipeline.Reference) (console.Spoken, error) {
	v, err := f.Floor.Spoken(ctx, actor, r)
	return spoil(f.s, v, err)
}

func (f spoiledFloor) Letters(ctx context.Context, actor string, r pipeline.Reference) (console.Letters, error) {
	v, err := f.Floor.Letters(ctx, actor, r)
	return spoil(f.s, v, err)
}

func (f spoiledFloor) Starters(ctx context.Context, c pipeline.Campaign) ([]qa.Entry, error) {
	v, err := f.Floor.Starters(ctx, c)
	return spoil(f.s, v, err)
}
