package dispatch

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// bench is where the print room sorts the due letters of one campaign into piles:
// a run holds letters of one class, envelope and number of sheets.
type bench struct {
	r       *printRoom
	k       *campaign
	now     time.Time
	date    time.Time // of the letters
	size    int       // of a full run
	piles   map[pile][]sheetOf
	blocked map[string]int64
	oldest  time.Time
	whole   bool // everything that is due was looked at
}

type pile struct {
	class, profile string
	sheets         int
}

// sheetOf is a measured letter. Only the notice is kept: the sealed person is
// loaded again for the drawing.
type sheetOf struct {
	n     pipeline.Notice
	sheet Sheet
}

// measured is a letter's sheet, as long as the letter is the same.
type measured struct {
	gen     int64
	version int
	date    time.Time
	sheet   Sheet
}

func newBench(r *printRoom, k *campaign, now time.Time) *bench {
	b := &bench{r: r, k: k, now: now, date: now.Truncate(time.Second), size: k.spec.Post.RunSize, piles: map[pile][]sheetOf{}, blocked: map[string]int64{}, whole: true}
	if b.size <= 0 {
		b.size = defaultRunSize
	}
	if on := k.spec.Schedule.DepositOn; !on.IsZero() {
		b.date = on.Time
	}
	return b
}

// formats lists every format there is: one that no press knows is held by Measure,
// and nobody is forgotten.
func formats() []string {
	return []string{pipeline.FormatStandard, pipeline.FormatLargePrint, pipeline.FormatBraille, pipeline.FormatAudio}
}

// fill measures what is due and cuts every pile that fills a run. The order of
// PeekDue, country and area, keeps runs to few sorting centres.
func (b *bench) fill(ctx context.Context) error {
	for _, format := range formats() {
		var after pipeline.PeekPosition
		for {
			jobs, err := b.r.s.Ledger.PeekDue(ctx, b.k.ID, pipeline.Post, format, b.now, after, peekLetters)
			if err != nil {
				return err
			}
			if len(jobs) == 0 {
				break
			}
			last := jobs[len(jobs)-1]
			after = pipeline.PeekPosition{Country: last.Country, Area: last.Area, ID: last.ID}
			if err := b.measure(ctx, b.admit(jobs)); err != nil {
				return err
			}
			if !b.goesOn() {
				b.whole = false
				return nil
			}
			if err := b.cutFull(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// goesOn reports whether the campaign may still be cut, and under the same
// letters.
func (b *bench) goesOn() bool {
	k := b.r.s.control.campaign(b.k.ID)
	return b.r.lead.held() && b.r.mayCut(k) && k.Version == b.k.Version
}

// admit leaves out what is kept back: where too many addresses of a provider are
// called dead, their letters wait until a person has looked.
func (b *bench) admit(jobs []pipeline.Job) []pipeline.Job {
	return slices.DeleteFunc(jobs, func(j pipeline.Job) bool {
		code := b.k.keptBack(j.Notice)
		if code != "" {
			b.blocked[code]++
		}
		return code != ""
	})
}

// keptBack returns the code of what keeps a due letter back, "" for nothing.
func (k *campaign) keptBack(n pipeline.Notice) string {
	if b := k.cohort(n); b != nil {
		return blockCode(*b)
	}
	br := k.breaker(scopeProvider + n.Provider)
	if n.Provider != "" && n.Kind == pipeline.Fallback && n.Reason == pipeline.ReasonAddressDead && br != nil && br.Reason == BlockDeadShare {
		return blockCode(*br)
	}
	return ""
}

// measure lays letters out, on all processors but one, and puts them on their piles. A
// letter that is unfit is held and spoils nothing. Between two letters whatever else
// is ready gets its turn: the ledger's writer would wait for 10 ms, with the lock of
// the file in its hand, and everybody for the writer.
func (b *bench) measure(ctx context.Context, jobs []pipeline.Job) error {
	sheets, fails := make([]Sheet, len(jobs)), make([]error, len(jobs))
	var wg sync.WaitGroup
	var next int
	var mu sync.Mutex
	for range min(max(1, runtime.GOMAXPROCS(0)-1), len(jobs)) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(jobs) {
					return
				}
				sheets[i], fails[i] = b.sheet(ctx, jobs[i])
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	var unfit []pipeline.Notice
	codes := map[int64]string{}
	for i, j := range jobs {
		err := fails[i]
		switch {
		case err == nil:
			b.put(j.Notice, sheets[i])
		case ctx.Err() != nil || away(err):
			return err
		default:
			unfit = append(unfit, j.Notice)
			if codes[j.ID] = pipeline.ErrorCode(err); codes[j.ID] == "" {
				codes[j.ID] = pipeline.ReasonUnfit
			}
			b.r.s.Log.Warn("the letter cannot be printed", "notice", j.ID, "code", codes[j.ID])
		}
	}
	_, err := b.r.s.hand().move(ctx, unfit, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		return b.k.policy, pipeline.Event{Attempt: n.Attempt, Kind: pipeline.EvUnfit, Actor: actorPrint, Code: codes[n.ID]}
	})
	return err
}

// sheet measures one letter, or remembers it from the last look.
func (b *bench) sheet(ctx context.Context, j pipeline.Job) (s Sheet, err error) {
	r := b.r
	day := b.date.Truncate(24 * time.Hour)
	r.mu.Lock()
	m, ok := r.sheets[j.ID]
	r.mu.Unlock()
	if ok && m.gen == j.Gen && m.version == b.k.Version && m.date.Equal(day) {
		return m.sheet, nil
	}
	defer func() {
		if recover() != nil {
			err = &pipeline.Error{Code: "render-panic", Sentence: "the letter cannot be laid out", Permanent: true}
		}
	}()
	if s, err = r.s.Press.Measure(ctx, j, b.k.Campaign, b.date); err != nil {
		return Sheet{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sheets) >= sheetsMost {
		clear(r.sheets)
	}
	r.sheets[j.ID] = measured{j.Gen, b.k.Version, day, s}
	return s, nil
}

func (b *bench) put(n pipeline.Notice, s Sheet) {
	p := pile{s.Class, s.Profile, s.Sheets}
	b.piles[p] = append(b.piles[p], sheetOf{n, s})
	if b.oldest.IsZero() || n.DueAt.Before(b.oldest) {
		b.oldest = n.DueAt
	}
}

func (b *bench) count() (n int) {
	for _, p := range b.piles {
		n += len(p)
	}
	return n
}

// full is how many letters of a pile fill a run. A sheet has two pages.
func (b *bench) full(p pile) int {
	return max(1, min(b.size, pipeline.MostRunLetters, pipeline.MostRunPages/(2*max(1, p.sheets))))
}

// cutFull cuts the piles that fill a run.
func (b *bench) cutFull(ctx context.Context) error {
	for p, letters := range b.piles {
		for size := b.full(p); len(letters) >= size; {
			if err := b.cut(ctx, p, letters[:size]); err != nil {
				return err
			}
			letters = slices.Clone(letters[size:])
			b.piles[p] = letters
		}
	}
	b.age()
	return nil
}

// age finds the oldest of the letters that are left.
func (b *bench) age() {
	b.oldest = time.Time{}
	for _, letters := range b.piles {
		for _, l := range letters {
			if b.oldest.IsZero() || l.n.DueAt.Before(b.oldest) {
				b.oldest = l.n.DueAt
			}
		}
	}
}

// cutAll cuts what is left, in a fixed order.
func (b *bench) cutAll(ctx context.Context) error {
	var all []pile
	for p, letters := range b.piles {
		if len(letters) > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, z pile) int {
		return cmp.Or(cmp.Compare(a.class, z.class), cmp.Compare(a.profile, z.profile), cmp.Compare(a.sheets, z.sheets))
	})
	for _, p := range all {
		if !b.goesOn() {
			b.whole = false
			return nil
		}
		if err := b.cut(ctx, p, b.piles[p]); err != nil {
			return err
		}
		delete(b.piles, p)
	}
	return nil
}

// cut commits a run with its members, some at a time, and asks for its drawing.
// Letters that have moved on meanwhile spoil the slice that they are in: it is not
// written, and the rest of it is looked at again. A run that is left half full, by a
// crash or because somebody said stop, is closed by the next look.
func (b *bench) cut(ctx context.Context, p pile, letters []sheetOf) error {
	slices.SortFunc(letters, func(a, z sheetOf) int {
		return cmp.Or(cmp.Compare(a.sheet.Sort, z.sheet.Sort), cmp.Compare(a.n.ID, z.n.ID))
	})
	s := b.r.s
	run := pipeline.Run{
		Campaign: b.k.ID, State: pipeline.RunFilling, Profile: p.profile, Class: p.class, Sheets: p.sheets, Letters: len(letters),
		Version: b.k.Version, CutAt: s.Clock.Now(), LetterDate: b.date,
	}
	if len(letters) <= pipeline.RunSlice {
		run.State = pipeline.RunCut
	}
	in := 0
	for slice := range slices.Chunk(letters, pipeline.RunSlice) {
		items, members, err := b.members(run, slice, in)
		if err != nil {
			return err
		}
		if run.ID == 0 {
			run, err = s.Ledger.CutRun(ctx, run, items, members)
		} else {
			err = s.Ledger.AddToRun(ctx, run.ID, items, members)
		}
		switch {
		case errors.Is(err, pipeline.ErrStale):
			b.whole = false
			continue
		case errors.Is(err, pipeline.ErrConflict): // somebody else leads, and has closed it
			b.whole = false
		case err != nil:
			return err
		default:
			in += len(slice)
			b.forget(slice)
		}
		if err != nil || !b.goesOn() {
			b.whole = false
			break
		}
	}
	if in == 0 {
		return nil
	}
	if run.State == pipeline.RunFilling {
		if err := s.Ledger.CloseRun(ctx, run.ID); err != nil {
			return err
		}
	}
	s.Log.Info("print run cut", "run", run.Name(), "campaign", run.Campaign, "letters", in)
	b.r.ask(ctx, run.ID)
	return nil
}

// members are the letters of a run that come after those that are in it.
func (b *bench) members(run pipeline.Run, letters []sheetOf, in int) ([]pipeline.RunItem, []pipeline.Change, error) {
	items := make([]pipeline.RunItem, len(letters))
	members := make([]pipeline.Change, len(letters))
	for i, l := range letters {
		e := pipeline.Event{Notice: l.n.ID, Attempt: l.n.Attempt, Kind: pipeline.EvCut, At: run.CutAt, Actor: actorPrint}
		next, _, err := b.k.policy.Apply(l.n, e)
		if err != nil {
			return nil, nil, err
		}
		next.MovedAt = b.r.s.Real.Now()
		seq := in + i + 1
		members[i] = pipeline.Move(l.n, next, e)
		members[i].Attempt = &pipeline.Attempt{
			Notice: l.n.ID, N: l.n.Attempt, Kind: l.n.Kind, Channel: pipeline.Post, Version: run.Version, Told: l.sheet.Told,
			At: run.LetterDate, Letter: l.sheet.Letter[:], Renderer: l.sheet.Renderer, Seq: seq,
		}
		items[i] = pipeline.RunItem{Seq: seq, Notice: l.n.ID, Attempt: l.n.Attempt, State: pipeline.ItemIn}
	}
	return items, members, nil
}

// forget drops the sheets of letters that are in a run.
func (b *bench) forget(letters []sheetOf) {
	b.r.mu.Lock()
	defer b.r.mu.Unlock()
	for _, l := range letters {
		delete(b.r.sheets, l.n.ID)
	}
}
