package email

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Conn is one connection to a relay. It is for one goroutine.
type Conn struct {
	relay  *Relay
	client *smtp.Client // nil: closed, the next Send opens a new connection
	wire   *wire
	out    []byte    // what goes out next
	sent   int       // messages over this connection
	last   time.Time // when it was last used
	reset  bool      // a transaction is open that the next one has to end first
	// announced is the message whose envelope went out behind the content of the one
	// before it; its answers are not read yet.
	announced *pipeline.Message

	pipelining, eightBit, dsn, size bool
	limit                           int64 // octets a message; 0: none known
}

// Send hands over one message to its one recipient and waits for the answer. A
// connection that is worn out, has rested too long or was closed by the relay
// before it took anything is renewed without a word. Cancelling ctx closes the
// socket at once: before the dot the answer is unsent, after it doubtful; whoever
// wants to finish in peace cancels nothing and stops calling Send.
//
// next, unless it is nil, is the message that follows: where the relay allows it,
// its envelope travels with the content of m, which saves a round trip. Whoever
// sends another one instead gets a new connection for it, and whoever sends none
// must close this one: the relay waits for the content.
func (c *Conn) Send(ctx context.Context, m, next *pipeline.Message) pipeline.Answer {
	if !sendable(m) {
		return pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Reply: "not handed over: the envelope or the message is unfit"}
	}
	if ctx.Err() != nil {
		return pipeline.Answer{Phase: pipeline.PhaseUnsent, Reply: "stopped before it was handed over"}
	}
	for first := true; ; first = false {
		fresh, err := c.ready(ctx, m)
		if err != nil {
			return unsent(err)
		}
		a, stale := c.handOver(ctx, m, next)
		if a.Broken {
			c.drop()
		}
		// The relay closed a connection that had been ready, and took nothing of this
		// message: that is no failure, relays do it.
		if stale && !fresh && first && ctx.Err() == nil {
			continue
		}
		return a
	}
}

func sendable(m *pipeline.Message) bool {
	return validPath(m.From) && validPath(m.To) && len(m.Body) > 0
}

// ready opens a connection where there is none that is fit for another message,
// and reports whether it did.
func (c *Conn) ready(ctx context.Context, m *pipeline.Message) (fresh bool, err error) {
	if c.client != nil {
		if c.announced == m {
			return false, nil
		}
		if c.announced == nil && c.sent < c.relay.config.PerConnection && c.now().Sub(c.last) < c.relay.config.Idle {
			return false, nil
		}
		c.quit()
	}
	return true, c.dial(ctx)
}

// unsent is the answer when there is no connection.
func unsent(err error) pipeline.Answer {
	a := pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true}
	if e, ok := err.(*pipeline.Error); ok { //nolint:errorlint // dial returns nothing else
		a.Reply, a.Policy = e.Code, e.Permanent
	}
	return a
}

// handOver runs one transaction. stale says that the relay had hung up before it
// answered the first command.
func (c *Conn) handOver(ctx context.Context, m, next *pipeline.Message) (a pipeline.Answer, stale bool) {
	if !c.fits(m) {
		return pipeline.Answer{
			Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Enhanced: "5.3.4",
			Reply: "not handed over: the relay takes " + strconv.FormatInt(c.limit, 10) + " octets a message",
		}, false
	}
	stop := context.AfterFunc(ctx, c.wire.abort)
	a, stale = c.transaction(m, next)
	if !stop() {
		a.Broken = true // ctx ended, the socket is closed
	}
	c.last = c.now()
	return a, stale
}

// fits reports whether a message is not larger than the relay takes.
func (c *Conn) fits(m *pipeline.Message) bool { return c.limit <= 0 || int64(len(m.Body)) <= c.limit }

func (c *Conn) transaction(m, next *pipeline.Message) (pipeline.Answer, bool) {
	// Nothing may wait to be read: it would be taken for the answer to MAIL.
	if c.announced == nil && c.client.Text.R.Buffered() > 0 {
		return broken(pipeline.PhaseUnsent, errReply), true
	}
	a, stale, ok := c.envelope(m)
	if ok {
		a = c.content(m, next)
	}
	return a, stale
}

// command is one command of the envelope and what it waits for.
type command struct {
	step step
	text []byte
	want int // first digit of the answer
}

// envelope sends MAIL, RCPT and DATA, in one go where the relay offers PIPELINING
// (RFC 2920). ok says that the relay now waits for the content; stale that it had
// hung up before its first answer.
func (c *Conn) envelope(m *pipeline.Message) (a pipeline.Answer, stale, ok bool) {
	commands := announced[:]
	if c.announced == nil {
		c.out = c.out[:0]
		commands = c.commands(m, c.reset)
		if c.pipelining {
			if err := c.write(c.out, c.relay.config.Timeouts.Block); err != nil {
				return broken(pipeline.PhaseUnsent, err), true, false
			}
		}
	}
	c.announced = nil
	no := false // somebody said no; what follows is only read
	for i, cmd := range commands {
		r, err := c.exchange(cmd)
		switch {
		case err != nil && no:
			a.Broken = true
			return a, false, false
		case err != nil:
			return broken(pipeline.PhaseUnsent, err), i == 0, false
		case no:
			// Without a recipient there is no message; a relay that wants one nevertheless
			// gets none.
			a.Broken = a.Broken || r.code == 421 || r.is(3) || r.is(2) && cmd.step == stepData
		case !r.is(cmd.want) && !r.is(4) && !r.is(5):
			return broken(pipeline.PhaseUnsent, errReply), i == 0, false
		case !r.is(cmd.want):
			no, a = true, refused(cmd.step, r, m.To)
			stale = i == 0 && (r.code == 421 || cmd.step == stepReset)
		case cmd.step == stepMail:
			c.reset = true
		case cmd.step == stepReset:
			c.reset = false
		}
		if no && (a.Broken || !c.pipelining) {
			return a, stale, false
		}
	}
	return a, stale, !no
}

// announced is what commands returns for a message that was announced.
var announced = [...]command{{step: stepMail, want: 2}, {step: stepRcpt, want: 2}, {step: stepData, want: 3}}

// commands appends the commands of the envelope to c.out. A transaction that ended
// in a refusal is reset here and not when it ends: that saves a round trip.
func (c *Conn) commands(m *pipeline.Message, reset bool) []command {
	var list [4]command
	n, start := 0, len(c.out)
	add := func(s step, want int) {
		c.out = append(c.out, '\r', '\n')
		list[n] = command{s, c.out[start:len(c.out):len(c.out)], want}
		n, start = n+1, len(c.out)
	}
	if reset {
		c.out = append(c.out, "RSET"...)
		add(stepReset, 2)
	}
	c.out = append(append(append(c.out, "MAIL FROM:<"...), m.From...), '>')
	if c.size {
		c.out = strconv.AppendInt(append(c.out, " SIZE="...), int64(len(m.Body)), 10)
	}
	if c.eightBit && slices.ContainsFunc(m.Body, func(b byte) bool { return b >= 0x80 }) {
		c.out = append(c.out, " BODY=8BITMIME"...)
	}
	if c.dsn {
		c.out = append(c.out, " RET=HDRS"...) // never the content: it is about a person
		if m.EnvID != "" {
			c.out = appendXtext(append(c.out, " ENVID="...), m.EnvID)
		}
	}
	add(stepMail, 2)
	c.out = append(append(append(c.out, "RCPT TO:<"...), m.To...), '>')
	if c.dsn {
		c.out = appendXtext(append(c.out, " NOTIFY=FAILURE,DELAY ORCPT=rfc822;"...), m.To)
	}
	add(stepRcpt, 2)
	c.out = append(c.out, "DATA"...)
	add(stepData, 3)
	return list[:n]
}

// exchange sends a command, if it has not been sent with the others, and reads its
// answer.
func (c *Conn) exchange(cmd command) (reply, error) {
	t := c.relay.config.Timeouts
	if !c.pipelining {
		if err := c.write(cmd.text, t.Block); err != nil {
			return reply{}, err
		}
	}
	if cmd.step == stepData {
		return c.read(t.Data)
	}
	return c.read(t.Command)
}

// content sends the message with its final dot in one write, and waits.
//
// If the write fails, the dot has not gone out as long as three bytes or more are
// left of it: then the relay has nothing that is a message, and the socket is
// reset so that it stays so. The library's way, to close the writer, would send
// the dot after all.
//
// The envelope of the message that follows is in the same write: "the actual
// transfer of message content is explicitly allowed to be the first command in a
// group" (RFC 2920, section 3.1).
func (c *Conn) content(m, next *pipeline.Message) pipeline.Answer {
	t := c.relay.config.Timeouts
	c.out = appendStuffed(c.out[:0], m.Body)
	behind := int64(3) // bytes from the dot on
	if c.announces(next) {
		before := len(c.out)
		c.commands(next, false)
		c.announced = next
		behind += int64(len(c.out)-before) + recordMore
	}
	if err := c.write(c.out, t.Block); err != nil {
		if c.wire.unsent.Load() < behind {
			return broken(pipeline.PhaseDoubtful, err)
		}
		// A relay that has enough of a message says so and hangs up.
		if r, rerr := c.read(min(t.Quit, t.Dot)); rerr == nil && (r.is(4) || r.is(5)) {
			a := refused(stepDot, r, m.To)
			a.Broken = true
			return a
		}
		return broken(pipeline.PhaseUnsent, err)
	}
	r, err := c.read(t.Dot)
	switch {
	case err != nil:
		return broken(pipeline.PhaseDoubtful, err)
	case r.is(3):
		return broken(pipeline.PhaseDoubtful, errReply)
	case !r.is(2):
		c.reset = false
		return refused(stepDot, r, m.To)
	}
	c.reset = false
	c.sent++
	return pipeline.Answer{
		Phase: pipeline.PhaseAccepted, Code: r.code, Enhanced: replyStatus(r.code, r.text).String(),
		Reply: r.clean(m.To), QueueID: queueID(r.text),
	}
}

// recordMore is by how much TLS makes a write longer, at most: under it a write that
// failed may have been that of the commands behind the dot alone.
const recordMore = 256

// announces reports whether the envelope of the message that follows may go out
// before the answer to this one: it will be for this connection.
func (c *Conn) announces(next *pipeline.Message) bool {
	return next != nil && c.pipelining && c.sent+1 < c.relay.config.PerConnection && sendable(next) && c.fits(next)
}

// appendStuffed appends a message as it goes out after DATA: a dot in front of
// every line that starts with one, CRLF at the end, and the final dot (RFC 5321,
// section 4.5.2).
func appendStuffed(out, body []byte) []byte {
	if body[0] == '.' {
		out = append(out, '.')
	}
	rest := body
	for {
		i := bytes.Index(rest, []byte("\n."))
		if i < 0 {
			break
		}
		out = append(append(out, rest[:i+2]...), '.')
		rest = rest[i+2:]
	}
	out = append(out, rest...)
	if !bytes.HasSuffix(body, []byte("\r\n")) {
		out = append(out, '\r', '\n')
	}
	return append(out, ".\r\n"...)
}

// broken is the answer where the connection failed.
func broken(p pipeline.Phase, err error) pipeline.Answer {
	a := pipeline.Answer{Phase: p, Broken: true, Reply: "connection lost"}
	var network net.Error
	switch {
	case errors.Is(err, errReply):
		a.Reply = errReply.Error()
	case errors.As(err, &network) && network.Timeout():
		a.Reply = "no answer in time"
	}
	return a
}

func (c *Conn) write(b []byte, limit time.Duration) error {
	if err := c.wire.SetDeadline(c.now().Add(limit)); err != nil {
		return err
	}
	w := c.client.Text.W
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Flush()
}

func (c *Conn) read(limit time.Duration) (reply, error) {
	if c.client.Text.R.Buffered() == 0 {
		if err := c.wire.SetDeadline(c.now().Add(limit)); err != nil {
			return reply{}, err
		}
	}
	return readReply(c.client.Text.R)
}

// now is the machine's time: deadlines and idle times are never compressed.
func (c *Conn) now() time.Time { return clock.Real{}.Now() }

// Close says goodbye where the relay still listens, and closes the socket.
func (c *Conn) Close() error {
	c.quit()
	return nil
}

// quit ends the connection in order. Nothing depends on the answer.
func (c *Conn) quit() {
	if c.client == nil {
		return
	}
	// Where a message is announced, QUIT would be its first line.
	if limit := c.relay.config.Timeouts.Quit; c.announced == nil && c.write([]byte("QUIT\r\n"), limit) == nil {
		_, _ = c.read(limit)
		_ = c.client.Close()
	}
	c.drop()
}

// drop cuts the connection off.
func (c *Conn) drop() {
	if c.client != nil {
		c.wire.abort()
		c.client, c.wire, c.announced = nil, nil, nil
	}
}
