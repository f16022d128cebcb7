package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

// letterView is the answer of find --letter.
type letterView struct {
	Campaign string           `json:"campaign"`
	Notice   int64            `json:"notice"`
	Attempt  int              `json:"attempt"`
	Channel  pipeline.Channel `json:"channel"`
	Version  int              `json:"version"`
	Subject  string           `json:"subject"`
	Text     string           `json:"text"`
	Same     bool             `json:"same"` // the letter and its bytes are those that went out
	Sentence string           `json:"sentence"`
	File     string           `json:"file,omitempty"`

	html     []byte // of an e-mail
	sameText bool
}

// showLetter renders the letter of an attempt again and compares it with what was
// recorded when it went out.
func (h *house) showLetter(ctx context.Context, c findCmd, f found) error {
	attempts, err := h.ledger.Attempts(ctx, f.job.ID)
	if err != nil {
		return err
	}
	if len(attempts) == 0 {
		return noLetter(f.job.Notice, f.campaign.Name)
	}
	at := attempts[len(attempts)-1]
	if c.Attempt > 0 {
		i := slices.IndexFunc(attempts, func(x pipeline.Attempt) bool { return x.N == c.Attempt })
		if i < 0 {
			return decline("no-letter", fmt.Sprintf("there is no attempt %d", c.Attempt), "art34 find without --letter shows the timeline")
		}
		at = attempts[i]
	}
	v, out, err := h.again(ctx, f, at)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, out, 0o600); err != nil {
			return err
		}
		v.File = c.Out
	}
	err = h.answer(v, func(w io.Writer) {
		if c.Out == "" {
			fmt.Fprintf(w, "%s\n\n%s", v.Subject, v.Text)
		} else {
			fmt.Fprintln(w, v.File)
		}
	})
	if !h.JSON {
		h.say("%s", v.Sentence)
	}
	if err == nil && !v.Same {
		return errNo
	}
	return err
}

// noLetter says why nothing was sent to a customer.
func noLetter(n pipeline.Notice, campaign string) error {
	proof := "art34 proof " + campaign + " --customer … --out … shows what would be sent"
	switch n.State {
	case pipeline.Excluded:
		return decline("no-letter", "nothing was sent to this customer, and nothing will be: "+reasonWords(n.Reason), "")
	case pipeline.Cancelled:
		return decline("no-letter", "nothing was sent to this customer: the campaign was cancelled before", "")
	case pipeline.Unreachable:
		return decline("no-letter", "nothing could be sent to this customer: "+reasonWords(n.Reason), "the call centre can tell them now: art34 find without --letter lists what is concerned")
	case pipeline.Held:
		return decline("no-letter", "nothing was sent to this customer yet: "+reasonWords(n.Reason), proof)
	}
	return decline("no-letter", "nothing was sent to this customer yet", proof)
}

// again renders an attempt with the version, the date and the imports that it was
// made of, and returns the message or the pages too.
func (h *house) again(ctx context.Context, f found, at pipeline.Attempt) (letterView, []byte, error) {
	// The date of a letter is exact to the second. Where an address was corrected
	// within it, what was recorded says which one it was.
	person := f.person
	f.person = person.AsOf(at.At)
	v, out, err := h.render(ctx, f, at)
	for i := 0; err == nil && !v.Same && i <= len(person.Former); i++ {
		f.person = person
		if i < len(person.Former) {
			f.person = person.AsOf(person.Former[i].Until.Add(-1))
		}
		if w, other, err := h.render(ctx, f, at); err == nil && w.Same {
			return w, other, nil
		}
	}
	return v, out, err
}

// render is again with the addresses of f.person.
func (h *house) render(ctx context.Context, f found, at pipeline.Attempt) (letterView, []byte, error) {
	e, err := h.editions.at(ctx, f.campaign, at.Version)
	if err != nil {
		return letterView{}, nil, err
	}
	n := f.job.Notice
	n.Attempt, n.Kind, n.Channel = at.N, at.Kind, at.Channel
	p, err := e.renderPerson(ctx, n, toldUntil(f.person, at.Told), at.At)
	if err != nil {
		return letterView{}, nil, err
	}
	v := letterView{
		Campaign: f.campaign.Name, Notice: n.ID, Attempt: at.N, Channel: at.Channel, Version: at.Version,
		Subject: p.letter.Subject, Text: string(letter.Text(p.letter)),
	}
	var out []byte
	var sum [sha256.Size]byte
	if at.Channel == pipeline.Email {
		m, err := e.message(p, at.At)
		if err != nil {
			return v, nil, err
		}
		out, sum = m.Body, sha256.Sum256(m.Body)
		v.html = letter.HTML(p.letter)
	} else {
		item, err := e.item(p, at.Seq)
		if err != nil {
			return v, nil, err
		}
		var pdf bytes.Buffer
		drawn, err := e.press.DrawLetter(&pdf, item)
		if err != nil {
			return v, nil, err
		}
		out, sum = pdf.Bytes(), drawn.Hash
	}
	hash := p.letter.Hash()
	sameText, sameBytes := bytes.Equal(hash[:], at.Letter), bytes.Equal(sum[:], at.Bytes)
	v.Same, v.sameText = sameText && sameBytes, sameText
	v.Sentence = compared(sameText, sameBytes, at)
	return v, out, nil
}

func compared(sameText, sameBytes bool, at pipeline.Attempt) string {
	switch {
	case sameText && sameBytes:
		return fmt.Sprintf("This is the very letter of attempt %d, byte for byte (version %d).", at.N, at.Version)
	case sameText:
		return fmt.Sprintf("The words are those of attempt %d; the bytes are not: it was made by renderer %q, this is %q.", at.N, at.Renderer, renderer)
	}
	return fmt.Sprintf("CAUTION: this is not the letter that went out as attempt %d: it was made by renderer %q, this is %q.", at.N, at.Renderer, renderer)
}

// toldUntil leaves out what an import after the letter brought.
func toldUntil(p pipeline.Person, newest int64) pipeline.Person {
	later := func(x pipeline.Exposure) bool { return x.Import > newest }
	p.Own = slices.DeleteFunc(slices.Clone(p.Own), later)
	var contracts []pipeline.Contract
	for _, c := range p.Contracts {
		had := len(c.Data) > 0
		c.Data = slices.DeleteFunc(slices.Clone(c.Data), later)
		if len(c.Data) > 0 || !had {
			contracts = append(contracts, c)
		}
	}
	p.Contracts = contracts
	return p
}
