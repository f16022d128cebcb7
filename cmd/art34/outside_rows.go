package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/listfile"
)

// toldRow is a line of the list: who told a customer, when and how.
type toldRow struct {
	line                    int
	customer                string
	reference               pipeline.Reference
	by, how, evidence, when string
	err                     *pipeline.Error
}

// toldColumns lists, folded, how the columns may be called.
func toldColumns() map[string][]string {
	return map[string][]string{
		"customer":  {"customer id", "customer", "customer number", "id client", "client", "numero client", "numero de client", "n client", "no client", "ref client"},
		"reference": {"reference", "ref", "letter ref", "notice ref", "reference courrier"},
		"by":        {"told by", "who", "by", "agent", "informed by", "informe par", "par", "conseiller", "operateur"},
		"at":        {"told at", "told on", "when", "at", "date", "date time", "informe le", "le", "date heure", "date appel", "date d appel"},
		"how":       {"how", "means", "channel", "canal", "moyen", "comment", "mode"},
		"evidence":  {"evidence", "proof", "preuve", "ticket", "numero de ticket", "enregistrement", "call id", "justificatif"},
	}
}

// hows lists, folded, by which means a customer can be told, and how they are called.
func hows() map[string][]string {
	return map[string][]string{
		"phone": {"phone", "call", "telephone", "tel", "appel", "par telephone"},
		"sms":   {"sms", "text", "texto", "text message"},
		"shop":  {"shop", "store", "counter", "boutique", "agence", "magasin", "guichet"},
		"hand":  {"hand", "in person", "visit", "en main propre", "remise en main propre", "main propre", "visite"},
		"other": {"other", "autre"},
	}
}

func (c outsideCmd) rows(a *app) ([]toldRow, error) {
	in := a.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, refuse("unreadable", "the list cannot be read: "+pathless(err), "name a file that is there and that this user may read, or - for standard input")
		}
		defer f.Close()
		in = f
	}
	list, err := listfile.Read(in)
	switch {
	case errors.Is(err, listfile.ErrEmpty), errors.Is(err, listfile.ErrBinary), errors.Is(err, listfile.ErrSheet), errors.Is(err, listfile.ErrTooLarge):
		return nil, refuse("list-invalid", "the list: "+err.Error(), "save it as CSV, with a head line")
	case err != nil:
		return nil, err
	}
	at, _, twice := listfile.Columns(list.Rows[0].Fields, toldColumns())
	var missing []string
	_, customer := at["customer"]
	_, reference := at["reference"]
	if !customer && !reference {
		missing = append(missing, "customer_id or reference")
	}
	for _, need := range [][2]string{{"by", "told_by"}, {"at", "told_at"}, {"how", "how"}} {
		if _, ok := at[need[0]]; !ok {
			missing = append(missing, need[1])
		}
	}
	if len(missing) > 0 || len(twice) > 0 {
		return nil, refuse("list-invalid", "the head line lacks "+strings.Join(missing, ", ")+strings.Join(twice, ", twice "), "it needs customer_id or reference, told_by, told_at and how; evidence is wise")
	}
	rows := []toldRow{}
	for _, r := range list.Rows[1:] {
		if r.Fault == "" && slices.Equal(r.Fields, list.Rows[0].Fields) {
			continue
		}
		rows = append(rows, readTold(r, at))
	}
	return rows, nil
}

// toldMost is how long who told, and the evidence, may be.
const toldMost = 120

// readTold checks what can be checked without the ledger.
func readTold(r listfile.Row, at map[string]int) toldRow {
	row := toldRow{line: r.Line}
	no := func(code, sentence, hint string) toldRow {
		row.err = refuse(code, sentence, hint)
		return row
	}
	if r.Fault != "" {
		return no("row-"+r.Fault, "the line is broken: a quotation mark that is open, control characters, or far too long", "")
	}
	field := func(name string) string {
		if i, ok := at[name]; ok && i < len(r.Fields) {
			return r.Fields[i]
		}
		return ""
	}
	row.customer, row.by, row.evidence, row.when = field("customer"), field("by"), field("evidence"), field("at")
	if s := field("reference"); s != "" {
		var err error
		if row.reference, err = pipeline.ParseReference(s); err != nil {
			return no("reference-check", "the reference does not check: a character is wrong, or two are swapped", "")
		}
	}
	if row.customer == "" && row.reference == "" {
		return no("customer-missing", "neither customer nor reference is given", "")
	}
	if row.how = howOf(field("how")); row.how == "" {
		return no("how-unknown", "how the customer was told is none of phone, sms, shop, hand, other", "")
	}
	if row.by == "" {
		return no("by-missing", "who told the customer is not given", "a team or a number will do")
	}
	if len(row.by) > toldMost || len(row.evidence) > toldMost {
		return no("text-long", "who told, or the evidence, is longer than 120 bytes", "give the number of the ticket, not what was said")
	}
	if row.when == "" {
		return no("at-missing", "when the customer was told is not given", "")
	}
	return row
}

func howOf(text string) string {
	s := listfile.Fold(text)
	for code, names := range hows() {
		if slices.Contains(names, s) {
			return code
		}
	}
	return ""
}

// toldTime reads when a customer was told, in the time zone of the campaign.
func toldTime(s string, zone *time.Location, now time.Time) (time.Time, *pipeline.Error) {
	s = strings.Replace(strings.TrimSpace(s), "T", " ", 1)
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "02/01/2006", "02/01/2006 15:04", "02/01/2006 15:04:05", "02.01.2006", "02.01.2006 15:04"} {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		if len(layout) == 10 {
			t = t.Add(12 * time.Hour) // noon of the day
			if t.After(now) && !t.Add(-12*time.Hour).After(now) {
				t = now
			}
		}
		switch {
		case t.After(now.Add(10 * time.Minute)):
			return t, refuse("at-future", "the time lies in the future", "write the day before the month, or 2026-01-31")
		case t.Before(now.AddDate(-2, 0, 0)):
			return t, refuse("at-early", "the time lies more than two years back", "correct the year")
		}
		return t.UTC(), nil
	}
	return time.Time{}, refuse("at-invalid", "the time cannot be read", "write 2026-01-31 14:05 or 31/01/2026 14:05")
}
