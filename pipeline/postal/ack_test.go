package postal

import (
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

const ackHeadLine = "run_id,status,seq,letter_ref,date,place,product,slip,count,reason\n"

func TestParseAck(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(5)
	comma := ackHeadLine +
		"R000043,recalled,,,,,,,,\n" +
		"R000042,rejected,17," + ref.String() + ",,,,,,torn\n" +
		"R000042,deposited,,,2026-01-26,Paris Sud,Lettre verte,BD-1234,998,\n" +
		"42,rejected,3," + ref.Compact() + ",,,,,,jam\n"
	semicolon := "\xef\xbb\xbfStatus;Run_ID;Date;Count;Seq;Letter_Ref;Reason;Slip;Product;Place\r\n" +
		"deposited;r42;2026-01-26;998;;;;BD-1234;Lettre verte;Paris  Sud\r\n" +
		"recalled;R43;;;;;;;;\r\n" +
		"rejected;R42;;;3;" + strings.ToLower(ref.String()) + ";jam;;;\r\n" +
		"rejected;R42;;;17;" + ref.String() + ";torn;;;\r\n"
	first, err := ParseAck(strings.NewReader(comma))
	if err != nil {
		t.Fatal(err)
	}
	second, err := ParseAck(strings.NewReader(semicolon))
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 2 || first[0].Run != 42 || first[1].Run != 43 || !first[1].Recalled {
		t.Fatalf("%+v", first)
	}
	a := first[0]
	if len(a.Deposits) != 1 || a.Deposits[0].Count != 998 || a.Deposits[0].Place != "Paris Sud" || a.Deposits[0].Slip != "BD-1234" || a.Deposits[0].On.Format("2006-01-02") != "2026-01-26" {
		t.Errorf("%+v", a.Deposits)
	}
	if len(a.Rejected) != 2 || a.Rejected[0] != (AckItem{3, ref, "jam"}) || a.Rejected[1].Reason != "torn" {
		t.Errorf("%+v", a.Rejected)
	}
	// The same content in another form and order is the same acknowledgement.
	for i := range first {
		if first[i].Hash != second[i].Hash || first[i].Hash == "" {
			t.Errorf("run %d: another hash", first[i].Run)
		}
	}
	if first[0].Hash == first[1].Hash {
		t.Error("two acknowledgements, one hash")
	}
}

func TestParseAckRefuses(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(5).String()
	for name, bad := range map[string]string{
		"row 1: there is no head":       "",
		"there is no row":               ackHeadLine,
		"row 1: column 2 is unknown":    "run_id,state,seq,letter_ref,date,count\n",
		"row 1: column date is missin":  "run_id,status,seq,letter_ref,count\n",
		"row 1: column seq is there t":  "run_id,status,seq,seq,letter_ref,date,count\n",
		"row 2: run_id":                 ackHeadLine + "X,deposited,,,2026-01-26,,,,1,\n",
		"row 2: the status":             ackHeadLine + "R1,lost,,,2026-01-26,,,,1,\n",
		"row 2: the date":               ackHeadLine + "R1,deposited,,,26/01/2026,,,,1,\n",
		"row 2: the count":              ackHeadLine + "R1,deposited,,,2026-01-26,,,,1.5,\n",
		"row 3: the run is deposited":   ackHeadLine + "R1,deposited,,,2026-01-26,,,,1,\nR1,deposited,,,2026-01-26,,,,1,\n",
		"row 3: letter 4 of this run":   ackHeadLine + "R1,rejected,4," + ref + ",,,,,,\nR1,rejected,4," + ref + ",,,,,,\n",
		"row 2: letter_ref is no":       ackHeadLine + "R1,rejected,4,7KQ2-M9XD-4T0W,,,,,,\n",
		"row 2: seq is no":              ackHeadLine + "R1,rejected,0," + ref + ",,,,,,\n",
		"row 2: count does not belong":  ackHeadLine + "R1,rejected,4," + ref + ",,,,,3,\n",
		"row 2: seq of a deposit is n":  ackHeadLine + "R1,deposited,4-3,,2026-01-26,,,,1,\n",
		"row 2: letter_ref does not b":  ackHeadLine + "R1,deposited,4," + ref + ",2026-01-26,,,,1,\n",
		"row 2: neither seq nor lette":  ackHeadLine + "R1,posted,,,2026-01-26,,,,,\n",
		"row 2: the run has no deposi":  ackHeadLine + "R1,posted,4,,2026-01-27,,,,,\nR1,deposited,,,2026-01-26,,,,1,\n",
		"row 4: the row fits two":       ackHeadLine + "R1,deposited,,,2026-01-26,,,a,1,\nR1,deposited,,,2026-01-26,,,b,1,\nR1,posted,4,,,,,,,\n",
		"row 3: the deposit has its s":  ackHeadLine + "R1,deposited,1-4,,2026-01-26,,,a,4,\nR1,posted,4,,,,,,,\n",
		"row 3: letters of this run a":  ackHeadLine + "R1,deposited,1-4,,2026-01-26,,,a,4,\nR1,deposited,4-5,,2026-01-27,,,b,2,\n",
		"run R000001 has 2 deposits":    ackHeadLine + "R1,deposited,1-4,,2026-01-26,,,a,4,\nR1,deposited,,,2026-01-27,,,b,2,\n",
		"row 1: this is no JSON object": "[17]",
		"row 1: there is an unknown ke": `{"run_id":"R1","name":"x"}`,
		"row 1: place is neither text ": `{"run_id":"R1","status":"deposited","place":["x"]}`,
		"the array does not end":        `[{"run_id":"R1","status":"recalled"}`,
		"row 2: this is no JSON object": `{"run_id":"R1","status":"recalled"} x`,
		"run R000001 is recalled and":   ackHeadLine + "R1,recalled,,,,,,,,\nR1,deposited,,,2026-01-26,,,,1,\n",
		"row 3: the run is recalled":    ackHeadLine + "R1,recalled,,,,,,,,\nR1,recalled,,,,,,,,\n",
		"row 3: the row has not as ma":  ackHeadLine + "R1,recalled,,,,,,,,\nR2,recalled\n",
		"the file is not UTF-8":         ackHeadLine + "R1,rejected,4," + ref + ",,,,,,d\xe9chir\xe9\n",
	} {
		acks, err := ParseAck(strings.NewReader(bad))
		if pipeline.ErrorCode(err) != "ack-invalid" || !strings.Contains(err.Error(), name) || acks != nil {
			t.Errorf("%s: %v %v", name, acks, err)
		}
	}
	if _, err := ParseAck(strings.NewReader(strings.Repeat("x", ackSize+1))); pipeline.ErrorCode(err) != "ack-invalid" {
		t.Error(err)
	}
}

func FuzzParseAck(f *testing.F) {
	f.Add(ackHeadLine + "R1,deposited,,,2026-01-26,Paris,Lettre verte,1,3,\n")
	f.Add(ackHeadLine + "R1,rejected,4,0000-0000-0005,,,,,,x\n")
	f.Add("a;b\n\"")
	f.Add(`[{"run_id":1,"status":"deposited","date":"2026-01-26","count":3,"seq":"1-3"},{"run_id":"R1","status":"rejected","seq":2,"letter_ref":"0000-0000-0000"}]`)
	f.Add(ackHeadLine + "R1,deposited,,,2026-01-26,,,1,1,\nR1,posted,1,0000-0000-0000,,,,,,\n")
	f.Fuzz(func(t *testing.T, s string) {
		acks, err := ParseAck(strings.NewReader(s))
		if (err == nil) != (len(acks) > 0) || err != nil && pipeline.ErrorCode(err) == "" {
			t.Fatalf("%v %v", acks, err)
		}
	})
}
