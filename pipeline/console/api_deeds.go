package console

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// This file holds what else a program does in a call, in the name of the agent who
// has it.

// prose is free text of several lines, at most so many characters.
func prose(field, text string, most int, needed bool) (string, error) {
	s := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\x00", "?"))
	switch {
	case s == "" && needed:
		return "", invalid(field, "missing", "this is needed")
	case utf8.RuneCountInString(s) > most:
		return "", invalid(field, "long", "this is too long")
	}
	return s, nil
}

type callLine struct {
	Call     int64     `json:"call"`
	Campaign string    `json:"campaign" eg:"muguet" doc:"Empty where nobody was found."`
	OpenedAt time.Time `json:"opened_at"`
	Agent    string    `json:"agent" eg:"token:crm/ana"`
	Found    string    `json:"found" enum:"notice|not-concerned|nobody|many|reserved|refused"`
	Verified string    `json:"verified" eg:"crm" doc:"How; empty until then."`
	Passed   string    `json:"passed" eg:"press" doc:"Why it was passed on; empty if it was not."`
}

type callList struct {
	Items []callLine `json:"items"`
}

// callsOf lists calls of campaigns that the asker may know of.
func callsOf(who Asker, calls []pipeline.Call) []callLine {
	list := []callLine{}
	for _, c := range calls {
		campaign, _ := who.knows(c.Campaign)
		list = append(list, callLine{c.ID, campaign.Name, c.OpenedAt.UTC(), c.Agent, string(c.Found), string(c.Verified), c.Escalated})
	}
	return list
}

func apiMine(v *visit, _ nothing) (callList, error) {
	who, err := v.asker()
	if err != nil {
		return callList{}, err
	}
	mine, err := v.Cell.Mine(v.ctx(), who)
	return callList{callsOf(who, mine)}, err
}

func apiLookAgain(v *visit, in callOrder) (callCase, error) {
	if in.Key == "" || len(in.Key) > 320 {
		return callCase{}, invalid("key", "missing", "the key is what the customer is looked for with")
	}
	return v.cell(func(who Asker, id int64) error {
		_, err := v.Cell.LookUp(v.ctx(), who, LookUp{Key: in.Key, Campaign: in.Campaign, Call: id})
		return err
	})
}

type chooseOrder struct {
	Campaign string `json:"campaign" eg:"muguet" doc:"One of choices."`
}

func apiChoose(v *visit, in chooseOrder) (callCase, error) {
	if in.Campaign == "" {
		return callCase{}, invalid("campaign", "missing", "say which of the choices the call is about")
	}
	return v.cell(func(who Asker, id int64) error {
		_, err := v.Cell.Choose(v.ctx(), who, id, in.Campaign)
		return err
	})
}

type numberAnswer struct {
	Number string `json:"number" eg:"+33639981001"`
}

func apiNumber(v *visit, _ empty) (numberAnswer, error) {
	who, err := v.asker()
	if err != nil {
		return numberAnswer{}, err
	}
	n, err := v.Cell.Number(v.ctx(), who, v.pathNumber("call"))
	return numberAnswer{n}, err
}

// empty is the body of an operation that needs no word.
type empty struct{}

func apiUnmask(v *visit, in because) (callCase, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return callCase{}, err
	}
	who, err := v.asker()
	if err != nil {
		return callCase{}, err
	}
	d, err := v.Cell.Unmask(v.ctx(), who, v.pathNumber("call"), reason)
	if err != nil {
		return callCase{}, err
	}
	return caseOf(d), nil
}

type comparison struct {
	Same bool `json:"same" doc:"What the caller states is the address on file."`
}

func apiCompare(v *visit, in statedAddress) (comparison, error) {
	a, err := in.address()
	if err != nil {
		return comparison{}, err
	}
	who, err := v.asker()
	if err != nil {
		return comparison{}, err
	}
	same, err := v.Cell.Compare(v.ctx(), who, v.pathNumber("call"), a)
	return comparison{same}, err
}

func apiByPost(v *visit, in because) (callCase, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.ByPost(v.ctx(), who, id, reason) })
}

type markOrder struct {
	Reason string `json:"reason" max:"300" eg:"told by the family" doc:"Why; a sentence without names. It goes on record."`
	Flag   string `json:"flag" enum:"deceased|protected-adult|protected-address"`
}

func apiMark(v *visit, in markOrder) (callCase, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Mark(v.ctx(), who, id, in.Flag, reason) })
}

type passOrder struct {
	Why  string `json:"why" enum:"vip|press|lawyer|vulnerable|deceased|other"`
	Note string `json:"note,omitempty" max:"2000" eg:"asks for somebody who may speak to the press" doc:"Kept sealed."`
}

func apiEscalate(v *visit, in passOrder) (callCase, error) {
	note, err := prose("note", in.Note, noteLimit, false)
	if err != nil {
		return callCase{}, err
	}
	if in.Why == "" {
		return callCase{}, invalid("why", "missing", "say why the call is passed on")
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Escalate(v.ctx(), who, id, in.Why, note) })
}

type writtenOrder struct {
	Who string `json:"who" max:"500" eg:"as they gave their name" doc:"As whom the caller wants to be written to; kept sealed, for the lead."`
}

func apiWritten(v *visit, in writtenOrder) (callCase, error) {
	key, err := prose("who", in.Who, 500, true)
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error {
		return v.Cell.Written(v.ctx(), who, id, key, "written answer")
	})
}
