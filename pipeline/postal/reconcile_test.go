package postal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// ackRun is R000001 with n letters, whose references are 1 to n.
func ackRun(n int) AckRun {
	r := AckRun{
		Run:        pipeline.Run{ID: 1, State: pipeline.RunReleased, Letters: n, Sheets: 2, Pages: 4 * n, SHA256: strings.Repeat("a", 64)},
		PDFSHA256:  strings.Repeat("b", 64),
		References: map[int]pipeline.Reference{},
	}
	for seq := 1; seq <= n; seq++ {
		r.Items = append(r.Items, pipeline.RunItem{Run: 1, Seq: seq, State: pipeline.ItemIn})
		r.References[seq] = pipeline.NewReference(uint64(seq))
	}
	return r
}

func mustParse(t *testing.T, text string) Ack {
	t.Helper()
	acks, err := ParseAck(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return acks[0]
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	ref := func(n uint64) string { return pipeline.NewReference(n).String() }
	const wide = "run_id,status,seq,letter_ref,date,place,product,slip,count,reason,pages,sheets,sha256\n"
	whole := "R1,deposited,,,2026-01-26,P,V,1,4,,%s\n"
	for name, x := range map[string]struct {
		ack     string
		partial bool
		want    string // "" for none
		letters string
	}{
		"all":              {ack: fmt.Sprintf(whole, "16,8,"+strings.Repeat("A", 64)), letters: "[]"},
		"hash of the PDF":  {ack: fmt.Sprintf(whole, ",,"+strings.Repeat("b", 64)), letters: "[]"},
		"pages":            {ack: fmt.Sprintf(whole, "15,,"), want: "pages: the print shop says 15, the run has 16"},
		"sheets":           {ack: fmt.Sprintf(whole, ",9,"), want: "sheets: the print shop says 9, the run has 8"},
		"another file":     {ack: fmt.Sprintf(whole, ",,"+strings.Repeat("c", 64)), want: "SHA-256: the print shop says cc"},
		"count":            {ack: "R1,deposited,,,2026-01-26,P,V,1,3,,,,\n", want: "run R000001 has 4 letters, but 3 are deposited and 0 rejected"},
		"count, rejected":  {ack: "R1,deposited,,,2026-01-26,P,V,1,3,,,,\nR1,rejected,2," + ref(2) + ",,,,,,jam,,,\n", letters: "[]"},
		"rejected other":   {ack: "R1,deposited,,,2026-01-26,P,V,1,3,,,,\nR1,rejected,2," + ref(3) + ",,,,,,jam,,,\n", want: "letter 2 of run R000001 has another reference"},
		"rejected nobody":  {ack: "R1,deposited,,,2026-01-26,P,V,1,3,,,,\nR1,rejected,9," + ref(9) + ",,,,,,jam,,,\n", want: "letter 9 is none of run R000001"},
		"range":            {ack: "R1,deposited,1-3,,2026-01-26,P,V,1,3,,,,\n", letters: "[1 2 3]"},
		"range, count":     {ack: "R1,deposited,1-3,,2026-01-26,P,V,1,4,,,,\n", want: "3 letters are named and not rejected, but the count says 4"},
		"range, surplus":   {ack: "R1,deposited,1-5,,2026-01-26,P,V,1,4,,,,\n", want: "1 letter is too many: 5"},
		"list":             {ack: "R1,deposited,,,2026-01-26,P,V,1,4,,,,\nR1,posted,1,,,,,,,,,,\nR1,posted,,\"" + ref(2) + "\",,,,,,,,,\nR1,posted,3," + ref(3) + ",,,,,,,,,\nR1,posted,4,,,,,,,,,,\n", letters: "[1 2 3 4]"},
		"list, missing":    {ack: "R1,deposited,,,2026-01-26,P,V,1,2,,,,\nR1,posted,1,,,,,,,,,,\nR1,posted,4,,,,,,,,,,\n", want: "2 letters are missing: 2 (" + ref(2) + "), 3 (" + ref(3) + ")"},
		"list, partial":    {ack: "R1,deposited,,,2026-01-26,P,V,1,2,,,,\nR1,posted,1,,,,,,,,,,\nR1,posted,4,,,,,,,,,,\n", partial: true, letters: "[1 4]"},
		"list, twice":      {ack: "R1,deposited,,,2026-01-26,P,V,1,2,,,,\nR1,posted,1,,,,,,,,,,\nR1,posted,1,,,,,,,,,,\n", partial: true, want: "1 letter is too many: 1"},
		"list, stranger":   {ack: "R1,deposited,,,2026-01-26,P,V,1,5,,,,\nR1,posted,1,,,,,,,,,,\nR1,posted,,\"" + ref(99) + "\",,,,,,,,,\n", partial: true, want: "1 letter is too many: " + ref(99)},
		"list, other seq":  {ack: "R1,deposited,,,2026-01-26,P,V,1,1,,,,\nR1,posted,1," + ref(2) + ",,,,,,,,,\n", partial: true, want: "too many: 1 (" + ref(2) + ")"},
		"several deposits": {ack: "R1,deposited,,,2026-01-26,P,V,1,2,,,,\nR1,deposited,,,2026-01-27,P,V,2,2,,,,\nR1,posted,1,,,,,1,,,,,\nR1,posted,2,,,,,1,,,,,\nR1,posted,3,,2026-01-27,,,,,,,,\nR1,posted,4,,,,,2,,,,,\n", letters: "[1 2]"},
	} {
		got, err := mustParse(t, wide+x.ack).Reconcile(ackRun(4), x.partial)
		if x.want != "" {
			if pipeline.ErrorCode(err) != "ack-invalid" || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || fmt.Sprint(got[0].Letters) != x.letters {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	byHand := Ack{Run: 1, Deposits: []AckDeposit{{Deposit: pipeline.Deposit{Count: 3}}}, Rejected: []AckItem{{Seq: 2}}}
	if _, err := byHand.Reconcile(ackRun(4), false); err != nil {
		t.Error(err)
	}
}

// Many missing letters are counted in the sentence and all in the struct.
func TestReconcileNamesAll(t *testing.T) {
	t.Parallel()
	a := Ack{Run: 1, Deposits: []AckDeposit{{Deposit: pipeline.Deposit{Count: 1}, Posted: []AckItem{{Seq: 7}}}}}
	_, err := a.Reconcile(ackRun(100), false)
	m, ok := err.(*AckMismatch)
	if !ok || len(m.Missing) != 99 || !strings.Contains(err.Error(), "99 letters are missing: 1 (") || !strings.Contains(err.Error(), "… and 79 more") {
		t.Fatal(err)
	}
}

func TestAckJSON(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(5)
	fromCSV := mustParse(t, ackHeadLine+"R1,deposited,1-9,,2026-01-26,P,V,7,8,\nR1,rejected,5,"+ref.String()+",,,,,,jam\n")
	rows := []map[string]any{
		{"run_id": 1, "status": "deposited", "seq": "1-9", "date": "2026-01-26", "place": "P", "product": "V", "slip": 7, "count": 8},
		{"run_id": "R000001", "status": "rejected", "seq": 5, "letter_ref": ref.Compact(), "reason": "jam", "slip": nil},
	}
	array, _ := json.Marshal(rows)
	first, _ := json.Marshal(rows[0])
	second, _ := json.Marshal(rows[1])
	for _, text := range []string{string(array), "\xef\xbb\xbf \n" + string(array), string(second) + "\n" + string(first) + "\n"} {
		if got := mustParse(t, text); got.Hash != fromCSV.Hash {
			t.Errorf("%s\n%+v\n%+v", text, got, fromCSV)
		}
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	got, err := ParsePositions("1-3, 7 9-9")
	if err != nil || !slices.Equal(got, []int{1, 2, 3, 7, 9}) {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "0", "a", "3-1", "1-3 2", "1-100000", "-3", "1--2"} {
		if got, err := ParsePositions(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}
