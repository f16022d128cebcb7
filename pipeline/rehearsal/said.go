package rehearsal

import "fmt"

// said is how a system words what happened to a message.
type said struct {
	Action     string
	Status     string
	Diagnostic string // with its type; Exim has none for what it finds out itself
	Said       string // for people
	Remark     string // for administrators, of Exchange
	Remote     string // who said it, "" if the writer found out itself
}

// say words an event as a system does. A forged notification says that the address
// is dead.
func say(s shape, w what, l letter) said {
	out := said{Action: "failed"}
	switch w {
	case whatForged:
		w = whatDead
	case whatDelayed:
		out.Action = "delayed"
	case whatDelivered:
		out.Action = "delivered"
	}
	switch s {
	case shapeExim:
		return out.exim(w, l)
	case shapeExchange:
		return out.exchange(w, l)
	case shapeGmail:
		return out.gmail(w, l)
	}
	return out.postfix(w, l)
}

// mx is the mail server of a recipient; its address is one for documentation
// (RFC 5737).
func (l letter) mx() string { return "mx1." + l.Domain }

const mxAddress = "192.0.2.25"

func (s said) postfix(w what, l letter) said {
	remote := func(status, reply, where string) said {
		s.Status, s.Remote = status, l.mx()
		s.Diagnostic = "smtp; " + reply
		s.Said = fmt.Sprintf("host %s[%s] said: %s\n    (in reply to %s)", l.mx(), mxAddress, reply, where)
		return s
	}
	local := func(status, text string) said {
		s.Status, s.Diagnostic, s.Said = status, "X-Postfix; "+text, text
		return s
	}
	switch w {
	case whatHost:
		return local("5.4.4", fmt.Sprintf("Host or domain name not found. Name service error for name=%s type=AAAA: Host not found", l.Domain))
	case whatFull:
		return remote("5.2.2", "552 5.2.2 <"+l.Recipient+">: Mailbox full: user is over quota", "RCPT TO command")
	case whatPolicy:
		return remote("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using reputation.practice.example", "RCPT TO command")
	case whatExpired, whatDelayed:
		return local("4.4.1", fmt.Sprintf("connect to %s[%s]:25: Connection timed out", l.mx(), mxAddress))
	case whatDelivered:
		s = remote("2.0.0", "250 2.0.0 Ok: queued as 4T0A1B2C3D", "end of DATA command")
		s.Said = fmt.Sprintf("delivery via %s[%s]:25: 250 2.0.0 Ok: queued as 4T0A1B2C3D", l.mx(), mxAddress)
		return s
	}
	return remote("5.1.1", "550 5.1.1 <"+l.Recipient+">: Recipient address rejected: User unknown in virtual mailbox table", "RCPT TO command")
}

// exim gives 5.0.0 or 4.0.0 for everything; the real code stands in the reply only.
func (s said) exim(w what, l letter) said {
	s.Status = "5.0.0"
	remote := func(reply, where string) said {
		s.Remote, s.Diagnostic = l.mx(), "smtp; "+reply
		s.Said = fmt.Sprintf("host %s [%s]\n    SMTP error from remote mail server after %s:\n    %s", l.mx(), mxAddress, where, reply)
		return s
	}
	rcpt := "RCPT TO:<" + l.Recipient + ">"
	switch w {
	case whatHost:
		s.Said = "Unrouteable address"
		return s
	case whatFull:
		return remote("552 5.2.2 Mailbox is over quota", rcpt)
	case whatPolicy:
		return remote("550 5.7.1 Message rejected: 192.0.2.1 is on our block list", rcpt)
	case whatExpired:
		s.Said = fmt.Sprintf("host %s [%s]: Connection timed out:\n    retry timeout exceeded", l.mx(), mxAddress)
		return s
	case whatDelayed:
		s.Status, s.Said = "4.0.0", fmt.Sprintf("host %s [%s]: Connection timed out", l.mx(), mxAddress)
		return s
	case whatDelivered:
		s.Status, s.Remote, s.Diagnostic = "2.0.0", l.mx(), "smtp; 250 OK id=1practice"
		return s
	}
	return remote("550 5.1.1 User unknown", rcpt)
}

func (s said) exchange(w what, l letter) said {
	with := func(status, reply, people string) said {
		s.Status, s.Diagnostic, s.Remark, s.Said = status, "smtp;"+reply, reply, people
		return s
	}
	switch w {
	case whatHost:
		return with("5.4.310", "550 5.4.310 DNS domain "+l.Domain+" does not exist [Message=InfoDomainNonexistent]", "Your message couldn't be delivered because the domain name couldn't be found.")
	case whatFull:
		return with("5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException; Failed to process message due to a permanent exception", "The recipient's mailbox is full and can't accept messages now.")
	case whatPolicy:
		return with("5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "Your message wasn't delivered because the recipient's email provider rejected it.")
	case whatExpired:
		return with("4.4.7", "550 4.4.7 QUEUE.Expired; message expired in unreachable destination queue", "Delivery has failed: the server has tried to deliver this message, without success, and has stopped trying.")
	case whatDelayed:
		return with("4.4.7", "400 4.4.7 Message delayed", "Delivery to these recipients is delayed. The server will keep trying.")
	case whatDelivered:
		return with("2.0.0", "250 2.0.0 OK", "Your message has been delivered to the following recipients:")
	}
	return with("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient "+l.Recipient+" not found by SMTP address lookup", "The email address you entered couldn't be found.")
}

func (s said) gmail(w what, l letter) said {
	with := func(status, reply, people string) said {
		s.Status, s.Diagnostic, s.Remote = status, "smtp; "+reply, l.mx()
		s.Said = people + "\n\nThe response was:\n\n" + reply
		return s
	}
	switch w {
	case whatHost:
		s = with("5.0.0", "DNS Error: DNS type 'mx' lookup of "+l.Domain+" responded with code NXDOMAIN\n Domain name not found: "+l.Domain, "** Address not found **\n\nYour message wasn't delivered to "+l.Recipient+" because the domain "+l.Domain+" couldn't be found.")
		s.Remote = ""
		return s
	case whatFull:
		return with("5.2.2", "552-5.2.2 The email account that you tried to reach is over quota and\n 552 5.2.2 inactive for new mail.", "** Recipient inbox full **\n\nYour message couldn't be delivered to "+l.Recipient+". Their inbox is full, or it's getting too much mail right now.")
	case whatPolicy:
		return with("5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n 550 5.7.26 All senders must authenticate with either SPF or DKIM.", "** Message blocked **\n\nYour message to "+l.Recipient+" has been blocked.")
	case whatExpired:
		return with("4.4.1", "The recipient server did not accept our requests to connect.\n ["+l.mx()+" "+mxAddress+": timed out]", "** Message not delivered **\n\nThere was a problem delivering your message to "+l.Recipient+".")
	case whatDelayed:
		return with("4.4.1", "The recipient server did not accept our requests to connect.\n ["+l.mx()+" "+mxAddress+": timed out]", "** Delivery incomplete **\n\nThere was a temporary problem delivering your message to "+l.Recipient+". It will be retried for 22 more hours.")
	case whatDelivered:
		return with("2.0.0", "250 2.0.0 OK", "Your message was delivered to "+l.Recipient+".")
	}
	return with("5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking the recipient's email address for typos or\n 550 5.1.1 unnecessary spaces.", "** Address not found **\n\nYour message wasn't delivered to "+l.Recipient+" because the address couldn't be found, or is unable to receive mail.")
}
