package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/inert"
	"github.com/art34/art34/pipeline/letter"
)

// checklist is what check.csv lists: everything about single notices that check
// counts, and every notice that waits for a person or reaches nobody. It holds no
// person and no value. What is said is kept once, however many notices it is said
// of.
type checklist struct {
	rows  []checkRow
	said  []saidRow
	place map[saidRow]uint32
}

type checkRow struct {
	notice    int64
	reference pipeline.Reference
	said      uint32
}

type saidRow struct {
	state                pipeline.State
	channel              pipeline.Channel
	code, sentence, hint string
}

func (l *checklist) add(notice int64, r pipeline.Reference, s saidRow) {
	i, ok := l.place[s]
	if !ok {
		if l.place == nil {
			l.place = map[saidRow]uint32{}
		}
		i = uint32(len(l.said))
		l.place[s] = i
		l.said = append(l.said, s)
	}
	l.rows = append(l.rows, checkRow{notice, r, i})
}

// codeUnprintable is intake's code of an address that the envelope profile refuses.
const codeUnprintable = "address-unprintable"

// remember lists a notice as it will stand: its defects, what the import found
// wrong with its record, and why it is held or reaches nobody.
func (k *checker) remember(n pipeline.Notice, p pipeline.Person, defects []letter.Finding) {
	unprintable := ""
	if slices.Contains(n.Defects, codeUnprintable) {
		if own, ok := errors.AsType[*pipeline.Error](k.e.press.Printable(p)); ok {
			unprintable = own.Sentence
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	say := func(code, sentence, hint string) {
		k.list.add(n.ID, p.Reference, saidRow{n.State, n.Channel, code, sentence, hint})
	}
	for _, f := range defects {
		say(f.Code, f.Sentence, f.Hint)
	}
	for _, code := range n.Defects {
		hint := ""
		if n.State == pipeline.Held {
			hint = "correct the list, or art34 release after a look"
		}
		if code == codeUnprintable && unprintable != "" {
			say(code, unprintable, hint)
			continue
		}
		say(code, reasonWords(code), hint)
	}
	switch waits := n.State == pipeline.Held || n.State == pipeline.Unreachable; {
	case !waits, strings.HasPrefix(n.Reason, checkPrefix) && len(defects) > 0, slices.Contains(n.Defects, n.Reason):
	case n.State == pipeline.Unreachable:
		say(n.Reason, reasonWords(n.Reason), "deliver an address with a later import, or tell them when they call")
	case n.Reason == reasonApproval:
		say(n.Reason, reasonWords(n.Reason), "art34 approve "+k.c.Name)
	default:
		say(n.Reason, reasonWords(n.Reason), "art34 release or art34 exclude")
	}
}

// write writes the list to a file and returns its path, "" if there is nothing to
// list.
func (l *checklist) write(path string) (string, error) {
	if len(l.rows) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return "", nil
	}
	slices.SortStableFunc(l.rows, func(a, b checkRow) int { return cmp.Compare(a.notice, b.notice) })
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	w := inert.NewTable(f)
	err = w.Write("notice", "reference", "state", "channel", "code", "sentence", "hint")
	for _, r := range l.rows {
		if err != nil {
			break
		}
		s := l.said[r.said]
		err = w.Write(fmt.Sprint(r.notice), r.reference.String(), string(s.state), string(s.channel), s.code, s.sentence, s.hint)
	}
	return path, errors.Join(err, w.Flush(), f.Close())
}
