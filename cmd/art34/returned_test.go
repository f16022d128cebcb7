package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// letterOf is "letter RUN SEQ NAME": it takes reference and symbol of a letter from
// the manifest of its run.
func letterOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: letter RUN SEQ NAME")
	}
	data, err := os.ReadFile(filepath.Join(ts.Getenv("ART34_DIR"), "print-runs", args[0]+".csv"))
	ts.Check(err)
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	ts.Check(err)
	for _, row := range rows[1:] {
		if row[1] == args[1] {
			ts.Setenv(args[2], row[2])
			ts.Setenv(args[2]+"_SCAN", row[11])
			return
		}
	}
	ts.Fatalf("no letter %s in %s", args[1], args[0])
}

// scans is "scans FILE FIRST SECOND": what a scanner sends for two letters, a reason
// and a stranger's symbol.
func scans(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: scans FILE FIRST SECOND")
	}
	text := "]d2" + args[1] + "\t\rMotif non renseigné\r" + "pli refusé par le destinataire\r\nARLAPOSTE;01;0000\r\n]d2" + args[1] + "\r\n" + strings.ToLower(args[2]) + "\n\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
