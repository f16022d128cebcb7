package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// PullLetter takes one letter out of a print run that nobody has handed over yet, and
// holds it for a reason. The run is drawn again without it, and not released before.
// The position stays empty: the others keep theirs. False: the run was handed over,
// and only hands can pull the letter; or it is not in it any more.
func (o Operations) PullLetter(ctx context.Context, run, notice int64, code, reason string) (pipeline.Run, bool, error) {
	pulled := false
	r, err := o.run(ctx, run, func(r *pipeline.Run, letters []RunLetter, _ time.Time) (*runChange, error) {
		pulled = false
		i := slices.IndexFunc(letters, func(l RunLetter) bool { return l.Item.Notice == notice && l.Item.State == pipeline.ItemIn })
		if i < 0 || r.State != pipeline.RunCut && r.State != pipeline.RunAssembled {
			return nil, nil
		}
		pulled = true
		if r.State == pipeline.RunAssembled {
			r.State, r.File, r.SHA256, r.Pages, r.AssembledAt = pipeline.RunCut, "", "", 0, time.Time{}
		}
		r.Letters = len(stillIn(letters)) - 1
		if r.Letters == 0 {
			r.State, r.ClosedAt = pipeline.RunVoided, o.Clock.Now()
		}
		return &runChange{action: "run-pull", reason: reason, letters: letters[i : i+1], item: pipeline.ItemOut, event: pipeline.Event{Kind: pipeline.EvRecalled, Code: code}}, nil
	})
	if err == nil && pulled && r.State == pipeline.RunVoided && o.Press != nil {
		// One that is drawn again is written over; to remove it here could take the new one.
		if err := o.Press.Remove(ctx, r); err != nil {
			return r, true, &pipeline.Error{Code: "run-files", Sentence: "the files of " + r.Name() + " could not be destroyed", Hint: "remove them by hand: they hold a name and an address", Cause: err}
		}
	}
	return r, pulled, err
}
