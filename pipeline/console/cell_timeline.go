package console

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// line is a line of the timeline: what happened, in words. What a server said comes
// with why in plain words, and itself only for those who open it.
type line struct {
	Happening
	Key string // of the text
	Why string // code of a cause; "" where Key says it all
	Raw string // what a mail server said
	By  string // what a person or the program wrote beside it

	Slip string // number of the deposit slip
}

// lines are the timeline of a file in words.
func lines(f *File) (list []line) {
	if f == nil {
		return nil
	}
	for _, h := range f.Timeline {
		l := line{Happening: h, Key: "event." + string(h.Kind), Why: h.Code, By: h.Detail}
		switch h.Kind {
		case pipeline.EvRefused, pipeline.EvBounced:
			l.Key += "." + string(h.Outcome)
			l.Why, l.Raw, l.By = whySMTP(h), raw(h), ""
		case pipeline.EvAccepted, pipeline.EvDelayed, pipeline.EvDelivered, pipeline.EvComplained, pipeline.EvReplied, pipeline.EvDoubted:
			l.Why, l.Raw, l.By = "", raw(h), ""
		case pipeline.EvConfirmed:
			l.Why = "" // that nothing came back is all that there is to say
		case pipeline.EvDeposited:
			l.By, l.Slip, _ = strings.Cut(h.Detail, pipeline.SlipMark)
		case pipeline.EvRecalled:
			if h.Code != "" { // one letter, not the run
				l.Key += ".letter"
			}
		}
		if l.Why == l.By || l.Why == "held" || l.Why == "released" || l.Why == "excluded" {
			l.Why = "" // said already
		}
		list = append(list, l)
	}
	return list
}

// raw is what a server said, with its code.
func raw(h Happening) string {
	if h.Code == "" || h.Detail == "" {
		return h.Code + h.Detail
	}
	return h.Code + " · " + h.Detail
}

// whySMTP is the reason behind the answer of a mail server; "" if it is that of the
// outcome, or none that is known.
func whySMTP(h Happening) string {
	status, _ := smtpcode.ParseStatus(h.Code)
	if status == (smtpcode.Status{}) {
		status, _ = smtpcode.Find(h.Detail)
	}
	code, _ := strconv.Atoi(h.Code)
	switch r := smtpcode.Judge(code, status, h.Detail).Reason; r {
	case smtpcode.NoMailbox, smtpcode.Unknown:
		return ""
	default:
		return r
	}
}
