package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// cellLists writes a sample whose directory has a column that was not stolen.
func cellLists(t *testing.T, in *installation) (rows []map[string]string) {
	t.Helper()
	in.must("sample", "--customers", "150", "--seed", "7", "--out", in.path("sample"))
	f, err := os.OpenFile(in.path("sample", "campaign.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("cell: {verify: [crm, reference, callback, values], values: {service_code: none-stolen}}\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(in.path("sample", "customers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	from := csv.NewReader(strings.NewReader(string(data)))
	from.FieldsPerRecord = -1 // some rows are broken on purpose
	all, err := from.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	w := csv.NewWriter(&out)
	columns := len(all[0])
	for i, r := range all {
		if len(r) != columns {
			_ = w.Write(r)
			continue
		}
		r = append(r, "service_code")
		if i > 0 && len(r[0]) > 4 {
			r[len(r)-1] = "ZX-" + r[0][4:]
			row := map[string]string{}
			for k := range columns {
				row[all[0][k]] = r[k]
			}
			row["service_code"] = r[len(r)-1]
			rows = append(rows, row)
		}
		_ = w.Write(r)
	}
	w.Flush()
	if err := os.WriteFile(in.path("sample", "customers.csv"), []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return rows
}

// caller is a customer who calls.
type caller struct {
	id        string
	row       map[string]string
	found     foundView
	bystander string
}

func (c caller) contract() string {
	for _, i := range c.found.Impacts {
		if i.Contract != "" {
			return i.Contract
		}
	}
	return c.id
}

// mail is what the server got for the caller.
func (c caller) mail(t *testing.T, sink *testenv.SMTPSink) []byte {
	t.Helper()
	for _, m := range sink.Messages(t) {
		if slices.Contains(m.To, c.row["email"]) {
			return m.Data(t)
		}
	}
	t.Fatal("the server has no letter of the caller")
	return nil
}

// findAll is what find says of a key.
func findAll(t *testing.T, in *installation, key string) (list []foundView) {
	t.Helper()
	out, _, code := in.run("find", key, "--json")
	if code != 0 {
		return nil
	}
	for line := range strings.Lines(out) {
		var f foundView
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// callers returns a caller whose e-mail was accepted, with keys that nobody shares,
// and somebody who is not concerned.
func callers(t *testing.T, in *installation, rows []map[string]string) (c caller) {
	t.Helper()
	many := map[string]int{}
	keys := func(r map[string]string) []string {
		return []string{r["email"], r["phone"], strings.ToLower(r["last_name"]) + " " + r["postcode"]}
	}
	for _, r := range rows {
		for _, k := range keys(r) {
			many[k]++
		}
	}
	for _, r := range rows {
		if r["person_id"] != "" || r["flags"] != "" || r["email"] == "" || r["phone"] == "" || r["last_name"] == "" || slices.ContainsFunc(keys(r), func(k string) bool { return many[k] > 1 }) {
			continue
		}
		all := findAll(t, in, r["customer_id"])
		switch {
		case len(all) == 1 && all[0].State == "not-concerned":
			c.bystander = r["customer_id"]
		case c.id == "" && len(all) == 1 && all[0].State == pipeline.Accepted && strings.HasPrefix(r["locale"], "fr") && len(r["address_1"]) > 0 && len(all[0].Impacts) > 0:
			c.id, c.row, c.found = r["customer_id"], r, all[0]
		}
		if c.id != "" && c.bystander != "" {
			return c
		}
	}
	t.Fatalf("nobody fits: %+v", c)
	return c
}

// inARun reports whether a manifest of a print run lists a reference.
func inARun(t *testing.T, in *installation, reference string) bool {
	t.Helper()
	files, err := filepath.Glob(in.path("data", "print-runs", "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(f string) bool {
		data, err := os.ReadFile(f)
		return err == nil && (strings.Contains(string(data), reference) || strings.Contains(string(data), strings.ReplaceAll(reference, "-", "")))
	})
}
