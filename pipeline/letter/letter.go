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
	who, err := s.fillData(st, voice, key, sh.template != templateAwareness, r, written)
	if err != nil {
		return nil, err
	}
	subject, err := st.line(sh, voice)
	if err != nil {
		return nil, err
	}
	blocks, err := st.blocks(sh, voice)
	if err != nil {
		return nil, err
	}
	return &pipeline.Letter{
		Locale: voice.Code, Subject: subject, Kind: r.Kind, Channel: r.Channel, Format: format(r.Notice.Format), Date: day,
		Sender: s.spec.Senders[key], SenderKey: key, Reference: r.Person.Reference, Recipient: who.name,
		Labels: voice.labels(written), Blocks: blocks,
	}, nil
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
}

func (st *state) reset() {
	clear(st.values)
	st.data, st.values = data{}, st.values[:0]
	st.out.Reset()
}

// line renders the subject: one paragraph, without style.
func (st *state) line(sh *sheet, v *voice) (string, error) {
	if err := sh.subject.Execute(&st.out, &st.data); err != nil {
		return "", broken(sh, err)
	}
	blocks, err := v.sections.render(st.out.Bytes(), st.values)
	if err != nil {
		return "", broken(sh, err)
	}
	if len(blocks) != 1 || blocks[0].Kind != pipeline.Paragraph {
		return "", broken(sh, errors.New("the subject is not one line of text"))
	}
	st.out.Reset()
	return pipeline.Plain(blocks[0].Spans), nil
}

// blocks renders the body.
func (st *state) blocks(sh *sheet, v *voice) ([]pipeline.Block, error) {
	if err := sh.letter.Execute(&st.out, &st.data); err != nil {
		return nil, broken(sh, err)
	}
	blocks, err := v.sections.render(st.out.Bytes(), st.values)
	if err != nil {
		return nil, broken(sh, err)
	}
	return blocks, nil
}

// broken wraps what went wrong while a checked template ran.
func broken(sh *sheet, err error) error {
	if errors.Is(err, errTooLong) || errors.Is(err, markdown.ErrSize) {
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
