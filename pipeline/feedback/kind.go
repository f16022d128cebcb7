package feedback

// Kind says what a message that came back is about one recipient. Every verdict
// has exactly one, and it decides what follows. Only a Bounce has an outcome other
// than pipeline.None, with one exception: a warning whose words alone say that a
// system still tries is Delayed and Transient.
type Kind string

const (
	// Bounce: delivery failed for good as far as the reporting system goes; the
	// outcome says what that means.
	Bounce Kind = "bounce"
	// Delayed: a system is still trying. Recorded, nothing follows.
	Delayed Kind = "delayed"
	// Delivered: a system says that it put the message into the mailbox.
	Delivered Kind = "delivered"
	// Relayed: a system passed the message on (or expanded a list) and will not
	// report again. Recorded; it proves no delivery.
	Relayed Kind = "relayed"
	// Complaint: the recipient called the message spam (RFC 5965). It arrived.
	Complaint Kind = "complaint"
	// Reply: a person wrote, or at least nothing says that it was a machine.
	Reply Kind = "reply"
	// Absence: a robot answered: vacation, receipt, ticket number. Nothing follows.
	Absence Kind = "absence"
	// Closed: a robot says that nobody reads this mailbox any more.
	Closed Kind = "closed-mailbox"
	// Left: a robot says that the person has left the company.
	Left Kind = "left-company"
	// Challenge: a spam filter holds the message until the sender confirms.
	Challenge Kind = "challenge"
	// Stop: somebody asks for no more mail. Changes nothing: the notice is a duty.
	Stop Kind = "stop"
	// Unclear: a machine sent it and it says nothing that we understand: garbage,
	// or a report cut off before it came to the point.
	Unclear Kind = "unclear"
)

// Kinds lists the kinds in the order in which they are reported.
func Kinds() []Kind {
	return []Kind{Bounce, Delayed, Delivered, Relayed, Complaint, Reply, Absence, Closed, Left, Challenge, Stop, Unclear}
}

// Meaning says in a sentence what a kind is and what follows.
func (k Kind) Meaning() string {
	switch k {
	case Bounce:
		return "delivery failed; the reason says what follows"
	case Delayed:
		return "a system still tries: recorded"
	case Delivered:
		return "the server put it into the mailbox: the customer counts as informed"
	case Relayed:
		return "another server took it: recorded, it proves no delivery"
	case Complaint:
		return "the recipient called it spam, so it arrived: recorded"
	case Reply:
		return "an answer, perhaps of a person: sent on to the mailbox of the cell"
	case Absence:
		return "a robot answered (vacation, receipt, ticket): recorded"
	case Closed:
		return "a robot says that nobody reads this mailbox: worklist, letter at the deadline"
	case Left:
		return "a robot says that the person has left: worklist, letter at the deadline"
	case Challenge:
		return "a filter holds the message until somebody confirms: worklist, letter at the deadline"
	case Stop:
		return "a wish for no more mail: recorded; a notice is a duty, so it changes nothing"
	case Unclear:
		return "nothing that can be understood: kept"
	}
	return ""
}
