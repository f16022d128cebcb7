package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// Letter is the rendered content of a notice in one locale: what text, HTML and
// PDF renderers all walk, so that e-mail and paper say the same.
type Letter struct {
	Locale    string
	Subject   string
	Kind      AttemptKind // a fallback or a copy says that it is one
	Channel   Channel
	Format    string // standard, large-print, …
	Date      time.Time
	Sender    Sender
	SenderKey string
	Reference Reference
	Recipient string // full name, for the To header and the envelope
	Labels    Labels
	Blocks    []Block // shared between letters: nobody changes them
}

// Labels are the words around the blocks, in the language of the letter: a
// renderer sets its head and foot with them and needs to know no language.
type Labels struct {
	Date      string // the date of the letter, written out: "20 janvier 2026"
	Subject   string // "Objet"
	Reference string // "Référence"
	Page      string // "Page {n}/{total}"
	Colon     string // between a label and its value: " : " with a no-break space, ": "
}

// BlockKind is the type of a Block.
type BlockKind string

const (
	Paragraph BlockKind = "paragraph"
	Heading   BlockKind = "heading" // Level 2 or 3; level 1 is the subject
	List      BlockKind = "list"    // Items, each a list of blocks; Ordered or not
	Table     BlockKind = "table"   // Rows of cells; the first row is the head
	Quote     BlockKind = "quote"   // an important note, set apart
	Divider   BlockKind = "divider"
)

// Block is a paragraph-level element.
type Block struct {
	Kind    BlockKind
	Level   int
	Ordered bool
	Spans   []Span    // Paragraph, Heading
	Items   [][]Block // List, Quote (one item)
	Rows    [][]Cell  // Table
	// Shared is a place of a block that many letters have, and no part of any of
	// them; nil for a block that holds values of one customer.
	Shared *Shared
}

// Form is a way to render a block.
type Form int

const (
	FormText Form = iota
	FormHTML
	FormTextQuoted // as it travels in an e-mail
	FormHTMLQuoted
	FormHash
	forms
)

// Shared is where renderers keep what they made of a block, for the next letter
// that has it. It is safe for concurrent use.
type Shared struct{ made [forms]atomic.Pointer[[]byte] }

// Get returns what Put kept, nil if there is nothing. Nobody may change it.
func (s *Shared) Get(f Form) []byte {
	if b := s.made[f].Load(); b != nil {
		return *b
	}
	return nil
}

// Put keeps the block as it looks in one form.
func (s *Shared) Put(f Form, b []byte) { s.made[f].Store(&b) }

// Cell is one cell of a table.
type Cell []Span

// Span is a run of text in one style. Text holds no markup; "\n" is a hard line
// break.
type Span struct {
	Text   string
	Strong bool
	Em     bool
	Link   string // target, only where the campaign's allow-list has its host
}

// Plain returns the text of spans without style.
func Plain(spans []Span) string {
	if len(spans) == 1 {
		return spans[0].Text // most are
	}
	n := 0
	for _, s := range spans {
		n += len(s.Text)
	}
	b := make([]byte, 0, n)
	for _, s := range spans {
		b = append(b, s.Text...)
	}
	return string(b)
}

// Hash is the SHA-256 of the canonical form of the letter: the same letter gives
// the same hash on every machine and version of Go.
func (l *Letter) Hash() [sha256.Size]byte {
	// One buffer and one sum: thousands of small writes cost more than the letter.
	h := hashing.Get().(*canonical)
	defer hashing.Put(h)
	*h = (*h)[:0]
	h.text("art34/letter/1", l.Locale, l.Subject, string(l.Kind), string(l.Channel), l.Format, l.Date.UTC().Format(time.DateOnly), l.SenderKey, string(l.Reference), l.Recipient)
	h.text(l.Labels.Date, l.Labels.Subject, l.Labels.Reference, l.Labels.Page, l.Labels.Colon)
	h.blocks(l.Blocks)
	return sha256.Sum256(*h)
}

// hashing keeps the buffers of Hash: letters are hashed by the million.
var hashing = sync.Pool{New: func() any { h := make(canonical, 0, 12<<10); return &h }}

// canonical is the canonical form of a letter: every string and list behind its
// length, so that no two letters share one.
type canonical []byte

func (h *canonical) text(list ...string) {
	for _, s := range list {
		h.number(len(s))
		*h = append(*h, s...)
	}
}

func (h *canonical) number(n int) { *h = binary.BigEndian.AppendUint64(*h, uint64(n)) }

func (h *canonical) blocks(list []Block) {
	h.number(len(list))
	for i := range list {
		b := &list[i]
		start := len(*h)
		if b.Shared != nil {
			if made := b.Shared.Get(FormHash); made != nil {
				*h = append(*h, made...)
				continue
			}
		}
		h.text(string(b.Kind))
		h.number(b.Level)
		h.flag(b.Ordered)
		h.spans(b.Spans)
		h.number(len(b.Items))
		for _, item := range b.Items {
			h.blocks(item)
		}
		h.number(len(b.Rows))
		for _, row := range b.Rows {
			h.number(len(row))
			for _, cell := range row {
				h.spans(cell)
			}
		}
		if b.Shared != nil {
			b.Shared.Put(FormHash, bytes.Clone((*h)[start:]))
		}
	}
}

func (h *canonical) spans(list []Span) {
	h.number(len(list))
	for i := range list {
		s := &list[i]
		h.text(s.Text, s.Link)
		h.flag(s.Strong)
		h.flag(s.Em)
	}
}

func (h *canonical) flag(b bool) {
	n := 0
	if b {
		n = 1
	}
	h.number(n)
}
