package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/agefile"
	"github.com/art34/art34/pipeline/kit/inert"
)

// ageKey is "agekey NAME": it sets $NAME to a fresh recipient.
func ageKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: agekey NAME")
	}
	recipient, identity, err := agefile.NewIdentity()
	ts.Check(err)
	ts.Setenv(args[0], recipient)
	ts.Check(os.WriteFile(ts.MkAbs("identity"), []byte(identity), 0o600))
}

// opened is "opened FILE OUT": it decrypts with the key of agekey.
func opened(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: opened FILE OUT")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	plain, err := agefile.Decrypt(bytes.NewReader(data), ts.ReadFile("identity"))
	ts.Check(err)
	text, err := io.ReadAll(plain)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o600))
}

// toldList is "told EXPORT OUT": a list of the first two people of an export, as a
// call centre writes it, with lines that are wrong.
func toldList(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: told EXPORT OUT")
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(ts.ReadFile(args[0]), "\ufeff"))).ReadAll()
	ts.Check(err)
	if len(rows) < 4 {
		ts.Fatalf("the export has too few people")
	}
	for i := 1; i < len(rows); i++ { // one with several customer numbers first, where there is one
		if strings.Contains(rows[i][1], " ") {
			rows[1], rows[i] = rows[i], rows[1]
			break
		}
	}
	now := time.Now().UTC().Add(-time.Hour).Format("02/01/2006 15:04")
	lines := []string{
		"N° client;Référence;Nom;Informé par;Informé le;Moyen;Preuve",
		rows[1][1] + ";;Zoe;équipe 3;" + now + ";Téléphone;ticket 4711",
		";" + rows[2][0] + ";Zoe;boutique Lyon;" + now + ";BOUTIQUE;",
		"C9999999;;Zoe;équipe 3;" + now + ";sms;",
		rows[3][1] + ";;Zoe;équipe 3;" + now + ";pigeon;",
		rows[3][1] + ";;Zoe;;" + now + ";sms;",
		rows[3][1] + ";;Zoe;équipe 3;01/01/2099;sms;",
		";7KQ2-M9XD-4T0W;Zoe;équipe 3;" + now + ";sms;",
	}
	latin := []byte{}
	for _, r := range strings.Join(lines, "\r\n") {
		latin = append(latin, byte(r)) // Windows-1252, as Excel writes it
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), latin, 0o600))
}

// TestDialled: a telephone number is written so that a spreadsheet leaves it alone.
func TestDialled(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"+33639981234": "06 39 98 12 34", "+4930123456": "00 4930123456", "": ""} {
		if got := pipeline.Dialled(in); got != want || inert.Cell(got) != got {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A file that cannot be finished leaves what was there, and nothing beside it.
func TestWriteWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "states")
	for _, text := range []string{"one", "two"} {
		if err := writeWhole(path, 0o600, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	err := writeWhole(path, 0o600, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return fmt.Errorf("broken")
	})
	data, _ := os.ReadFile(path)
	files, _ := os.ReadDir(filepath.Dir(path))
	if err == nil || string(data) != "two" || len(files) != 1 {
		t.Fatalf("%v %q %v", err, data, files)
	}
}
