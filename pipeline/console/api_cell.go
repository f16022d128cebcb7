package console

import (
	"cmp"
	"encoding/base64"
	"maps"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the cell for programs: the customer system that an agent has open
// looks the customer up, says how the caller was verified, and shows what the console
// would. The Cell keeps its rules here as there.

func cellEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/calls", "listCalls", "The calls that the person has under way, newest first.", ActLookUp, apiMine),
		endpointOf("POST", "/calls", "openCall", "Find a customer by exact match, and open a call about it. Nothing is said of the customer before the caller is verified.", ActLookUp, apiOpenCall),
		endpointOf("GET", "/calls/{call}", "showCall", "The call as it stands; once the caller is verified with sentence, data concerned, timeline and what is next, masked.", ActLookUp, apiCase),
		endpointOf("POST", "/calls/{call}/look-up", "lookUpAgain", "Go on with another key, where nobody was found or several were.", ActLookUp, apiLookAgain),
		endpointOf("POST", "/calls/{call}/choose", "chooseCampaign", "Say which of several campaigns the call is about, where the key led to one customer in each.", ActLookUp, apiChoose),
		endpointOf("POST", "/calls/{call}/verify", "verifyCaller", "Make sure of the caller, in a way that the campaign allows.", ActLookUp, apiVerify),
		endpointOf("POST", "/calls/{call}/number", "showNumber", "The number on file for a call back: it is dialled, and never read out. One that is not there counts as a wrong answer.", ActLookUp, apiNumber),
		endpointOf("POST", "/calls/{call}/full", "unmask", "The call with everything in full; on record with its reason.", ActLookUp, apiUnmask),
		endpointOf("GET", "/calls/{call}/letters/{notice}/{attempt}", "showLetter", "A letter as it went out, compared with what was recorded.", ActLookUp, apiLetter),
		endpointOf("POST", "/calls/{call}/compare", "compareAddress", "Is what the caller states the address on file? A wrong one counts as a wrong answer.", ActHelp, apiCompare),
		endpointOf("POST", "/calls/{call}/copy", "sendCopy", "Send the letter once more, to an address from before the incident.", ActHelp, apiCopy),
		endpointOf("POST", "/calls/{call}/correct", "proposeAddress", "Ask a second person for a corrected address; until they agree nothing changes.", ActHelp, apiCorrect),
		endpointOf("POST", "/calls/{call}/post", "postInstead", "Let what is planned by e-mail go by post.", ActHelp, apiByPost),
		endpointOf("POST", "/calls/{call}/mark", "markCustomer", "The customer has died, or is protected: what has not left is held, and the lead is told.", ActHelp, apiMark),
		endpointOf("POST", "/calls/{call}/escalate", "escalateCall", "Pass the call on to the lead.", ActHelp, apiEscalate),
		endpointOf("POST", "/calls/{call}/written", "answerInWriting", "Send an answer to the address on file, whatever it says: for a caller who cannot be verified. The answer is the same for everybody.", ActHelp, apiWritten),
		endpointOf("POST", "/calls/{call}/note", "noteCall", "Keep what was said, sealed.", ActHelp, apiNote),
		endpointOf("POST", "/calls/{call}/close", "closeCall", "End the call.", ActLookUp, apiClose),
	}
}

type callOrder struct {
	Key      string `json:"key" max:"320" eg:"C10000042" doc:"Reference, customer or contract number, e-mail, phone, or name and postcode."`
	Campaign string `json:"campaign,omitempty" doc:"All that are not drafts, if it is left out."`
}

type callCase struct {
	Call     int64                        `json:"call"`
	Campaign string                       `json:"campaign" doc:"Empty where nobody was found."`
	Stage    string                       `json:"stage" enum:"verify|answer|not-concerned|nobody|many|reserved|closed"`
	Choices  []string                     `json:"choices" eg:"muguet" doc:"Of one customer in several campaigns: which to choose from."`
	Ways     []string                     `json:"ways" doc:"How callers are verified: crm, reference, callback, values."`
	Columns  []string                     `json:"columns" doc:"Of values: what the caller is asked for."`
	Labels   map[string]map[string]string `json:"labels" doc:"What the columns are called, per locale."`
	Locked   bool                         `json:"locked" doc:"Too many wrong answers: give the general answer."`
	Tries    int                          `json:"tries" doc:"Wrong answers that are still looked at before it locks; of the stages verify and answer."`
	Until    *time.Time                   `json:"locked_until" doc:"When answers are looked at again by themselves."`
	Sentence map[string]string            `json:"sentence" doc:"To read aloud, by locale; empty before the caller is verified."`
	AsOf     *time.Time                   `json:"as_of" doc:"Of not-concerned: when the import says so."`
	Customer *callCustomer                `json:"customer" doc:"Of the stage answer; masked unless asked for in full."`
	Steps    []callStep                   `json:"steps" doc:"What happened in the call, once the caller is verified."`
	Waiting  bool                         `json:"waiting" doc:"In the queue of the lead."`
}

type callCustomer struct {
	Name      string              `json:"name" eg:"J•••"`
	Customers []string            `json:"customers" doc:"Customer numbers."`
	Reference string              `json:"reference" eg:"•••T0V"`
	State     string              `json:"state" eg:"accepted"`
	Locale    string              `json:"locale" eg:"fr"`
	Flags     []string            `json:"flags" eg:"minor"`
	Sentences []map[string]string `json:"sentences" doc:"To read aloud, by locale: of the first notice, then of its supplements."`
	Impacts   []callImpact        `json:"impacts"`
	Timeline  []callHappened      `json:"timeline"`
	Letters   []callLetter        `json:"letters"`
	Next      callNext            `json:"next"`
	Copies    []string            `json:"copies" eg:"post" doc:"Where a copy may go: addresses from before the incident."`
	Cannot    map[string]string   `json:"cannot" doc:"What cannot be done now, and why: copy-email, copy-post, by-post, compare."`
	Locales   []string            `json:"locales" eg:"fr" doc:"In which the campaign writes."`
	Proposed  bool                `json:"proposed" doc:"A corrected address waits for a second person."`
	Told      []callTold          `json:"told_not_concerned" doc:"When the customer was told before that they are not concerned."`
	Earlier   []callBefore        `json:"earlier" doc:"Other calls about this customer, newest first."`
}

type callImpact struct {
	Contract string              `json:"contract" eg:"•••761" doc:"Empty: of the person."`
	Label    string              `json:"label" eg:"Internet"`
	Data     []string            `json:"data" eg:"contact" doc:"Codes."`
	Names    map[string][]string `json:"names" doc:"The fields exactly, by locale."`
}

type callTold struct {
	At     time.Time `json:"at"`
	Import int64     `json:"import" doc:"As of which."`
}

type callBefore struct {
	Call     int64      `json:"call"`
	OpenedAt time.Time  `json:"opened_at"`
	Cause    string     `json:"cause" eg:"data"`
	Outcome  string     `json:"outcome" eg:"answered"`
	Notes    []callStep `json:"notes"`
}

type callStep struct {
	At    time.Time `json:"at"`
	Agent string    `json:"agent" eg:"token:crm/ana"`
	Kind  string    `json:"kind" eg:"note"`
	Code  string    `json:"code"`
	Text  string    `json:"text" eg:"rings back on Monday"`
}

type callHappened struct {
	At      time.Time `json:"at"`
	Notice  int64     `json:"notice"`
	Attempt int       `json:"attempt"`
	Event   string    `json:"event"`
	Channel string    `json:"channel"`
	Code    string    `json:"code"`
}

type callLetter struct {
	Notice  int64     `json:"notice"`
	Attempt int       `json:"attempt"`
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
}

type callNext struct {
	State   string     `json:"state"`
	Channel string     `json:"channel"`
	At      *time.Time `json:"at"`
}

// cell answers with the call as it is after f.
func (v *visit) cell(f func(Asker, int64) error) (callCase, error) {
	who, err := v.asker()
	if err != nil {
		return callCase{}, err
	}
	id := v.pathNumber("call")
	if err := f(who, id); err != nil {
		return callCase{}, err
	}
	return v.callCase(who, id)
}

func (v *visit) callCase(who Asker, id int64) (callCase, error) {
	c, err := v.Cell.Case(v.ctx(), who, id)
	if err != nil {
		return callCase{}, err
	}
	return caseOf(c), nil
}

func caseOf(c Case) callCase {
	out := callCase{Call: c.Call.ID, Campaign: c.Campaign.Name, Stage: string(c.Stage), Choices: []string{}, Ways: []string{}, Columns: append([]string{}, c.Proofs.Columns...), Labels: map[string]map[string]string{}, Locked: c.Locked, Sentence: map[string]string{}, AsOf: instant(c.AsOf), Steps: []callStep{}, Waiting: c.Call.Waiting(), Tries: c.Tries.Left, Until: instant(c.Tries.Until)}
	maps.Copy(out.Labels, c.Proofs.Labels)
	for _, x := range c.Choices {
		out.Choices = append(out.Choices, x.Name)
	}
	for _, w := range c.Proofs.Ways {
		out.Ways = append(out.Ways, string(w))
	}
	if c.Sentence != nil {
		out.Sentence = c.Sentence
	}
	if f := c.File; f != nil {
		if len(f.Sentences) > 0 {
			out.Sentence = f.Sentences[0]
		}
		out.Customer = customerOf(c)
	}
	if c.Stage == StageAnswer || c.Stage == StageNotConcerned {
		out.Steps = stepsOf(c.Steps)
	}
	return out
}

func stepsOf(all []Step) []callStep {
	list := []callStep{}
	for _, s := range all {
		list = append(list, callStep{s.At.UTC(), s.Agent, s.Kind, s.Code, s.Text})
	}
	return list
}

func customerOf(d Case) *callCustomer {
	f := d.File
	c := &callCustomer{
		Name: f.Name, Customers: append([]string{}, f.Customers...), Reference: f.Reference, State: string(f.State), Locale: f.Locale, Flags: append([]string{}, f.Flags...),
		Sentences: append([]map[string]string{}, f.Sentences...), Impacts: []callImpact{}, Timeline: []callHappened{}, Letters: []callLetter{},
		Next: callNext{string(f.Next.State), string(f.Next.Channel), instant(f.Next.At)}, Copies: []string{}, Cannot: f.Cannot, Locales: append([]string{}, f.Locales...),
		Proposed: d.Proposed, Told: []callTold{}, Earlier: []callBefore{},
	}
	if c.Cannot == nil {
		c.Cannot = map[string]string{}
	}
	for _, ch := range []pipeline.Channel{pipeline.Email, pipeline.Post} {
		if f.Reach[ch] {
			c.Copies = append(c.Copies, string(ch))
		}
	}
	for _, t := range d.Told {
		c.Told = append(c.Told, callTold{t.At.UTC(), t.Import})
	}
	for _, e := range d.Earlier {
		c.Earlier = append(c.Earlier, callBefore{e.Call.ID, e.Call.OpenedAt.UTC(), e.Call.Cause, e.Call.Outcome, stepsOf(e.Notes)})
	}
	for _, i := range f.Impacts {
		x := callImpact{i.Contract, cmp.Or(i.Label, i.Kinds["en"]), append([]string{}, i.Data...), i.Names}
		if x.Names == nil {
			x.Names = map[string][]string{}
		}
		c.Impacts = append(c.Impacts, x)
	}
	for _, h := range f.Timeline {
		c.Timeline = append(c.Timeline, callHappened{h.At.UTC(), h.Notice, h.Attempt, string(h.Kind), string(h.Channel), h.Code})
	}
	for _, l := range f.Letters {
		c.Letters = append(c.Letters, callLetter{l.Notice, l.Attempt, string(l.Channel), l.At.UTC()})
	}
	return c
}

func apiOpenCall(v *visit, in callOrder) (callCase, error) {
	who, err := v.asker()
	if err != nil {
		return callCase{}, err
	}
	if in.Key == "" || len(in.Key) > 320 {
		return callCase{}, invalid("key", "missing", "the key is what the customer is looked for with")
	}
	if in.Campaign != "" {
		if _, err := v.campaignOf(in.Campaign); err != nil {
			return callCase{}, err
		}
	}
	c, err := v.Cell.LookUp(v.ctx(), who, LookUp{Key: in.Key, Campaign: in.Campaign})
	if err != nil {
		return callCase{}, err
	}
	return v.callCase(who, c.ID)
}

func apiCase(v *visit, _ nothing) (callCase, error) {
	return v.cell(func(Asker, int64) error { return nil })
}

type verifyOrder struct {
	Way       string            `json:"way" enum:"crm|reference|callback|values"`
	Reference string            `json:"reference,omitempty" max:"40" doc:"Of the way reference: what the caller reads out; left out where the call was opened with it."`
	Values    map[string]string `json:"values,omitempty" doc:"Of the way values: column and what the caller says."`
	Reached   bool              `json:"reached,omitempty" doc:"Of the way callback: the customer answered at the number that showNumber has shown in this call."`
}

func apiVerify(v *visit, in verifyOrder) (callCase, error) {
	if in.Way == "" {
		return callCase{}, invalid("way", "missing", "say how the caller was verified")
	}
	return v.cell(func(who Asker, id int64) error {
		_, err := v.Cell.Verify(v.ctx(), who, id, Answer{pipeline.Verification(in.Way), in.Reference, in.Values, in.Reached})
		return err
	})
}

type letterAnswer struct {
	Channel  string `json:"channel"`
	Version  int    `json:"version"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	Bytes    string `json:"bytes" doc:"The message, or the pages, in base64."`
	Recorded string `json:"recorded" doc:"SHA-256 of what went out."`
	Same     bool   `json:"same" doc:"These are the very bytes."`
}

func apiLetter(v *visit, _ nothing) (letterAnswer, error) {
	who, err := v.asker()
	if err != nil {
		return letterAnswer{}, err
	}
	l, err := v.Cell.Letter(v.ctx(), who, v.pathNumber("call"), v.pathNumber("notice"), int(v.pathNumber("attempt")))
	if err != nil {
		return letterAnswer{}, err
	}
	return letterAnswer{string(l.Of.Channel), l.Version, l.Subject, l.Text, base64.StdEncoding.EncodeToString(l.Bytes), l.Recorded, l.Same}, nil
}

type copyOrder struct {
	Reason  string `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
	Channel string `json:"channel" enum:"email|post"`
	Locale  string `json:"locale,omitempty" max:"10" doc:"As before, if it is left out."`
	Large   bool   `json:"large,omitempty" doc:"Large print."`
}

func apiCopy(v *visit, in copyOrder) (callCase, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return callCase{}, err
	}
	o := CopyOrder{Channel: pipeline.Channel(in.Channel), Locale: in.Locale}
	if o.Channel != pipeline.Email && o.Channel != pipeline.Post {
		return callCase{}, invalid("channel", "unknown", "the channel is email or post")
	}
	if in.Large {
		o.Format = pipeline.FormatLargePrint
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Copy(v.ctx(), who, id, o, reason) })
}

// statedAddress is an address as a caller states it.
type statedAddress struct {
	Email    string   `json:"email,omitempty" max:"320" eg:"jeanne@mail.example" doc:"An e-mail address; or lines."`
	Lines    []string `json:"lines,omitempty"`
	Postcode string   `json:"postcode,omitempty" max:"20"`
	City     string   `json:"city,omitempty" max:"100"`
	Country  string   `json:"country,omitempty" max:"2"`
}

func (a statedAddress) address() (Address, error) {
	if (a.Email == "") == (len(a.Lines) == 0) || len(a.Lines) > 5 {
		return Address{}, invalid("email", "choose", "an e-mail address or up to five lines of a postal one, and not both")
	}
	return Address{a.Email, a.Lines, a.Postcode, a.City, a.Country}, nil
}

type addressOrder struct {
	Reason string `json:"reason" max:"300" eg:"moved" doc:"Why; a sentence without names. It goes on record."`
	statedAddress
}

func apiCorrect(v *visit, in addressOrder) (callCase, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return callCase{}, err
	}
	a, err := in.statedAddress.address()
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Propose(v.ctx(), who, id, a, reason) })
}

type noteOrder struct {
	Text string `json:"text" max:"2000" eg:"rings back on Monday"`
}

func apiNote(v *visit, in noteOrder) (callCase, error) {
	text, err := prose("text", in.Text, noteLimit, true)
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Note(v.ctx(), who, id, text) })
}

type closeOrder struct {
	Cause   string `json:"cause" eg:"data" doc:"concerned, data, genuine, not-received, advice, correction, complaint, phishing, rights, press, other."`
	Outcome string `json:"outcome" eg:"answered" doc:"answered, general, written, passed-on, call-back, hung-up."`
	Text    string `json:"text,omitempty" max:"2000"`
}

func apiClose(v *visit, in closeOrder) (callCase, error) {
	if in.Cause == "" || in.Outcome == "" {
		return callCase{}, invalid("cause", "missing", "say why the customer called, and what came of it")
	}
	text, err := prose("text", in.Text, noteLimit, false)
	if err != nil {
		return callCase{}, err
	}
	return v.cell(func(who Asker, id int64) error { return v.Cell.Close(v.ctx(), who, id, in.Cause, in.Outcome, text) })
}
