package seal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func spilled(t testing.TB, s *Spill, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := s.Writer(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func TestSpillOfEverySize(t *testing.T) {
	t.Parallel()
	s := NewSpill()
	for _, n := range []int{0, 1, 100, frameSize - 1, frameSize, frameSize + 1, 2 * frameSize, 2*frameSize + 5, 5 * frameSize} {
		plain := noise(n)
		text := spilled(t, s, plain)
		for name, r := range map[string]io.Reader{"whole": bytes.NewReader(text), "half": iotest.HalfReader(bytes.NewReader(text)), "err": iotest.DataErrReader(bytes.NewReader(text))} {
			got, err := io.ReadAll(s.Reader(r))
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%d bytes, read %s: got %d, %v", n, name, len(got), err)
			}
		}
	}
}

func TestSpillInPieces(t *testing.T) {
	t.Parallel()
	s := NewSpill()
	rapid.Check(t, func(t *rapid.T) {
		var b, plain bytes.Buffer
		w := s.Writer(&b)
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, frameSize*2), 0, 6).Draw(t, "pieces") {
			piece := noise(n)
			plain.Write(piece)
			if m, err := w.Write(piece); err != nil || m != n {
				t.Fatalf("wrote %d of %d, %v", m, n, err)
			}
		}
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("late")); err == nil {
			t.Fatal("wrote after Close")
		}
		if err := iotest.TestReader(s.Reader(&b), plain.Bytes()); plain.Len() < 1000 && err != nil {
			t.Fatal(err)
		}
	})
}

func TestSpillTamperedWith(t *testing.T) {
	t.Parallel()
	s := NewSpill()
	plain := noise(3*frameSize + 10)
	text := spilled(t, s, plain)
	const frame = frameSize + tagSize
	frames := func(order ...int) []byte {
		out := bytes.Clone(text[:streamSize])
		for _, i := range order {
			out = append(out, text[streamSize+i*frame:min(len(text), streamSize+(i+1)*frame)]...)
		}
		return out
	}
	other := spilled(t, s, plain)
	for name, bad := range map[string][]byte{
		"nothing":              nil,
		"head only":            text[:streamSize],
		"cut in a frame":       text[:streamSize+frame+10],
		"cut between frames":   frames(0, 1),
		"last frame missing":   frames(0, 1, 2),
		"frame left out":       frames(0, 2, 3),
		"frames swapped":       frames(1, 0, 2, 3),
		"frame twice":          frames(0, 0, 1, 2, 3),
		"something behind":     append(bytes.Clone(text), 1),
		"two streams together": append(bytes.Clone(text), other...),
		"head of another":      append(bytes.Clone(other[:streamSize]), text[streamSize:]...),
	} {
		got, err := io.ReadAll(s.Reader(bytes.NewReader(bad)))
		if !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if !bytes.HasPrefix(plain, got) {
			t.Errorf("%s: gave out what was never written", name)
		}
	}
	for _, i := range []int{0, 6, 7, 1000, 7 + frame, len(text) - 1} {
		bent := bytes.Clone(text)
		bent[i] ^= 1
		if _, err := io.ReadAll(s.Reader(bytes.NewReader(bent))); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
	if _, err := io.ReadAll(NewSpill().Reader(bytes.NewReader(text))); !errors.Is(err, ErrSealed) {
		t.Errorf("another spill reads it: %v", err)
	}
}

func TestSpillPassesErrorsOn(t *testing.T) {
	t.Parallel()
	s, boom := NewSpill(), errors.New("boom")
	text := spilled(t, s, noise(3*frameSize))
	_, err := io.ReadAll(s.Reader(io.MultiReader(bytes.NewReader(text[:frameSize]), iotest.ErrReader(boom))))
	if !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	w := s.Writer(fails{boom})
	_, err = w.Write(noise(2 * frameSize))
	if !errors.Is(err, boom) || !errors.Is(w.Close(), boom) {
		t.Errorf("%v", err)
	}
}

type fails struct{ err error }

func (f fails) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkSpill(b *testing.B) {
	s, plain := NewSpill(), noise(1<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		w := s.Writer(io.Discard)
		_, _ = w.Write(plain)
		_ = w.Close()
	}
}
