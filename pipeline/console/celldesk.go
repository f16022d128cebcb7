package console

import (
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds what is done for a caller, and what waits for the lead.

func queueRoutes() []route {
	return onceOnly([]route{
		{pattern: "GET /queue", may: ActSecond, do: showQueue},
		{pattern: "GET /queue/calls/{call}", may: ActSecond, do: handleForm},
		{pattern: "POST /queue/calls/{call}", may: ActSecond, do: handle},
		{pattern: "GET /queue/corrections/{correction}", may: ActSecond, do: showCorrection},
		{pattern: "POST /queue/corrections/{correction}", may: ActSecond, do: decide},
		{pattern: "POST /queue/corrections/{correction}/full", may: ActSecond, do: fullCorrection},
	}, "/full")
}

func sendCopy(v *visit) error {
	o := CopyOrder{Channel: pipeline.Channel(v.value("channel")), Locale: v.value("locale")}
	if v.value("large") == "yes" {
		o.Format = pipeline.FormatLargePrint
	}
	if o.Channel != pipeline.Email && o.Channel != pipeline.Post {
		v.wrong("channel", "problem.choose")
	}
	reason := v.reason()
	return v.onCall("cell_copy", "copy", func(who Asker, id int64) error { return v.Cell.Copy(v.ctx(), who, id, o, reason) })
}

func postInstead(v *visit) error {
	reason := v.reason()
	return v.onCall("cell_post", "by_post", func(who Asker, id int64) error { return v.Cell.ByPost(v.ctx(), who, id, reason) })
}

func propose(v *visit) error {
	a := v.stated()
	switch v.value("what") {
	case string(pipeline.Email):
		if a.Lines, a.Postcode, a.City, a.Country = nil, "", "", ""; a.Email == "" {
			v.wrong("email", "problem.needed")
		}
	case string(pipeline.Post):
		if len(a.Lines) == 0 {
			v.wrong("lines", "problem.needed")
		}
	default:
		v.wrong("what", "problem.choose")
	}
	reason := v.reason()
	return v.onCall("cell_correct", "proposed", func(who Asker, id int64) error { return v.Cell.Propose(v.ctx(), who, id, a, reason) })
}

func mark(v *visit) error {
	flag := v.value("flag")
	reason := v.reason()
	return v.onCall("cell_mark", "marked", func(who Asker, id int64) error { return v.Cell.Mark(v.ctx(), who, id, flag, reason) })
}

func passOn(v *visit) error {
	why, text := v.value("why"), v.text("note", noteLimit)
	return v.onCall("cell_pass", "passed_on", func(who Asker, id int64) error { return v.Cell.Escalate(v.ctx(), who, id, why, text) })
}

func note(v *visit) error {
	text := v.text("note", noteLimit)
	return v.onCall("call", "noted", func(who Asker, id int64) error { return v.Cell.Note(v.ctx(), who, id, text) })
}

func written(v *visit) error {
	key := v.value("who")
	return v.onCall("call", "written", func(who Asker, id int64) error {
		return v.Cell.Written(v.ctx(), who, id, key, "written answer")
	})
}

func endCall(v *visit) error {
	cause, outcome, text := v.value("cause"), v.value("outcome"), v.text("note", noteLimit)
	who, err := v.asker()
	if err != nil {
		return err
	}
	if err := v.refused("cause", v.Cell.Close(v.ctx(), who, v.pathNumber("call"), cause, outcome, text)); err != nil {
		return err
	}
	if len(v.problems) == 0 {
		return v.done("/cell", "ended")
	}
	_, d, err := v.theCase()
	if err != nil {
		return err
	}
	d.Form["cause"], d.Form["outcome"], d.Form["note"] = cause, outcome, text
	return v.again("call", d)
}

func showQueue(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	q, err := v.Cell.Queue(v.ctx(), who)
	if err != nil {
		return err
	}
	asked, err := v.unanswered()
	if err != nil {
		return err
	}
	v.aboutAll(who.answering())
	return v.page("queue", queueData{q, asked})
}

// queueData is what waits for the lead, with the questions that no answer fits.
type queueData struct {
	Queue
	Asked []askedIn
}

// askedIn is how many questions of a campaign are open.
type askedIn struct {
	Campaign pipeline.Campaign
	Open     int
}

func (v *visit) unanswered() (list []askedIn, err error) {
	all, err := v.campaigns()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		open, err := v.openQueries(c)
		if err != nil {
			return nil, err
		}
		if open > 0 {
			list = append(list, askedIn{c, open})
		}
	}
	return list, nil
}

func handleForm(v *visit) error {
	_, d, err := v.theCase()
	if err != nil {
		return err
	}
	return v.page("queue_call", d)
}

func handle(v *visit) error {
	text, unlock := v.text("note", noteLimit), v.value("unlock") == "yes"
	who, err := v.asker()
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		v.wrong("note", "problem.needed")
	} else if err := v.refused("", v.Cell.Handle(v.ctx(), who, v.pathNumber("call"), text, unlock)); err != nil {
		return err
	}
	if len(v.problems) > 0 {
		_, d, err := v.theCase()
		if err != nil {
			return err
		}
		d.Form["note"] = text
		return v.again("queue_call", d)
	}
	return v.done("/queue", "handled")
}

func showCorrection(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	d, err := v.Cell.Proposal(v.ctx(), who, v.pathNumber("correction"))
	if err != nil {
		return err
	}
	v.about(d.Campaign)
	return v.page("queue_correction", d)
}

func fullCorrection(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	id, reason := v.pathNumber("correction"), v.reason()
	if len(v.problems) > 0 {
		d, err := v.Cell.Proposal(v.ctx(), who, id)
		if err != nil {
			return err
		}
		v.about(d.Campaign)
		return v.again("queue_correction", d)
	}
	d, err := v.Cell.FullProposal(v.ctx(), who, id, reason)
	if err != nil {
		return err
	}
	v.about(d.Campaign)
	return v.page("queue_correction", d)
}

func decide(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	id, what := v.pathNumber("correction"), v.value("what")
	if what != "accept" && what != "refuse" {
		v.wrong("what", "problem.choose")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		if err := v.refused("", v.Cell.Decide(v.ctx(), who, id, what == "accept", reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		d, err := v.Cell.Proposal(v.ctx(), who, id)
		if err != nil {
			return err
		}
		v.about(d.Campaign)
		return v.again("queue_correction", d)
	}
	code := "correction_refused"
	if what == "accept" {
		code = "correction_accepted"
	}
	return v.done("/queue", code)
}
