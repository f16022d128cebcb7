package letter_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

// TestSharedWork: a set that has written many letters writes each like a set that
// has written none, in every form. What letters share must not mix them up.
func TestSharedWork(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(34, 1))
	busy := load(t, sampleSpec())
	kinds := busy.Kinds()
	// Line by line, like quoted-printable.
	quote := func(dst, text []byte) []byte {
		for line := range bytes.Lines(text) {
			dst = append(fmt.Appendf(dst, "%q", bytes.TrimSuffix(line, []byte("\n"))), "\r\n"...)
		}
		return dst
	}
	var q letter.Request
	for i := range 250 {
		if i%5 == 0 {
			q = anyRequest(r, kinds)
		} else {
			q = almost(r, q, kinds) // what is nearly the same is mixed up most easily
		}
		fresh := load(t, sampleSpec())
		got, err := busy.Render(q)
		want, err2 := fresh.Render(q)
		if pipeline.ErrorCode(err) != pipeline.ErrorCode(err2) {
			t.Fatalf("request %d: %v, a fresh set says %v", i, err, err2)
		}
		if err != nil {
			continue
		}
		if got.Hash() != want.Hash() || got.Subject != want.Subject {
			t.Fatalf("request %d: the letters differ:\n%s\n%s", i, letter.Text(got), letter.Text(want))
		}
		for _, form := range []struct {
			name        string
			plain       func(*pipeline.Letter) []byte
			appendTo    func([]byte, *pipeline.Letter, letter.Encoding) []byte
			busy, fresh *pipeline.Letter
		}{{"text", letter.Text, letter.AppendText, got, want}, {"HTML", letter.HTML, letter.AppendHTML, got, want}} {
			plain := form.plain(form.fresh)
			if b := form.plain(form.busy); !bytes.Equal(b, plain) {
				t.Fatalf("request %d, %s:\n%s\nwant\n%s", i, form.name, b, plain)
			}
			if b, w := form.appendTo([]byte("x"), form.busy, quote), quote([]byte("x"), plain); !bytes.Equal(b, w) {
				t.Fatalf("request %d, %s encoded:\n%s\nwant\n%s", i, form.name, b, w)
			}
		}
	}
}

// almost returns a request that differs in one point.
func almost(r *rand.Rand, q letter.Request, kinds []string) letter.Request {
	p := &q.Person
	p.Own, p.Contracts = slices.Clone(p.Own), slices.Clone(p.Contracts)
	if len(p.Contracts) > 0 {
		c := &p.Contracts[r.IntN(len(p.Contracts))]
		switch c.Data = slices.Clone(c.Data); r.IntN(6) {
		case 0:
			c.ID = ""
			return q
		case 1:
			if len(c.Data) > 0 {
				x := &c.Data[r.IntN(len(c.Data))]
				x.Possible = !x.Possible
				return q
			}
		case 2:
			c.Data = append(c.Data, pipeline.Exposure{Kind: kinds[r.IntN(len(kinds))]})
			return q
		}
	}
	switch r.IntN(6) {
	case 0:
		if len(p.Own) > 0 {
			x := &p.Own[r.IntN(len(p.Own))]
			x.Possible = !x.Possible
		}
	case 1:
		p.Own = append(p.Own, pipeline.Exposure{Kind: kinds[r.IntN(len(kinds))]})
	case 2:
		p.Representative = "Paul Modèle"
	case 3:
		q.FirstWritten = time.Time{}
	case 4:
		q.Kind = pipeline.CopyOf
	case 5:
		q.Notice.Sender, q.Channel = "second", pipeline.Post
	}
	return q
}

// anyRequest asks for a letter to somebody of whom something was exposed.
func anyRequest(r *rand.Rand, kinds []string) letter.Request {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	exposed := func() (out []pipeline.Exposure) {
		for range r.IntN(4) {
			out = append(out, pipeline.Exposure{Kind: kinds[r.IntN(len(kinds))], Possible: r.IntN(4) == 0})
		}
		return out
	}
	p := pipeline.Person{
		Title: pick("", "M.", "MME", "Dr"), FirstName: pick("", "Zoé", "*Jean*"), LastName: pick("", "MARTIN", "O'Neil", "<b>"), Company: pick("", "Boulangerie d’Exemple"),
		Representative: pick("", "", "Anne Modèle"), Reference: pipeline.NewReference(r.Uint64()), Own: exposed(),
	}
	for range r.IntN(4) {
		p.Contracts = append(p.Contracts, pipeline.Contract{ID: pick("", "7-001", "7-002 A"), Label: pick("", "Mobile 10 Go", "# Fibre"), Data: exposed()})
	}
	role := []pipeline.Role{pipeline.Primary, pipeline.Primary, pipeline.Supplement, pipeline.Copy}[r.IntN(4)]
	q := letter.Request{
		Notice: pipeline.Notice{ID: r.Int64(), Role: role, Locale: pick("fr", "en", "de"), Sender: pick("main", "second", "")}, Person: p,
		Kind:    []pipeline.AttemptKind{pipeline.First, pipeline.Fallback, pipeline.CopyOf, pipeline.Resend}[r.IntN(4)],
		Channel: []pipeline.Channel{pipeline.Email, pipeline.Post}[r.IntN(2)], Date: time.Date(2026, 1, 20+r.IntN(3), 9, 0, 0, 0, time.UTC),
	}
	if r.IntN(2) == 0 {
		q.FirstWritten = time.Date(2026, 1, 18, 0, 0, 0, 0, time.UTC)
	}
	return q
}
