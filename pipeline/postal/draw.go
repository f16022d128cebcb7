package postal

import (
	"context"
	"fmt"
	"iter"

	"github.com/art34/art34/pipeline"
)

// drawing is the making of one print run.
type drawing struct {
	press  *Press
	run    pipeline.Run
	broken map[int]error // by position: letters that broke a document
}

// once draws all letters into one document. It returns nil without an error if a
// letter broke the document; that one is then in broken.
func (j *drawing) once(ctx context.Context, d *painter, items iter.Seq2[Item, error]) (*Drawn, error) {
	out := &Drawn{Fonts: j.press.fonts.hash}
	n := 0
	for it, err := range items {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n++
		if it.Seq == 0 {
			it.Seq = n
		}
		if err, bad := j.broken[n]; bad {
			out.Unfit = append(out.Unfit, Unfit{Seq: it.Seq, Notice: it.Notice, Attempt: it.Attempt, Err: err})
			continue
		}
		l, err := j.layout(&it)
		if err != nil {
			out.Unfit = append(out.Unfit, Unfit{Seq: it.Seq, Notice: it.Notice, Attempt: it.Attempt, Err: err})
			continue
		}
		if err := d.safely(l, fmt.Sprintf("%05d  %s", it.Seq, it.Letter.Reference)); err != nil {
			j.broken[n] = err
			return nil, nil
		}
		letter := j.press.drawn(&it, l, out.Pages+1)
		out.Letters = append(out.Letters, letter)
		out.Pages += letter.Pages
		out.Sheets += letter.Sheets
	}
	return out, nil
}

// layout lays a letter out as its run asks for.
func (j *drawing) layout(it *Item) (*laid, error) {
	l, err := j.press.layout(it)
	switch {
	case err != nil:
		return nil, err
	case j.run.Class != "" && l.class != j.run.Class,
		j.run.Profile != "" && l.profile.Name != j.run.Profile,
		j.run.Sheets != 0 && l.sheets != j.run.Sheets:
		return nil, failed("run-mismatch", "the letter is none of this run's class, envelope and number of sheets")
	}
	return l, nil
}

// safely draws a letter; what breaks is its error.
func (d *painter) safely(l *laid, bookmark string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = failed("draw-failed", "the letter cannot be drawn")
		}
	}()
	if err := d.letter(l, bookmark); err != nil {
		// gofpdf's errors may quote what was to be drawn.
		return failed("draw-failed", "the letter cannot be drawn")
	}
	return nil
}

// drawn is the entry of a letter in the file.
func (p *Press) drawn(it *Item, l *laid, first int) DrawnLetter {
	country := it.Country
	if country == "" {
		country = p.atlas.origin
	}
	return DrawnLetter{
		Seq: max(it.Seq, 1), Notice: it.Notice, Attempt: it.Attempt, Reference: it.Letter.Reference,
		FirstPage: first, Pages: l.side(p.simplex), Printed: len(l.pages), Sheets: l.sheets, Class: l.class,
		Country: country, Postcode: it.Postcode,
		Code: Code{Reference: it.Letter.Reference, Attempt: it.Attempt, Page: 1, Pages: len(l.pages)}.String(),
		Hash: sheetHash(l.profile.Name, l.class, l.pages),
	}
}
