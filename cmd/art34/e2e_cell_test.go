package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestCellInABrowser answers callers in a real browser, against a campaign that was
// sent to a foreign SMTP server: look-up by each key, verification by what was not
// stolen, the letter that lies at the server, a copy in the next print run, a
// corrected address that a second person agrees to, and somebody who is not
// concerned.
func TestCellInABrowser(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := &installation{t: t, dir: t.TempDir(), env: []string{"ART34_RELAY=" + sink.URL, "ART34_CONSOLE=127.0.0.1:0"}}
	rows := cellLists(t, in)
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	in.must(in.lists()...)
	in.must("check", "muguet")
	in.must("approve", "muguet")
	in.must("launch", "muguet")
	passwords := map[string]string{}
	for _, p := range [][2]string{{"ana", "agent"}, {"lea", "lead"}} {
		said := in.must("user", "add", p[0], "--role", p[1])
		passwords[p[0]] = regexp.MustCompile(`[a-z0-9]{4}(-[a-z0-9]{4}){3}`).FindString(said)
	}
	said, err := os.Create(in.path("run.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := in.command("run")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var url string
	until(t, "everything is sent, and the console is open", 2*time.Minute, func() bool {
		text, _ := os.ReadFile(in.path("run.txt"))
		if m := regexp.MustCompile(`The console is at (http://\S+)`).FindStringSubmatch(string(text)); m != nil {
			url = m[1]
		}
		time.Sleep(300 * time.Millisecond)
		s := in.status(false)
		return url != "" && s.States[pipeline.Due]+s.States[pipeline.Queued]+s.States[pipeline.Sending] == 0
	})
	c := callers(t, in, rows)
	v := &visitor{testenv.Chrome(t, 4*time.Minute), t, url}
	v.Size(1280, "light")
	v.first("ana", passwords["ana"])

	// Each key leads to the same question, and says nothing of the customer.
	for kind, key := range map[string]string{
		"reference": c.found.Reference, "customer": c.id, "contract": c.contract(), "e-mail": c.row["email"], "phone": c.row["phone"], "name": c.row["last_name"] + " " + c.row["postcode"],
	} {
		v.lookUp(key)
		v.says("Who is calling?")
		if text := v.Text(); strings.Contains(text, c.row["last_name"]) || strings.Contains(text, "e-mail on") {
			t.Errorf("%s: the page says who it is before the caller is verified", kind)
		}
		if where := v.Eval("location.pathname + location.search"); !regexp.MustCompile(`^/cell/calls/\d+$`).MatchString(where) {
			t.Errorf("%s: the address is %s", kind, where)
		}
	}
	v.Shot("cell-1-verify")

	// What was stolen proves nothing, what was not does.
	v.Type("#value-service_code", "0000")
	v.Press(`input[value="values"] ~ .buttons button`)
	v.says("That does not match")
	v.Type("#value-service_code", strings.ToLower(c.row["service_code"]))
	v.Press(`input[value="values"] ~ .buttons button`)
	v.says("Read this aloud")
	v.says(c.found.Sentence["fr"])
	v.says(c.found.Sentence["en"])
	v.Shot("cell-2-answer")
	call := v.Eval("location.pathname")

	// The letter that lies at the server.
	m := c.mail(t, sink)
	v.Press(`main a[href*="/letters/"]`)
	v.says("byte for byte")
	sum := sha256.Sum256(m)
	v.says(hex.EncodeToString(sum[:]))
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if shown := flat(v.Eval(`document.querySelector("main pre").textContent`)); shown != flat(plainPart(t, m)) {
		t.Errorf("the page shows another letter:\n%s\n%s", shown, flat(plainPart(t, m)))
	}
	v.Shot("cell-3-letter")

	// A copy on paper is in the next print run.
	v.open(call + "/copy")
	v.Click("#large")
	v.reason("reads badly")
	v.says("The copy is on its way")
	var twin foundView
	until(t, "the copy is printed", time.Minute, func() bool {
		for _, f := range findAll(t, in, c.id) {
			if f.Role == pipeline.Copy && f.State == pipeline.Printing {
				twin = f
			}
		}
		time.Sleep(300 * time.Millisecond)
		return twin.Notice != 0
	})
	until(t, "a manifest of a print run lists the copy", 30*time.Second, func() bool {
		time.Sleep(200 * time.Millisecond)
		return inARun(t, in, twin.Reference)
	})
	v.open(call)
	v.says("A copy of our letter was given to the printer")

	// A corrected address: nothing happens until somebody else agrees.
	v.open(call + "/correct")
	v.Click("#what")
	v.Type("#email", "neuve@autre.example")
	v.reason("changed provider")
	v.says("A second person is asked")
	v.open("/queue")
	v.says("Not for your role")
	before := sink.Count(t)
	v.logOut()
	v.first("lea", passwords["lea"])
	v.open("/queue")
	v.Press(`main a[href^="/queue/corrections/"]`)
	v.says("neuve@autre.example")
	v.Shot("cell-4-second")
	if n := sink.Count(t); n != before {
		t.Errorf("%d e-mails left before anybody agreed", n-before)
	}
	v.Click("#what")
	v.reason("verified by the service code")
	v.says("The address is in force")
	until(t, "the corrected address is written to", time.Minute, func() bool {
		time.Sleep(300 * time.Millisecond)
		return slices.ContainsFunc(sink.Messages(t), func(m testenv.Received) bool { return slices.Contains(m.To, "neuve@autre.example") })
	})
	v.lookUp("neuve@autre.example")
	v.says("Who is calling?")

	// Somebody who is not concerned.
	v.lookUp(c.bystander)
	v.says("Who is calling?")
	v.Press(`input[value="crm"] ~ .buttons button`)
	v.says("our analysis does not list you")
	v.Shot("cell-5-not-concerned")
	in.status(true)
}

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

// first logs somebody in who chooses a password then, in English.
func (v *visitor) first(login, password string) {
	v.t.Helper()
	v.logIn(login, password)
	v.Type("#old", password)
	v.Type("#password", journeyPassword)
	v.Type("#again", journeyPassword)
	v.Press("main form button:not([name])")
	if strings.Contains(v.Text(), "Se déconnecter") {
		v.Press(`form[action="/language"] button`)
	}
}

// lookUp types what a caller gives.
func (v *visitor) lookUp(key string) {
	v.t.Helper()
	v.open("/cell")
	v.Type("#key", key)
	v.Press(`form[action="/cell"] button`)
}
