package letter

import (
	"reflect"
	"strings"
)

// Markdown is text of the campaign, escaped: the parser reads it as text.
type Markdown string

// Value is a value of one customer, or of one letter. In a template it is one
// private-use character per value (see values), so it can be printed and asked
// whether it is there, and nothing else.
type Value string

// data is what a template sees. The doc tags are the reference for writers, see
// Fields; a test keeps them complete.
type data struct {
	Customer     customerView   `doc:"who is written to"`
	Own          []itemView     `doc:"data kinds of the person, through no contract; in the order of the catalogue"`
	Groups       []groupView    `doc:"contracts with their data kinds; contracts with the same ones are one group"`
	Consequences []Markdown     `doc:"what somebody could do with it, for the kinds concerned, each once"`
	Advice       []Markdown     `doc:"what the customer can do, for the kinds concerned, each once"`
	Household    bool           `doc:"whether data of the household is concerned"`
	Possible     bool           `doc:"whether any exposure is possible and not confirmed"`
	Incident     incidentView   `doc:"what happened, from campaign.yaml"`
	Sender       senderView     `doc:"the brand that writes, from campaign.yaml"`
	Controller   controllerView `doc:"who answers for the data, from campaign.yaml"`
	Reference    Value          `doc:"the reference to quote on the phone"`
	Date         Value          `doc:"date of the letter, written out"`
	FirstWritten Value          `doc:"date of the earlier message that this one repeats or completes; may be empty"`
	Fallback     bool           `doc:"the earlier message could not be delivered, this one goes by the other channel"`
	Copy         bool           `doc:"a copy of a message that was sent before, by this channel or the other one"`
	ByPost       bool           `doc:"this letter goes by post; otherwise by e-mail"`
}

type customerView struct {
	Name        Value `doc:"full name, or the company"`
	Salutation  Value `doc:"the line of the salutation, with its comma"`
	Attention   Value `doc:"a line before the salutation, where that cannot name the person; may be empty"`
	Courtesy    Value `doc:"the form of address within a sentence: \"Madame\""`
	Represented Value `doc:"the person whose data it is, where a legal representative is written to; else empty"`
}

type groupView struct {
	Contracts []contractView `doc:"the contracts"`
	Several   bool           `doc:"whether there is more than one"`
	Data      []itemView     `doc:"the data kinds exposed through each of them"`
}

type contractView struct {
	Label  Value `doc:"name of the offer"`
	Number Value `doc:"number of the contract, in full; may be empty"`
	First  bool  `doc:"whether it is the first of its group"`
	Last   bool  `doc:"whether it is the last of its group"`
}

type itemView struct {
	Name        Markdown `doc:"name of the data kind"`
	Fields      Markdown `doc:"which fields exactly"`
	Consequence Markdown `doc:"what somebody could do with it"`
	Possible    bool     `doc:"possible, not confirmed"`
	Again       bool     `doc:"the kind was listed before in this letter, with its fields"`
}

type incidentView struct {
	When         Markdown   `doc:"the day or the period with its preposition: \"on 12 January 2026\""`
	HappenedFrom Markdown   `doc:"first day"`
	HappenedTo   Markdown   `doc:"last day; may be empty"`
	Discovered   Markdown   `doc:"the day it was discovered"`
	Facts        Markdown   `doc:"what happened"`
	NotTaken     Markdown   `doc:"what was not taken; may be empty"`
	Measures     []Markdown `doc:"what was done"`
	WhyNow       Markdown   `doc:"why it took until today; may be empty"`
}

type senderView struct {
	LegalName      Markdown `doc:"legal name"`
	DisplayName    Markdown `doc:"name of the brand"`
	Phone          Markdown `doc:"number of the call-centre cell"`
	Hours          Markdown `doc:"when it answers"`
	ReplyTo        Markdown `doc:"e-mail address for answers"`
	ReturnAddress  Markdown `doc:"postal address in one line"`
	Signatory      Markdown `doc:"name of who signs; may be empty"`
	SignatoryTitle Markdown `doc:"title of who signs; may be empty"`
}

type controllerView struct {
	Name    Markdown    `doc:"legal name"`
	Address Markdown    `doc:"postal address in one line"`
	DPO     contactView `doc:"the data protection officer"`
}

type contactView struct {
	Name  Markdown `doc:"name"`
	Post  Markdown `doc:"postal address; may be empty"`
	Phone Markdown `doc:"telephone number; may be empty"`
	Email Markdown `doc:"e-mail address; may be empty"`
}

// Field is one field that a letter may use.
type Field struct {
	Path string // ".Customer.Name"; within a range: ".Groups[].Contracts[].Label"
	Type string // text, value (of this customer; not in the subject), yes/no, list
	Doc  string
}

// Fields lists the fields that a letter may use, in the order of the reference.
func Fields() []Field {
	var out []Field
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		for i := range t.NumField() {
			f := t.Field(i)
			p := path + "." + f.Name
			ft := f.Type
			if ft.Kind() != reflect.Struct {
				out = append(out, Field{Path: p, Type: typeName(ft), Doc: f.Tag.Get("doc")})
			}
			if ft.Kind() == reflect.Slice {
				ft, p = ft.Elem(), p+"[]"
			}
			if ft.Kind() == reflect.Struct {
				walk(ft, p)
			}
		}
	}
	walk(reflect.TypeFor[data](), "")
	return out
}

// Functions lists the functions that a letter may call: those of text/template
// that compare and combine.
func Functions() []string {
	return strings.Fields("and or not eq ne lt le gt ge len")
}

// typeName is the type of a field in the words of the reference.
func typeName(t reflect.Type) string {
	switch {
	case t == typeValue:
		return "value"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Bool:
		return "yes/no"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Struct:
		return "group of fields"
	}
	return t.String()
}
