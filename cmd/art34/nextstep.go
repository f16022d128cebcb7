package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// followUp is what a person has to do next: why, and the command that does it.
type followUp struct {
	Sentence string `json:"sentence"`
	Command  string `json:"command"`
}

// deedView is who did something to a campaign, when and why.
type deedView struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// addNext says who paused a campaign, and what comes next.
func (h *house) addNext(ctx context.Context, c pipeline.Campaign, s *status) error {
	if err := h.addPaused(ctx, c, s); err != nil {
		return err
	}
	switch c.State {
	case pipeline.Draft, pipeline.Approved:
		return h.addNextBefore(ctx, c, s)
	case pipeline.Paused:
		return h.addNextPaused(ctx, c, s)
	case pipeline.Running:
		addNextRunning(c, s)
	}
	return nil
}

func (s *status) then(sentence, command string) {
	s.Next = append(s.Next, followUp{sentence, command})
}

// addPaused reads who paused a campaign, and why. The canary pauses by itself.
func (h *house) addPaused(ctx context.Context, c pipeline.Campaign, s *status) error {
	if c.State != pipeline.Paused || c.PausedFor == "canary" {
		return nil
	}
	last, err := h.ledger.LastDeeds(ctx, c.ID, []string{"pause"}, 1)
	if err == nil && len(last) > 0 {
		s.Paused = &deedView{last[0].Actor, last[0].At, last[0].Reason}
	}
	return err
}

// addNextBefore is the way from a draft to the launch.
func (h *house) addNextBefore(ctx context.Context, c pipeline.Campaign, s *status) error {
	if s.Population == 0 {
		s.then("nobody is on its list yet", "art34 import "+c.Name+" --customers FILE --impact FILE")
		return nil
	}
	files, _, err := h.folder(c.Name).read()
	if err != nil {
		s.then(sentenceOf(err), "art34 check "+c.Name)
		return nil //nolint:nilerr // status shows what is wrong with the folder, and goes on
	}
	_, hash, err := files.canonical()
	if err != nil {
		return err
	}
	imports, _, err := h.inForce(ctx, c.ID)
	if err != nil {
		return err
	}
	last, err := news[verdict](ctx, h, fmt.Sprint(metaCheck, c.ID))
	if err != nil {
		return err
	}
	frozen := false
	if v, err := h.versionInForce(ctx, c); err != nil {
		return err
	} else if v != nil && c.State == pipeline.Approved {
		frozen = v.Hash == hash && slices.Equal(v.Imports, imports)
	}
	switch {
	case frozen && h.Relay == "":
		s.then("it can be launched once ART34_RELAY names a relay; without one it can be rehearsed", "art34 rehearse "+c.Name)
	case frozen:
		s.then("it is approved as it stands", "art34 launch "+c.Name+" --canary 200")
	case last.Content != hash || !slices.Equal(last.Imports, imports):
		s.then("it was not checked as it is now", "art34 check "+c.Name)
	case last.Blocks > 0:
		s.then("the last check has "+count(int64(last.Blocks), "block", "blocks"), "art34 check "+c.Name)
	default:
		s.then("it is checked and waits for its approval", "art34 approve "+c.Name)
	}
	return nil
}

// addNextPaused says how a paused campaign goes on.
func (h *house) addNextPaused(ctx context.Context, c pipeline.Campaign, s *status) error {
	v, err := h.versionInForce(ctx, c)
	if err != nil {
		return err
	}
	if v != nil {
		// A folder that cannot be read stops nobody from going on with what is approved.
		if changes, err := h.changedSince(ctx, c, *v); err == nil && len(changes) > 0 {
			s.then(fmt.Sprintf("there are changes since version %d: to use them", v.N), "art34 approve "+c.Name)
		}
	}
	if c.PausedFor == "canary" {
		s.then("look at what the canary brought; the others wait", "art34 resume "+c.Name)
		return nil
	}
	s.then("nothing is sent until somebody lets it go on", "art34 resume "+c.Name)
	return nil
}

// addNextRunning names what waits for a person while a campaign runs. What stands in
// the way of due notices is said beside it, with its hint.
func addNextRunning(c pipeline.Campaign, s *status) {
	if slices.ContainsFunc(s.Missing, func(m string) bool { return strings.HasPrefix(m, "art34 run") }) {
		s.then("nobody does the work", "art34 run")
	}
	if s.Held[reasonApproval] > 0 {
		s.then("an import waits for its approval", "art34 check "+c.Name+" && art34 approve "+c.Name)
	}
	if n := s.Runs[pipeline.RunAssembled]; n > 0 {
		s.then(count(n, "print run is", "print runs are")+" ready for the print shop", "art34 print release RUN")
	}
	if n := s.Runs[pipeline.RunReleased]; n > 0 {
		s.then(count(n, "print run waits", "print runs wait")+" for the acknowledgement of the print shop", "art34 print ack RUN --on DATE --count N")
	}
	if len(s.Next) == 0 && s.settled {
		s.then("everybody is accounted for", "art34 status "+c.Name+" --audit")
	}
}

// nextAfterApproval says what lets an approved version out.
func (h *house) nextAfterApproval(c pipeline.Campaign) []followUp {
	switch {
	case c.State == pipeline.Paused:
		return []followUp{{"who was not written to yet gets this version once it goes on", "art34 resume " + c.Name}}
	case c.State == pipeline.Running:
		return []followUp{{"what waited goes out now", "art34 status " + c.Name + " --watch"}}
	case h.Relay == "":
		return []followUp{{"it can be launched once ART34_RELAY names a relay; without one it can be rehearsed", "art34 rehearse " + c.Name}}
	}
	return []followUp{{"any change from now on voids the approval", "art34 launch " + c.Name + " --canary 200"}}
}

// nextAfterTurn says what follows a pause or a resume.
func nextAfterTurn(c pipeline.Campaign) []followUp {
	switch c.State {
	case pipeline.Paused:
		return []followUp{{"it goes on exactly here", "art34 resume " + c.Name}, {"or it ends for good", "art34 cancel " + c.Name + " --reason TEXT --yes"}}
	case pipeline.Running:
		return []followUp{{"it goes on", "art34 status " + c.Name + " --watch"}}
	}
	return nil
}

func printNext(w io.Writer, list []followUp) {
	for _, n := range list {
		fmt.Fprintf(w, "Next: %s: %s\n", n.Sentence, n.Command)
	}
}
