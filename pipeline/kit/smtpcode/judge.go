package smtpcode

// Verdict is what an answer means, and why.
type Verdict struct {
	Outcome Outcome
	Reason  string // see Reasons; "" where there was no failure
}

// Judge says what a failure means, from the reply code (0 without one), the
// enhanced status code (zero without one) and the text, out of which addresses
// should have been taken: a customer may be called spam@example.com.
//
// The order of belief: a 4xx is a matter of time; words that speak about us beat
// every code; then a code that says something; then words about the mailbox; then
// the bare reply code. What nobody recognises is Transient: it is tried again and
// ends in a letter too, but not today and not for a whole provider at once.
func Judge(code int, status Status, text string) Verdict {
	text = normal(text)
	if class := code / 100; class == 2 || class == 0 && status.Class == 2 {
		return Verdict{None, ""}
	}
	if code/100 == 4 || code == 0 && status.Class == 4 {
		return Verdict{Transient, later(status, text)}
	}
	if status.Subject == 7 {
		return about(status, text)
	}
	if r := find(oursWords, text); r != "" {
		return Verdict{Ours, r}
	}
	if v, ok := byStatus(code, status, text); ok {
		return v
	}
	if v, ok := byWords(status, text); ok {
		return v
	}
	return byCode(code, status)
}

// later names the reason of a transient failure.
func later(status Status, text string) string {
	if e, ok := Lookup(status); ok && status.Detail != 0 {
		if e.Outcome == Transient || e.Reason == Rate {
			return e.Reason
		}
	}
	if r := find(fullWords, text); r != "" {
		return r
	}
	if r := find(waitWords, text); r != "" {
		return r
	}
	return Later
}

// about is the verdict on a security status: ours, and the text may say why.
func about(status Status, text string) Verdict {
	e, _ := Lookup(status)
	reason := e.Reason
	if reason == "" || reason == Policy {
		reason = Policy
		if r := find(oursWords, text); r != "" {
			reason = r
		}
	}
	return Verdict{Ours, reason}
}

// byStatus judges by a code that says something.
func byStatus(code int, s Status, text string) (Verdict, bool) {
	e, ok := Lookup(s)
	if !ok || e.Outcome == "" {
		return Verdict{}, false
	}
	switch {
	case s.Subject == 3 && s.Detail == 2 && code == 521:
		return Verdict{Dead, NoMail}, true // the two together are what RFC 7504 gives a host that takes no mail
	case s.Subject == 4 && s.Detail == 1 && (has(text, "access denied") || has(text, "recipient address rejected")):
		// Exchange Online says "no answer from host" of a mailbox that its directory
		// does not know.
		return Verdict{Dead, NoMailbox}, true
	case e.Outcome == Dead && e.Reason != Moved:
		// Codes of the mailbox are also given for what passes.
		if r := find(fullWords, text); r != "" {
			return Verdict{Transient, r}, true
		}
		if r := find(rateWords, text); r != "" {
			return Verdict{Transient, r}, true
		}
	}
	return Verdict{e.Outcome, e.Reason}, true
}

// byWords judges by the text alone.
func byWords(status Status, text string) (Verdict, bool) {
	if status == (Status{5, 1, 0}) && has(text, "address rejected") {
		return Verdict{Dead, NoMailbox}, true // Cisco's way to say that the mailbox is unknown
	}
	if r := find(fullWords, text); r != "" {
		return Verdict{Transient, r}, true
	}
	if r := find(rateWords, text); r != "" {
		return Verdict{Transient, r}, true
	}
	if r := find(deadWords, text); r != "" {
		return Verdict{Dead, r}, true
	}
	if r := find(waitWords, text); r != "" {
		return Verdict{Transient, r}, true
	}
	if r := find(unclearWords, text); r != "" {
		return Verdict{Transient, r}, true
	}
	if r := find(refusalWords, text); r != "" {
		return Verdict{Ours, r}, true
	}
	return Verdict{}, false
}

// byCode judges by the reply code of RFC 5321, section 4.2, RFC 4954 and RFC 7504
// when nothing else says anything.
func byCode(code int, status Status) Verdict {
	switch code {
	case 500, 501, 502, 503, 504, 555:
		return Verdict{Ours, Protocol}
	case 523, 530, 534, 535, 538:
		return Verdict{Ours, Auth}
	case 541, 571:
		return Verdict{Ours, Policy}
	case 556: // and not 521, with which some providers refuse our IP address
		return Verdict{Dead, NoMail} // RFC 7504
	case 552:
		return Verdict{Transient, MailboxFull}
	}
	if e, ok := Lookup(status); ok && status.Subject != 0 {
		switch status.Subject {
		case 3, 4:
			return Verdict{Transient, e.Reason}
		case 5:
			return Verdict{Ours, e.Reason}
		}
	}
	return Verdict{Transient, Unknown}
}
