package letter

import (
	"bytes"
	"sync"

	"github.com/art34/art34/pipeline"
)

// Encoding appends text in another form, as e-mail needs it. It treats every line by
// itself: two texts that end in a line feed are encoded one after the other as they
// are together.
type Encoding func(dst, text []byte) []byte

// quoter puts a letter together from what is encoded already and what is not. The
// zero value encodes nothing.
type quoter struct {
	encode Encoding
	done   []byte // encoded
}

func newQuoter(dst []byte, encode Encoding) quoter { return quoter{encode: encode, done: dst} }

// scratches keeps the buffers for what is not encoded yet.
var scratches = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// flush encodes what was written.
func (q *quoter) flush(out *[]byte) {
	if q.encode != nil {
		q.done = q.encode(q.done, *out)
		*out = (*out)[:0]
	}
}

// keep encodes a block and keeps it with those that share it. It ends in a line feed.
func (q *quoter) keep(s *pipeline.Shared, f pipeline.Form, block []byte) []byte {
	if q.encode != nil {
		block = q.encode(nil, block)
	} else {
		block = bytes.Clone(block)
	}
	if block == nil {
		block = []byte{}
	}
	s.Put(f, block)
	return block
}

// join adds a block as keep left it.
func (q *quoter) join(out *[]byte, block []byte) {
	if q.encode == nil {
		*out = append(*out, block...)
		return
	}
	q.flush(out)
	q.done = append(q.done, block...)
}
