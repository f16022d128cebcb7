package feedback

import (
	"fmt"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

// part is one recipient of a made-up report.
type part struct{ address, status, diagnostic, text, want string }

// permutations returns all orders of n things.
func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, p := range permutations(n - 1) {
		for at := range n {
			q := append(append(append([]int(nil), p[:at]...), n-1), p[at:]...)
			all = append(all, q)
		}
	}
	return all
}

// TestRecipientsApart: with several recipients in a report, what is said of one
// colours no other, whatever the order and wherever it is said.
func TestRecipientsApart(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	cast := []part{
		{"dead@a.example", "5.1.1", "smtp; 550 5.1.1 <dead@a.example>: User unknown", "550 5.1.1 <dead@a.example>: Recipient address rejected: User unknown", "bounce dead no-mailbox"},
		{"full@b.example", "4.2.2", "smtp; 452 4.2.2 mailbox full", "452 4.2.2 mailbox full", "bounce transient mailbox-full"},
		{"policy@c.example", "5.7.1", "smtp; 550 5.7.1 blocked using zen.spamhaus.example, see https://groups.google.com/support/x", "550 5.7.1 blocked using zen.spamhaus.example", "bounce ours"},
		{"silent@d.example", "5.0.0", "", "", "bounce transient unknown"},
		{"d@d.example", "", "", "", "bounce transient unknown"}, // its address is the end of another's
	}
	styles := map[string]func(p part) string{
		"Postfix": func(p part) string {
			return fmt.Sprintf("<%s>: host mx.example[192.0.2.1] said:\n    %s\n\n", p.address, p.text)
		},
		"Exim": func(p part) string {
			return fmt.Sprintf("  %s\n    host mx.example [192.0.2.1]\n    %s\n\n", p.address, p.text)
		},
		"Sendmail": func(p part) string { return fmt.Sprintf("<%s>\n    (reason: %s)\n", p.address, p.text) },
		"one line": func(p part) string { return fmt.Sprintf("%s: %s\n", p.address, p.text) },
		"nothing":  func(part) string { return "" },
	}
	for style, say := range styles {
		for _, order := range permutations(len(cast)) {
			for _, spoken := range []bool{true, false} {
				var text, fields strings.Builder
				text.WriteString("I could not deliver your message to one or more recipients.\n\n")
				for _, i := range order {
					p := cast[i]
					text.WriteString(say(p))
					fmt.Fprintf(&fields, "\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: %s\n", p.address, p.status)
					if p.diagnostic != "" && spoken {
						fmt.Fprintf(&fields, "Diagnostic-Code: %s\n", p.diagnostic)
					}
				}
				raw := "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n" +
					text.String() + "\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n" + fields.String() + "\n--b--\n"
				vs := c.Classify(dsn.Parse([]byte(raw)))
				if len(vs) != len(cast) {
					t.Fatalf("%s: %d recipients, want %d\n%s", style, len(vs), len(cast), raw)
				}
				for n, i := range order {
					want := cast[i].want
					if !spoken && style == "nothing" {
						want = map[string]string{"dead@a.example": "bounce dead", "full@b.example": "bounce transient", "policy@c.example": "bounce ours"}[cast[i].address]
						if want == "" {
							want = "bounce transient"
						}
					}
					got := fmt.Sprintf("%s %s %s", vs[n].Kind, vs[n].Outcome, vs[n].Reason)
					if vs[n].Recipient != cast[i].address || !strings.HasPrefix(got, want) {
						t.Fatalf("%s, order %v, spoken %v: %s is %s, want %s\n%s", style, order, spoken, cast[i].address, got, want, raw)
					}
				}
			}
		}
	}
}

// TestRecipientsOfText is the same for reports that follow no standard.
func TestRecipientsOfText(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	for name, raw := range map[string]string{
		"X-Failed-Recipients": "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: dead@a.example, full@b.example,\n silent@c.example\nSubject: Mail delivery failed\n\nThe following address(es) failed:\n\n  dead@a.example\n    550 No such user here\n\n  full@b.example\n    552 Mailbox full\n",
		"in one sentence":     "From: Mail Delivery System <Mailer-Daemon@mx.example>\nX-Failed-Recipients: dead@a.example, full@b.example, silent@c.example\nSubject: Mail delivery failed\n\nsilent@c.example, full@b.example: mailbox full, dead@a.example: no such user\n",
	} {
		vs, got := c.Classify(dsn.Parse([]byte(raw))), ""
		for _, v := range vs {
			got += v.Recipient + " " + string(v.Outcome) + " "
		}
		if want := "dead@a.example dead full@b.example transient silent@c.example transient "; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	zoho := "From: mailer-daemon@mail.zoho.example\nSubject: Undelivered Mail Returned to Sender\n\nThis message was created automatically by mail delivery software.\nA message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\n" +
		"one@example.com Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <one@example.com>... User Unknown\ntwo@example.com Error, ERROR_CODE :550, ERROR_CODE :5.2.2 <two@example.com>... Mailbox Full\n\n\nReceived:from mail.zoho.example by mx.zoho.example\nSubject:spam blocked\n"
	vs := c.Classify(dsn.Parse([]byte(zoho)))
	if len(vs) != 2 || vs[0].Outcome != pipeline.Dead || vs[0].Reply != "550" || vs[0].Status != "5.1.1" || vs[1].Outcome != pipeline.Transient {
		t.Errorf("Zoho: %+v", vs)
	}
}

// TestSecurityIsNeverDead: a status X.7.x is about us, or in doubt, whatever words
// stand beside it. What Exchange Online says of a mailbox it does not know is the
// exception that has another code.
func TestSecurityIsNeverDead(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	for said, want := range map[string]string{
		"554 5.7.1 <a@example.com>: Recipient address rejected: Access denied":                      "ours",
		"550 5.7.1 <a@example.com>: Recipient address rejected: User unknown":                       "transient",
		"525 5.7.13 <a@example.com>: Recipient address rejected: User account disabled":             "ours transient",
		"550 5.7.13 User account disabled":                                                          "ours transient",
		"550 5.7.27 Sender address has null MX":                                                     "ours",
		"550 5.7.1 Mailbox unavailable or access denied":                                            "transient",
		"550 5.7.1 no such user here":                                                               "transient",
		"550 5.4.1 Recipient address rejected: Access denied. AS(201806281)":                        "dead",
		"550 5.7.606 Access denied, banned sending IP":                                              "ours",
		"550 5.7.515 Access denied, sending domain does not meet the required authentication level": "ours",
		"521 5.3.2 host does not accept mail":                                                       "dead",
		"554 5.3.2 System not accepting network messages":                                           "transient",
	} {
		for _, diag := range []bool{true, false} {
			r := &dsn.Report{Shape: dsn.Delivery, Text: said, Recipients: []dsn.Recipient{{Action: "failed"}}}
			if diag {
				r.Recipients[0].Diagnostic = said
			} else {
				r.Recipients[0].Status = strings.Fields(said)[1]
			}
			if v := c.Classify(r)[0]; !strings.Contains(want, string(v.Outcome)) {
				t.Errorf("%s (as a diagnostic %v): %s (%s), want %s", said, diag, v.Outcome, v.Reason, want)
			}
		}
	}
	for _, j := range append(append(ready(raw()), ready(strong())...), ready(rules())...) {
		for _, a := range j.text {
			for _, l := range a.literals {
				v := c.Classify(&dsn.Report{Shape: dsn.Delivery, Recipients: []dsn.Recipient{{Action: "failed", Status: "5.7.1", Diagnostic: "550 5.7.1 " + l}}})[0]
				if v.Outcome == pipeline.Dead {
					t.Errorf("5.7.1 %s is dead", l)
				}
			}
		}
	}
}
