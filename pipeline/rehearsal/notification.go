package rehearsal

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// original is what the relay keeps of a message that something comes back for.
type original struct {
	From   string `json:"from"` // return path
	To     string `json:"to"`
	EnvID  string `json:"envid,omitempty"` // RFC 3461
	Header string `json:"header"`          // with LF line ends, without the empty line
}

// field returns the first field of a name in the header, unfolded; "" without one.
func (o original) field(name string) string {
	value, found := "", false
	for line := range strings.SplitSeq(o.Header, "\n") {
		if found && line != "" && (line[0] == ' ' || line[0] == '\t') {
			value += " " + strings.TrimSpace(line)
			continue
		}
		if found {
			break
		}
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			value, found = strings.TrimSpace(v), true
		}
	}
	return value
}

//go:embed shapes/*.eml
var shapeFiles embed.FS

// post writes what comes back.
type post struct {
	seed   uint64
	shapes *template.Template
}

func newPost(seed uint64) (*post, error) {
	t, err := template.New("shapes").Option("missingkey=error").ParseFS(shapeFiles, "shapes/*.eml")
	if err != nil {
		return nil, err
	}
	return &post{seed: seed, shapes: t}, nil
}

// letter is what a shape is filled with.
type letter struct {
	said
	ReturnPath, Recipient, Domain, SenderDomain, ReplyTo string
	MessageID, Subject, EnvID, Header                    string
	Host, Queue, Boundary                                string
	Date, Arrived, Until                                 string
	Delayed, Delivered                                   bool
}

// write returns a message that comes back at a time, and the address to which it
// goes: the return path, or for some of the people's answers the Reply-To. The
// same arguments give the same bytes.
func (p *post) write(w what, o original, at time.Time) (to string, raw []byte, err error) {
	from := o.From
	if w == whatForged {
		// Whoever forges has seen none of our mails.
		id := o.field("Message-ID")
		o.Header = strings.ReplaceAll(o.Header, id, "<"+forge(strings.Trim(id, "<>"))+">")
		o.From, o.EnvID = forge(o.From), ""
	}
	sh := shapeOf(p.seed, o.To)
	id := fmt.Sprintf("%013X", uint64(chance(p.seed, "id/"+string(w), from)*(1<<52)))
	l := letter{
		ReturnPath: o.From, Recipient: o.To, Domain: domainOf(o.To), SenderDomain: domainOf(o.From),
		MessageID: o.field("Message-ID"), Subject: o.field("Subject"), EnvID: o.EnvID, Header: o.Header,
		Queue: id[:11], Boundary: fmt.Sprint(at.Unix()) + id[11:],
		Date: stamp(at), Arrived: stamp(at.Add(-time.Minute)), Until: stamp(at.Add(24 * time.Hour)),
		Delayed: w == whatDelayed, Delivered: w == whatDelivered,
	}
	l.Host = hostOf(sh, l.Domain)
	l.said = say(sh, w, l)
	to, name := o.From, string(sh)
	switch w {
	case whatAbsence, whatLeft, whatReply, whatStop, whatComplaint, whatGarbage:
		name = string(w)
	}
	if w == whatReply || w == whatStop {
		// Some programs answer to the return path, whatever Reply-To says.
		l.ReplyTo = bare(o.field("Reply-To"))
		if l.ReplyTo == "" || chance(p.seed, "reply-to", o.To) < 0.5 {
			l.ReplyTo = o.From
		}
		to = l.ReplyTo
	}
	var b bytes.Buffer
	if err := p.shapes.ExecuteTemplate(&b, name+".eml", l); err != nil {
		return "", nil, err
	}
	return to, bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte("\r\n")), nil
}

// sender is the envelope sender of what comes back: empty for all that machines
// write (RFC 5321 §4.5.5).
func sender(w what, o original) string {
	if w == whatReply || w == whatStop {
		return o.To
	}
	return ""
}

// forge returns an address of the same form with a signature that is wrong.
func forge(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 4 {
		return "forged@" + domainOf(address)
	}
	// Not the last character: it may hold spare bits, and then the form were wrong.
	other := "0"
	if address[at-3] == '0' {
		other = "1"
	}
	return address[:at-3] + other + address[at-2:]
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// bare is the address of a header field, without its name.
func bare(field string) string {
	if i := strings.LastIndexByte(field, '<'); i >= 0 {
		field, _, _ = strings.Cut(field[i+1:], ">")
	}
	return strings.TrimSpace(field)
}

// stamp writes a time as headers do.
func stamp(t time.Time) string { return t.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700") }

// hostOf is who writes a notification: our relay, or the server of the recipient.
func hostOf(s shape, domain string) string {
	switch s {
	case shapeExchange:
		return "PR0P264MB0001.fra.prod.exchange.example"
	case shapeGmail:
		return "mx." + domain
	}
	return "relay.practice.example"
}
