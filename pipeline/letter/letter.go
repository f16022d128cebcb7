package letter

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
)

// Renderer is the version of everything in this package that can be seen in a
// letter. It is recorded with every attempt; raise it when the same input gives
// other bytes.
const Renderer = "letter/1"

// maxLetter bounds a letter in Markdown, in bytes: about a hundred pages.
const maxLetter = 256 << 10

// Request asks for one letter.
type Request struct {
	Notice  pipeline.Notice // Role, Locale, Format and Sender matter
	Person  pipeline.Person // with its Reference
	Kind    pipeline.AttemptKind
	Channel pipeline.Channel
	Date    time.Time // of the letter; its calendar day counts, in its own location
	// FirstWritten is the day of the earlier message that a fallback or a copy
	// repeats and a supplement completes; zero if unknown: the letter then says so
	// without a date.
	FirstWritten time.Time
}

// Render writes the letter of a notice. It fails with a *pipeline.Error that
// concerns this customer alone, with one of the codes
//
//	no-recipient      neither a name nor a company
//	nothing-exposed   a breach without any data of this customer
//	no-reference      the person has none
//	data-kind-unknown a data kind without wording in the language of the letter
//	letter-too-long   more than about a hundred pages
//	letter-missing    the campaign has no such letter, locale or sender
//
// Errors hold no personal data. The blocks of the letter are shared with others:
// nobody may change them.
func (s *Set) Render(r Request) (*pipeline.Letter, error) {
	sh, voice, err := s.choose(r.Notice)
	if err != nil {
		return nil, err
	}
	key, ok := s.senderKey(r.Notice)
	if !ok {
		return nil, missing("there is no sender %q in campaign.yaml", key)
	}
	st := s.states.Get().(*state)
	defer func() {
		st.reset() // people do not stay in memory for longer than they have to
		s.states.Put(st)
	}()
	day := calendarDay(r.Date)
	written := voice.date(day)
	a, err := s.ask(st, voice, sh.template != templateAwareness, r, written)
	if err != nil {
		return nil, err
	}
	st.key = a.key(st.key[:0], key, r)
	p, ok := sh.plans.get(st.key)
	if !ok {
		if p, err = s.plan(st, sh, voice, key, &a, r); err != nil {
			return nil, err
		}
		sh.plans.put(string(st.key), p)
	}
	return &pipeline.Letter{
		Locale: voice.Code, Subject: pipeline.Plain(p.subject.filled(st.values)[0].Spans), Kind: r.Kind, Channel: r.Channel, Format: format(r.Notice.Format), Date: day,
		Sender: voice.letterhead[key], SenderKey: key, Reference: r.Person.Reference, Recipient: a.who.name,
		Labels: voice.labels(written), Blocks: p.blocks.filled(st.values),
	}, nil
}

// plan is how a letter reads, values left open. Customers of whom the same was
// exposed share one, so that the template runs once for all of them.
type plan struct {
	subject, blocks document
}

// planBytes bounds the keys of the plans that are kept, per letter file and
// generation. A plan takes about ten times its key, which has some 60 bytes.
const planBytes = 512 << 10

// plan runs the template.
func (s *Set) plan(st *state, sh *sheet, v *voice, sender string, a *about, r Request) (*plan, error) {
	var err error
	if st.data, err = s.view(v, sender, a, r); err != nil {
		return nil, err
	}
	p := &plan{}
	if p.subject, err = st.line(sh, v); err != nil {
		return nil, err
	}
	p.blocks, err = st.blocks(sh, v)
	return p, err
}

// choose returns the letter file and the voice of a notice.
func (s *Set) choose(n pipeline.Notice) (*sheet, *voice, error) {
	v, ok := s.voices[s.spec.Locale(n.Locale)]
	if !ok {
		return nil, nil, missing("the campaign has no letters in the locale %q", n.Locale)
	}
	kind := s.spec.Letters.Template
	if n.Role == pipeline.Supplement {
		kind = templateSupplement
	}
	sh, ok := v.sheets[kind]
	if !ok {
		return nil, nil, missing("the campaign has no letter %s.%s.md", kind, v.Code)
	}
	return sh, v, nil
}

// senderKey returns the key of the brand that writes.
func (s *Set) senderKey(n pipeline.Notice) (string, bool) {
	key := n.Sender
	if key == "" {
		key = s.spec.SenderFor(n.Products)
	}
	_, ok := s.spec.Senders[key]
	return key, ok
}

func missing(format string, args ...any) error {
	return &pipeline.Error{Code: "letter-missing", Permanent: true, Sentence: fmt.Sprintf(format, args...)}
}

func format(f string) string {
	if f == "" {
		return pipeline.FormatStandard
	}
	return f
}

// calendarDay is the date of a letter, whatever the time zone it came in.
func calendarDay(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// state is what one rendering needs, kept for the next.
type state struct {
	data   data
	values values
	out    bounded
	key    []byte
}

func (st *state) reset() {
	clear(st.values)
	st.data, st.values = data{}, st.values[:0]
	st.out.Reset()
}

// line renders the subject: one paragraph, without style.
func (st *state) line(sh *sheet, v *voice) (document, error) {
	if err := sh.subject.Execute(&st.out, &st.data); err != nil {
		return document{}, broken(sh, err)
	}
	d, err := v.sections.document(st.out.Bytes())
	if err != nil {
		return d, broken(sh, err)
	}
	if blocks := d.filled(st.values); len(blocks) != 1 || blocks[0].Kind != pipeline.Paragraph {
		return d, broken(sh, errors.New("the subject is not one line of text"))
	}
	st.out.Reset()
	return d, nil
}

// blocks renders the body.
func (st *state) blocks(sh *sheet, v *voice) (document, error) {
	if err := sh.letter.Execute(&st.out, &st.data); err != nil {
		return document{}, broken(sh, err)
	}
	d, err := v.sections.document(st.out.Bytes())
	if err != nil {
		return d, broken(sh, err)
	}
	return d, nil
}

// broken wraps what went wrong while a checked template ran.
func broken(sh *sheet, err error) error {
	if _, heavy := errors.AsType[*markdown.HeavyError](err); heavy || errors.Is(err, errTooLong) || errors.Is(err, markdown.ErrSize) {
		return tooLong()
	}
	return &pipeline.Error{Code: "letter-broken", Permanent: true, Sentence: "the letter " + sh.file + " cannot be rendered", Cause: err}
}

func tooLong() error {
	return &pipeline.Error{Code: "letter-too-long", Permanent: true,
		Sentence: "this customer's letter is longer than about a hundred pages",
		Hint:     "exclude the notice and write to this customer by hand"}
}

var errTooLong = errors.New("longer than a letter may be")

// bounded is a buffer that refuses to grow beyond maxLetter.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxLetter {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}
