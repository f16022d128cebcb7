package listen

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/emersion/go-smtp"
)

// session is one connection.
type session struct {
	s     *Server
	ctx   context.Context
	guest *guest
	from  string
	to    []string
}

func refusal(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// later is the answer when a message cannot be kept now: the relay keeps it.
func later() *smtp.SMTPError {
	return refusal(451, smtp.EnhancedCode{4, 3, 0}, "cannot be kept now, come back later")
}

// Reset implements smtp.Session. It ends a transaction, and comes after its answers
// have been written.
func (s *session) Reset() {
	s.from, s.to = "", nil
	s.occupy(false)
}

// Logout implements smtp.Session.
func (s *session) Logout() error {
	s.occupy(false)
	return nil
}

// Mail implements smtp.Session. Any sender will do, and the null sender above all.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ok, err := s.s.config.Takes(s.ctx, to)
	switch {
	case err != nil:
		s.s.config.Log.Warn("the recipients of what comes back cannot be looked up now", "error", err)
		return later()
	case !ok:
		return refusal(550, smtp.EnhancedCode{5, 1, 1}, "no such mailbox here")
	}
	s.occupy(true)
	s.to = append(s.to, to)
	return nil
}

// occupy says whether a transaction with a recipient is under way. It is from the
// recipient to [session.Reset]: were it only while the message is read, a server that
// stops could close the connection between the message kept and its 250, and the
// relay would bring it twice.
func (s *session) occupy(busy bool) {
	if s.guest != nil {
		s.guest.busy.Store(busy)
	}
}

// Data implements smtp.Session. A message is kept for all of its recipients, or
// the relay keeps it for all: what was kept for some already is known again.
func (s *session) Data(r io.Reader) error {
	raw, release, err := s.read(r)
	defer release()
	if err != nil {
		return err
	}
	for _, to := range s.to {
		if err := s.keep(to, raw); err != nil {
			return err
		}
	}
	return nil
}

// LMTPData implements smtp.LMTPSession: an answer a recipient.
func (s *session) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	raw, release, err := s.read(r)
	defer release()
	if err != nil {
		return err
	}
	for _, to := range s.to {
		status.SetStatus(to, s.keep(to, raw))
	}
	return nil
}

func (s *session) keep(to string, raw []byte) error {
	// What is under way is finished even when the server stops.
	err := s.s.config.Keep(context.WithoutCancel(s.ctx), Envelope{From: s.from, To: to, Raw: raw})
	if err != nil {
		s.s.config.Log.Warn("what came back cannot be kept now; the relay keeps it", "error", err)
		return later()
	}
	if s.guest != nil {
		s.guest.stay()
	}
	return nil
}

// chunk is how much is read at a time.
const chunk = 32 << 10

// read reads a message to its end. All messages that are being read share the
// memory that there is; one that does not fit is for later. release gives it back.
func (s *session) read(r io.Reader) (raw []byte, release func(), err error) {
	held := int64(0)
	release = func() { s.s.memory.Add(-held) }
	full := false
	for {
		if !full && cap(raw)-len(raw) < chunk/2 {
			grow := max(chunk, cap(raw))
			held += int64(grow)
			if s.s.memory.Add(int64(grow)) > s.s.config.MaxMemory {
				full, raw = true, nil
			} else {
				raw = slices.Grow(raw, grow)
			}
		}
		if full { // to its end all the same, so that the next command is one
			_, err := io.Copy(io.Discard, r)
			if err != nil {
				return nil, release, s.fault(err)
			}
			return nil, release, refusal(452, smtp.EnhancedCode{4, 3, 1}, "too much at a time, come back later")
		}
		n, err := r.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if errors.Is(err, io.EOF) {
			return raw, release, nil
		}
		if err != nil {
			return nil, release, s.fault(err)
		}
	}
}

// fault is the answer to a message that does not come to its end.
func (s *session) fault(err error) error {
	if _, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return err
	}
	if errors.Is(err, smtp.ErrTooLongLine) {
		return refusal(500, smtp.EnhancedCode{5, 6, 0}, "a line is too long")
	}
	return later()
}
