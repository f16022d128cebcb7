package console

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the lead of the cell for programs: what waits, and the second pair
// of eyes. Whoever decides has an account, and a program is one pair of eyes.

func queueEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/queue", "showQueue", "What waits for the lead: calls passed on, corrected addresses, callers to call back, questions without an answer.", ActSecond, apiQueue),
		endpointOf("GET", "/queue/calls/{call}", "showWaitingCall", "A call of anybody, as the lead may see it.", ActSecond, apiWaiting),
		endpointOf("POST", "/queue/calls/{call}/handle", "handleCall", "Take a call from the queue, and say what came of it.", ActSecond, apiHandle),
		endpointOf("GET", "/queue/corrections/{correction}", "showCorrection", "A corrected address beside the one on file, how its caller was verified, and where it stands. On record.", ActSecond, apiCorrection),
		endpointOf("POST", "/queue/corrections/{correction}/full", "unmaskCorrection", "Both addresses in full; on record with its reason.", ActSecond, apiFullCorrection),
		endpointOf("POST", "/queue/corrections/{correction}/decide", "decideCorrection", "Accept a corrected address, which is written to at once, or refuse it. Not one that the same person asked for, or the same program.", ActSecond, apiDecide),
	}
}

type waitingList struct {
	Calls       []callLine       `json:"calls" doc:"Passed on, oldest first."`
	Corrections []correctionLine `json:"corrections" doc:"Oldest first; not those that the person, or this program, asked for."`
	Own         int              `json:"own" doc:"Corrections of the person or program themselves, which another decides."`
	Recalls     []callLine       `json:"recalls" doc:"Who was told that they are not concerned, and is now."`
	Questions   []questionCount  `json:"questions" doc:"Open ones, by campaign."`
}

type correctionLine struct {
	Correction int64     `json:"correction"`
	Call       int64     `json:"call"`
	Campaign   string    `json:"campaign" eg:"muguet"`
	Channel    string    `json:"channel" enum:"email|post"`
	AskedBy    string    `json:"asked_by" eg:"user:ana"`
	AskedAt    time.Time `json:"asked_at"`
}

type questionCount struct {
	Campaign string `json:"campaign" eg:"muguet"`
	Open     int    `json:"open"`
}

func apiQueue(v *visit, _ nothing) (waitingList, error) {
	list := waitingList{Corrections: []correctionLine{}, Questions: []questionCount{}}
	who, err := v.asker()
	if err != nil {
		return list, err
	}
	q, err := v.Cell.Queue(v.ctx(), who)
	if err != nil {
		return list, err
	}
	list.Calls, list.Recalls, list.Own = callsOf(who, q.Calls), callsOf(who, q.Recalls), q.Own
	for _, p := range q.Proposals {
		campaign, _ := who.knows(p.Campaign)
		list.Corrections = append(list.Corrections, correctionLine{p.ID, p.Call, campaign.Name, string(p.What), p.AskedBy, p.AskedAt.UTC()})
	}
	asked, err := v.unanswered()
	for _, a := range asked {
		list.Questions = append(list.Questions, questionCount{a.Campaign.Name, a.Open})
	}
	return list, err
}

func apiWaiting(v *visit, _ nothing) (callCase, error) {
	return v.cell(func(Asker, int64) error { return nil })
}

type handleOrder struct {
	Note   string `json:"note" max:"2000" eg:"called back by the press office" doc:"What came of it; kept sealed."`
	Unlock bool   `json:"unlock,omitempty" doc:"Let the customer be verified again after wrong answers."`
}

func apiHandle(v *visit, in handleOrder) (callLine, error) {
	note, err := prose("note", in.Note, noteLimit, true)
	if err != nil {
		return callLine{}, err
	}
	who, err := v.asker()
	if err != nil {
		return callLine{}, err
	}
	id := v.pathNumber("call")
	if err := v.Cell.Handle(v.ctx(), who, id, note, in.Unlock); err != nil {
		return callLine{}, err
	}
	c, err := v.Cell.own(v.ctx(), who, id)
	if err != nil {
		return callLine{}, err
	}
	return callsOf(who, []pipeline.Call{c})[0], nil
}

// correction is a corrected address in full.
type correction struct {
	Correction int64      `json:"correction"`
	Call       int64      `json:"call"`
	Campaign   string     `json:"campaign" eg:"muguet"`
	Standing   string     `json:"standing" enum:"waiting|applying|accepted|refused|failed|replaced"`
	Channel    string     `json:"channel" enum:"email|post"`
	Parts      []newPart  `json:"parts" doc:"Of the address, as it is on file and as it was corrected; masked unless asked for in full."`
	Flags      []string   `json:"flags" eg:"minor" doc:"Of the customer, as they are now."`
	Verified   string     `json:"verified" eg:"crm" doc:"How the caller was."`
	Reason     string     `json:"reason" eg:"moved"`
	AskedBy    string     `json:"asked_by" eg:"user:ana"`
	AskedAt    time.Time  `json:"asked_at"`
	DecidedBy  string     `json:"decided_by" eg:"user:lea" doc:"Empty until then."`
	DecidedAt  *time.Time `json:"decided_at"`
	Note       string     `json:"note" doc:"Why it was refused, or what kept it from being applied."`
}

type newPart struct {
	Part      string `json:"part" enum:"email|lines|postcode|city|country"`
	Old       string `json:"old" eg:"j•••@mail.example"`
	New       string `json:"new" eg:"n•••@mail.example"`
	Different bool   `json:"different" doc:"To who hears it, not only to who reads it."`
}

func apiCorrection(v *visit, _ nothing) (correction, error) {
	who, err := v.asker()
	if err != nil {
		return correction{}, err
	}
	return v.correction(who)
}

func (v *visit) correction(who Asker) (correction, error) {
	d, err := v.Cell.Proposal(v.ctx(), who, v.pathNumber("correction"))
	if err != nil {
		return correction{}, err
	}
	return correctionOf(d), nil
}

func correctionOf(d Proposed) correction {
	p, parts := d.Proposal, []newPart{}
	for _, r := range d.Rows {
		parts = append(parts, newPart{r.Part, r.Old, r.New, r.Different})
	}
	return correction{
		p.ID, p.Call, d.Campaign.Name, d.Standing(), string(p.What), parts,
		append([]string{}, d.Flags...), string(d.Call.Verified), p.Reason, p.AskedBy, p.AskedAt.UTC(), p.DecidedBy, instant(p.DecidedAt), p.Note,
	}
}

func apiFullCorrection(v *visit, in because) (correction, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return correction{}, err
	}
	who, err := v.asker()
	if err != nil {
		return correction{}, err
	}
	d, err := v.Cell.FullProposal(v.ctx(), who, v.pathNumber("correction"), reason)
	if err != nil {
		return correction{}, err
	}
	return correctionOf(d), nil
}

type decideOrder struct {
	Decision string `json:"decision" enum:"accept|refuse"`
	Reason   string `json:"reason" max:"300" eg:"heard the call again" doc:"Why; a sentence without names. It goes on record."`
}

func apiDecide(v *visit, in decideOrder) (correction, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return correction{}, err
	}
	if in.Decision != "accept" && in.Decision != "refuse" {
		return correction{}, invalid("decision", "unknown", "the decision is accept or refuse")
	}
	who, err := v.asker()
	if err != nil {
		return correction{}, err
	}
	if err := v.Cell.Decide(v.ctx(), who, v.pathNumber("correction"), in.Decision == "accept", reason); err != nil {
		return correction{}, err
	}
	return v.correction(who)
}
