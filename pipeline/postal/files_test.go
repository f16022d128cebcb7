package postal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/agefile"
	"github.com/art34/art34/pipeline/kit/testenv"
)

func openRoot(t testing.TB) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root, dir
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
		if i, err := e.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s is readable by others", e.Name())
		}
	}
	return out
}

func TestWriteRun(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{CodeName: "MUGUET"})
	dir, path := openRoot(t)
	r := run(42)
	items := mixedRun(t, press)
	w, err := press.WriteRun(t.Context(), dir, RunJob{Run: r, Items: seq(items...)})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); !slices.Equal(got, []string{"R000042.csv", "R000042.json", "R000042.pdf"}) {
		t.Fatal(got)
	}
	pdf, err := os.ReadFile(filepath.Join(path, w.File))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(pdf)
	if w.SHA256 != hex.EncodeToString(sum[:]) || w.Manifest.SHA256 != w.SHA256 || w.Manifest.PDFSHA256 != w.SHA256 {
		t.Error("the hash is not the file's")
	}
	testenv.Run(t, "qpdf", "--check", filepath.Join(path, w.File))

	// The manifest adds up, page by page, and names nobody.
	m, err := ReadManifest(dir, r)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, w.Manifest) {
		t.Errorf("the manifest on disk is another:\n%+v\n%+v", m, w.Manifest)
	}
	next, sheets := 1, 0
	for i, row := range m.Rows {
		if row.Seq != i+1 || row.FirstPage != next || row.LastPage-row.FirstPage+1 != row.Pages || row.RunID != "R000042" {
			t.Errorf("row %+v, want first page %d", row, next)
		}
		if c, err := ParseCode(row.DataMatrix); err != nil || c.Reference.Compact() != row.Reference || c.Attempt != items[i].Attempt {
			t.Errorf("row %d: code %+v %v", i+1, c, err)
		}
		next += row.Pages
		sheets += row.Sheets
	}
	if m.Letters != len(m.Rows) || m.Pages != next-1 || m.Sheets != sheets || m.Version != 2 || !m.CreatedAt.Equal(r.CutAt) || m.Renderer != Renderer || len(m.Fonts) != 64 {
		t.Errorf("control totals: %+v", m)
	}
	for _, name := range []string{"R000042.csv", "R000042.json"} {
		data, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"Martin", "MARTIN", "Łucja", "LILAS", "coordonnées", "Exemple"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s tells %q", name, word)
			}
		}
	}
	f, err := dir.Open("R000042.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != len(m.Rows)+1 || strings.Join(rows[0], ",") != "run_id,seq,letter_ref,notice_id,first_page,last_page,pages,sheets,class,country,postcode,datamatrix,sha256" {
		t.Errorf("%v %v", rows, err)
	}
	if rows[1][10] != "01000" || rows[3][9] != "PL" {
		t.Errorf("%q", rows)
	}

	// Once more, after a crash that left rubbish: the same bytes.
	for _, rest := range []string{"R000042.pdf.tmp", "R000042.json"} {
		if err := dir.WriteFile(rest, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := press.WriteRun(t.Context(), dir, RunJob{Run: r, Items: seq(items...)})
	if err != nil || again.SHA256 != w.SHA256 {
		t.Errorf("written again: %v", err)
	}
	if got := names(t, path); len(got) != 3 {
		t.Error(got)
	}
	if err := RemoveRun(dir, r); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); len(got) != 0 {
		t.Error(got)
	}
	if err := RemoveRun(dir, r); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
}

func TestWriteRunEncrypted(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	dir, path := openRoot(t)
	recipient, identity, err := agefile.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	it := item(t, press, oneAPage(1), person())
	w, err := press.WriteRun(t.Context(), dir, RunJob{Run: run(7), Items: seq(it), EncryptTo: recipient})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); !slices.Equal(got, []string{"R000007.csv", "R000007.json", "R000007.pdf.age"}) {
		t.Fatal(got)
	}
	f, err := dir.Open(w.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := agefile.Decrypt(f, identity)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	sum := sha256.Sum256(data)
	if err != nil || hex.EncodeToString(sum[:]) != w.Manifest.PDFSHA256 || w.SHA256 == w.Manifest.PDFSHA256 {
		t.Errorf("what was encrypted is not the PDF: %v", err)
	}
	if _, want := drawn(t, press, run(7), it); !bytes.Equal(want, data) {
		t.Error("the PDF within is another")
	}
	_, err = press.WriteRun(t.Context(), dir, RunJob{Run: run(8), Items: seq(it), EncryptTo: "age1nonsense"})
	if pipeline.ErrorCode(err) != "recipient-invalid" || len(names(t, path)) != 3 {
		t.Errorf("%v %v", err, names(t, path))
	}
}

// A run that fails half-way leaves no file under a final name.
func TestWriteRunLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	dir, path := openRoot(t)
	away := errors.New("away")
	_, err := press.WriteRun(t.Context(), dir, RunJob{Run: run(1), Items: func(yield func(Item, error) bool) {
		if yield(item(t, press, oneAPage(1), person()), nil) {
			yield(Item{}, away)
		}
	}})
	if !errors.Is(err, away) || len(names(t, path)) != 0 {
		t.Errorf("%v %v", err, names(t, path))
	}
	bad := item(t, press, frenchLetter(1), person())
	bad.Letter.Subject = "漢"
	w, err := press.WriteRun(t.Context(), dir, RunJob{Run: run(1), Items: seq(bad)})
	if err != nil || w.File != "" || len(w.Drawn.Unfit) != 1 || len(names(t, path)) != 0 {
		t.Errorf("every letter unfit: %+v %v %v", w, err, names(t, path))
	}
	if _, err := ReadManifest(dir, run(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := press.WriteRun(ctx, dir, RunJob{Run: run(1), Items: seq(bad)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
