package email

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

// frame is what the messages of a sender with one subject and one date have in
// common, as go-mail writes it, open at the places where they differ.
type frame struct {
	domain string   // of the return path and the Message-ID, in ASCII
	pieces [][]byte // what stands before each slot, and behind the last
	slots  []slot
	size   int // of the pieces
}

// slot is what goes in between two pieces.
type slot int

const (
	slotTo       slot = iota // the whole header field
	slotBoundary             // also the local part of the Message-ID
	slotText
	slotHTML
)

// frameKey is everything that a frame depends on.
type frameKey struct {
	sender, from, name, replyTo, domain string
	subject, locale                     string
	kind                                pipeline.AttemptKind
	second                              int64
	zone                                int // seconds east of UTC
}

// frames keeps the frames of late: building one costs more than the rest of a
// message.
type frames struct {
	mu sync.Mutex
	by map[frameKey]*frame
}

// framesMost is how many are kept. A campaign has a few a second.
const framesMost = 256

// Stand-ins for what differs. The one for the boundary is as long as a boundary is,
// so that go-mail breaks lines where it would.
const (
	anyBoundary  = "0123456789abcdefghijklmnopqrstu"
	anyRecipient = "here@here.invalid"
	anyTo        = "To: <" + anyRecipient + ">"
	anyPart      = "here"
)

// frame returns the frame of a letter's message.
func (c *Composer) frame(l *pipeline.Letter, at time.Time) (*frame, error) {
	_, zone := at.Zone()
	key := frameKey{
		sender: l.SenderKey, from: l.Sender.From, name: l.Sender.DisplayName, replyTo: l.Sender.ReplyTo, domain: l.Sender.EnvelopeDomain,
		subject: l.Subject, locale: l.Locale, kind: l.Kind, second: at.Unix(), zone: zone,
	}
	c.frames.mu.Lock()
	f := c.frames.by[key]
	c.frames.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := c.newFrame(l, at)
	if err != nil {
		return nil, err
	}
	c.frames.mu.Lock()
	defer c.frames.mu.Unlock()
	if len(c.frames.by) >= framesMost || c.frames.by == nil {
		c.frames.by = map[frameKey]*frame{}
	}
	c.frames.by[key] = f
	return f, nil
}

// newFrame lets go-mail build a message with stand-ins.
func (c *Composer) newFrame(l *pipeline.Letter, at time.Time) (*frame, error) {
	from, err := senderAddress("from", l.Sender.From)
	if err != nil {
		return nil, err
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary(anyBoundary))
	msg.SetAddrHeaderFromMailAddress(mail.HeaderFrom, &netmail.Address{Name: l.Sender.DisplayName, Address: from})
	if l.Sender.ReplyTo != "" {
		replyTo, err := senderAddress("reply_to", l.Sender.ReplyTo)
		if err != nil {
			return nil, err
		}
		msg.SetAddrHeaderFromMailAddress(mail.HeaderReplyTo, &netmail.Address{Name: l.Sender.DisplayName, Address: replyTo})
	}
	domain, err := idna.Domain(l.Sender.EnvelopeDomain)
	if err != nil {
		return nil, unfit("sender-domain", "the envelope domain of the sender is not a host name", "correct senders."+l.SenderKey+".envelope_domain in campaign.yaml")
	}
	msg.SetAddrHeaderFromMailAddress(mail.HeaderTo, &netmail.Address{Address: anyRecipient})
	msg.Subject(encodeSubject(l.Subject))
	msg.SetDateWithValue(at)
	msg.SetGenHeader(mail.HeaderMessageID, "<"+anyBoundary+"@"+domain+">")
	msg.SetGenHeader(headerAutoSubmitted, "auto-generated")
	msg.SetGenHeader(mail.HeaderXAutoResponseSuppress, autoResponses)
	if l.Locale != "" {
		msg.SetGenHeader(headerContentLanguage, l.Locale)
	}
	if c.config.CodeName != "" {
		msg.SetGenHeader(headerFeedbackID, c.feedbackID(l, from))
	}
	msg.SetBodyString(mail.TypeTextPlain, anyPart)
	msg.AddAlternativeString(mail.TypeTextHTML, anyPart)
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		// go-mail's errors may print addresses.
		return nil, unbuildable()
	}
	whole := unfold(b.Bytes(), "\r\nMessage-ID:\r\n ")
	if err := wellFormed(whole); err != nil {
		return nil, err
	}
	f := &frame{domain: domain}
	return f, f.cut(whole)
}

// unfold takes the line break out of a header field that go-mail has broken behind
// its name. Programs that look for a Message-ID by line would find none, and what
// comes back would name nothing.
func unfold(message []byte, field string) []byte {
	i := bytes.Index(message, []byte(field))
	if i < 0 {
		return message
	}
	i += len(field) - len("\r\n ")
	return append(message[:i], message[i+len("\r\n"):]...)
}

// cut finds the stand-ins. Each has to be there as often as go-mail writes it:
// what a sender calls himself must not be taken for one.
func (f *frame) cut(whole []byte) error {
	const boundaries = 5 // Message-ID, Content-Type, before each part, at the end
	if bytes.Count(whole, []byte(anyBoundary)) != boundaries || bytes.Count(whole, []byte("\r\n"+anyTo+"\r\n")) != 1 || bytes.Count(whole, []byte("\r\n\r\n"+anyPart+"\r\n")) != 2 {
		return unbuildable()
	}
	parts := []slot{slotText, slotHTML}
	start := 0
	open := func(at, length int, s slot) {
		f.pieces, f.slots = append(f.pieces, whole[start:at]), append(f.slots, s)
		f.size += at - start
		start = at + length
	}
	for i := 0; i < len(whole); i++ {
		switch rest := whole[i:]; {
		case bytes.HasPrefix(rest, []byte(anyBoundary)):
			open(i, len(anyBoundary), slotBoundary)
		case bytes.HasPrefix(rest, []byte("\r\n"+anyTo+"\r\n")):
			open(i+2, len(anyTo)+2, slotTo)
		case bytes.HasPrefix(rest, []byte("\r\n\r\n"+anyPart+"\r\n")):
			open(i+4, len(anyPart), parts[0])
			parts = parts[1:]
		default:
			continue
		}
		i = start - 1
	}
	f.pieces = append(f.pieces, whole[start:])
	f.size += len(whole) - start
	return nil
}

// fill returns a message. to is the whole header field.
func (f *frame) fill(to, boundary string, text, html []byte) []byte {
	out := make([]byte, 0, f.size+len(to)+5*len(boundary)+len(text)+len(html))
	for i, s := range f.slots {
		out = append(out, f.pieces[i]...)
		switch s {
		case slotTo:
			out = append(out, to...)
		case slotBoundary:
			out = append(out, boundary...)
		case slotText:
			out = append(out, text...)
		case slotHTML:
			out = append(out, html...)
		}
	}
	return append(out, f.pieces[len(f.slots)]...)
}

// foldAt is how long a line of a header field may be before go-mail folds it.
const foldAt = 76

// field is a header field with its line end, folded as go-mail does.
func field(name, value string) string {
	var b strings.Builder
	b.Grow(len(name) + len(value) + 16)
	b.WriteString(name)
	b.WriteByte(':')
	room := foldAt - 2 - len(name) - 2
	for word := range strings.SplitSeq(value, " ") {
		if room-len(word) <= 1 {
			b.WriteString("\r\n")
			room = foldAt - 3
		}
		b.WriteByte(' ')
		b.WriteString(word)
		room -= len(word) + 1
	}
	b.WriteString("\r\n")
	return b.String()
}

func unbuildable() error {
	return unfit("message-unbuildable", "the message cannot be built", "")
}
