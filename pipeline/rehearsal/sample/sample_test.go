package sample_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/strictyaml"
	"github.com/art34/art34/pipeline/rehearsal/sample"
)

func write(t *testing.T, n int, seed uint64) (dir string, totals sample.Totals) {
	t.Helper()
	dir = t.TempDir()
	totals, err := sample.Write(context.Background(), sample.Config{Customers: n, Seed: seed, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return dir, totals
}

func read(t *testing.T, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	a, _ := write(t, 3000, 7)
	b, _ := write(t, 3000, 7)
	c, _ := write(t, 3000, 8)
	for _, name := range []string{"customers.csv", "impact.csv"} {
		x, _ := os.ReadFile(filepath.Join(a, name))
		y, _ := os.ReadFile(filepath.Join(b, name))
		z, _ := os.ReadFile(filepath.Join(c, name))
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs for the same seed", name)
		}
		if bytes.Equal(x, z) {
			t.Errorf("%s is the same for another seed", name)
		}
	}
}

// TestNothingCanBeDelivered: every address ends in a reserved name, every phone
// number is one of fiction.
func TestNothingCanBeDelivered(t *testing.T) {
	t.Parallel()
	dir, totals := write(t, 20000, 7)
	rows := read(t, filepath.Join(dir, "customers.csv"))
	if int64(len(rows)-1) != totals.Customers {
		t.Fatalf("%d rows, %d counted", len(rows)-1, totals.Customers)
	}
	seen := map[string]int{}
	for _, row := range rows[1:] {
		if len(row) < 24 {
			seen["short"]++
			continue
		}
		if e := row[6]; e != "" && !strings.HasSuffix(strings.ToLower(e), ".example") {
			t.Fatalf("an address does not end in .example")
		}
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, row[7])
		digits = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(digits, "00"), "33"), "0")
		if digits != "" && !strings.HasPrefix(digits, "63998") && !strings.HasPrefix(digits, "19900") {
			t.Fatalf("a phone number is not of the fictive ranges: %s", digits)
		}
		for _, f := range strings.Split(row[18], "|") {
			seen["flag "+f]++
		}
		seen["format "+row[17]]++
		seen["country "+row[15]]++
		seen["person "+row[1]]++
		if row[6] == "" {
			seen["no e-mail"]++
		}
	}
	for _, f := range append([]string{"short", "no e-mail", "format large-print", "format braille", "country MC", "country DE"}, flags()...) {
		if seen[f] == 0 {
			t.Errorf("nobody has: %s", f)
		}
	}
}

func flags() (list []string) {
	for f := range pipeline.DefaultFlagRules() {
		list = append(list, "flag "+f)
	}
	return list
}

// TestImpactsAreInAnotherOrder: the list names every customer it should, once in a
// row, and not in the order of the directory.
func TestImpactsAreInAnotherOrder(t *testing.T) {
	t.Parallel()
	dir, totals := write(t, 5000, 3)
	rows := read(t, filepath.Join(dir, "impact.csv"))
	if int64(len(rows)-1) != totals.Impacts {
		t.Fatalf("%d rows, %d counted", len(rows)-1, totals.Impacts)
	}
	closed, last, falls := map[string]bool{}, "", 0
	for _, row := range rows[1:] {
		if row[0] == last {
			continue
		}
		if closed[row[0]] && !strings.HasPrefix(row[1], "FI1") && !strings.HasPrefix(row[1], "FI2") {
			t.Fatal("a customer's rows are apart")
		}
		if row[0] < last {
			falls++
		}
		closed[last], last = true, row[0]
	}
	if len(closed) < 3000 || falls < 500 {
		t.Errorf("%d customers, %d times back in the order", len(closed), falls)
	}
}

func TestCampaignIsValid(t *testing.T) {
	t.Parallel()
	dir, _ := write(t, 1, 1)
	b, err := os.ReadFile(filepath.Join(dir, "campaign.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var spec pipeline.Spec
	if err := strictyaml.Decode("campaign.yaml", b, &spec); err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
}
