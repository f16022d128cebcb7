package rehearsal

import (
	"strings"
	"time"
)

// Mix gives the shares of what happens to mail, each between 0 and 1 of all
// recipients, at most 1 together. What is left is accepted and nothing comes back.
// A recipient meets the same in every rehearsal with the same seed.
type Mix struct {
	// What the relay says at RCPT.

	Dead    float64       // 550 5.1.1, every time
	Grey    float64       // 451 4.7.1 the first time, then accepted
	Full    float64       // 452 4.2.2, every time
	Over    float64       // 552 5.2.2, every time
	Policy  float64       // 550 5.7.1, the first two times: a provider that refuses us
	Drop    float64       // takes the message and drops the connection instead of answering, the first time
	Slow    float64       // answers late
	SlowFor time.Duration // how late

	// What comes back after the relay has said 250.

	LateDead   float64 // failed, 5.1.1, within minutes
	LateHost   float64 // failed, no such domain
	LateFull   float64 // failed, 5.2.2: of some mailboxes once or twice, of others always
	LatePolicy float64 // failed, 5.7.x, the first time: a provider that refuses us
	Expired    float64 // delayed after 4 hours, failed with 4.4.x after a day: of most once, of some always
	VeryLate   float64 // failed, 5.1.1, after the bounce window
	Delayed    float64 // delayed after 4 hours, and then nothing
	Success    float64 // delivered: a success notification
	Absence    float64 // an answer by a robot: away until …
	Left       float64 // an answer by a robot: nobody reads this mailbox any more
	Reply      float64 // an answer by a person
	Stop       float64 // "STOP", by a person
	Complaint  float64 // an abuse report (RFC 5965)
	Garbage    float64 // something that only looks like a notification

	// Beside all that.

	Forged float64 // of the accepted ones: a notification with a forged return path comes, too
	Twice  float64 // of what comes back: it comes a second time
}

// Usual returns a mix in which a share of recipients bounces, in all the ways
// known, and the rest answers, complains and is attacked as in a usual week.
func Usual(bounces float64) Mix {
	b := func(part float64) float64 { return bounces * part }
	return Mix{
		Dead: b(0.19), Full: b(0.06), Over: b(0.05), Policy: b(0.02),
		LateDead: b(0.26), LateHost: b(0.05), LateFull: b(0.15), LatePolicy: b(0.03), Expired: b(0.13), VeryLate: b(0.06),
		Grey: 0.03, Drop: 0.002, Delayed: 0.006, Success: 0.01,
		Absence: 0.02, Left: 0.003, Reply: 0.006, Stop: 0.002, Complaint: 0.002, Garbage: 0.003,
		Forged: 0.004, Twice: 0.1,
	}
}

// Bounces is the share of recipients at which an e-mail fails, at once or later.
func (m Mix) Bounces() float64 {
	return m.Dead + m.Full + m.Over + m.Policy + m.LateDead + m.LateHost + m.LateFull + m.LatePolicy + m.Expired + m.VeryLate
}

// Sum is the share of recipients to whom anything happens.
func (m Mix) Sum() (sum float64) {
	for _, s := range m.table() {
		sum += s.of
	}
	return sum
}

// fate is what a recipient meets.
type fate string

const (
	fateNone       fate = ""
	fateDead       fate = "dead"
	fateGrey       fate = "grey"
	fateFull       fate = "full"
	fateOver       fate = "over"
	fatePolicy     fate = "policy"
	fateDrop       fate = "drop"
	fateSlow       fate = "slow"
	fateLateDead   fate = "late-dead"
	fateLateHost   fate = "late-host"
	fateLateFull   fate = "late-full"
	fateLatePolicy fate = "late-policy"
	fateExpired    fate = "expired"
	fateVeryLate   fate = "very-late"
	fateDelayed    fate = "delayed"
	fateSuccess    fate = "success"
	fateAbsence    fate = "absence"
	fateLeft       fate = "left"
	fateReply      fate = "reply"
	fateStop       fate = "stop"
	fateComplaint  fate = "complaint"
	fateGarbage    fate = "garbage"
)

type share struct {
	fate fate
	of   float64
}

// table lists the shares in the order in which the chance of a recipient is held
// against them. New ones go to the end, so that old seeds keep their meaning.
func (m Mix) table() []share {
	return []share{
		{fateDead, m.Dead}, {fateGrey, m.Grey}, {fateFull, m.Full}, {fateOver, m.Over}, {fatePolicy, m.Policy},
		{fateDrop, m.Drop}, {fateSlow, m.Slow},
		{fateLateDead, m.LateDead}, {fateLateHost, m.LateHost}, {fateLateFull, m.LateFull}, {fateLatePolicy, m.LatePolicy},
		{fateExpired, m.Expired}, {fateVeryLate, m.VeryLate}, {fateDelayed, m.Delayed}, {fateSuccess, m.Success},
		{fateAbsence, m.Absence}, {fateLeft, m.Left}, {fateReply, m.Reply}, {fateStop, m.Stop},
		{fateComplaint, m.Complaint}, {fateGarbage, m.Garbage},
	}
}

// fateOf draws what a recipient meets on an attempt, from 1.
func (r *Relay) fateOf(to string, attempt int) fate {
	c := chance(r.config.Seed, "rcpt", to)
	for _, s := range r.shares {
		if c < s.of {
			if attempt > lasting(s.fate, chance(r.config.Seed, "lasts", to)) {
				return fateNone
			}
			return s.fate
		}
		c -= s.of
	}
	return fateNone
}

// always is more attempts than anybody makes.
const always = 1 << 20

// lasting is how many attempts a fate meets: full mailboxes are emptied, servers
// mended, and who refused us is talked to.
func lasting(f fate, c float64) int {
	switch f {
	case fateLatePolicy:
		return 1
	case fatePolicy:
		return 2
	case fateLateFull:
		switch {
		case c < 0.4:
			return 1
		case c < 0.7:
			return 2
		}
	case fateExpired:
		if c < 0.7 {
			return 1
		}
	}
	return always
}

// coming is something that comes back some time after a message was accepted, by
// the clock of the business.
type coming struct {
	what  what
	after time.Duration
}

// what says what a message that comes back is.
type what string

const (
	whatDead      what = "dead"
	whatHost      what = "host"
	whatFull      what = "full"
	whatPolicy    what = "policy"
	whatExpired   what = "expired"
	whatDelayed   what = "delayed"
	whatDelivered what = "delivered"
	whatAbsence   what = "absence"
	whatLeft      what = "left"
	whatReply     what = "reply"
	whatStop      what = "stop"
	whatComplaint what = "complaint"
	whatGarbage   what = "garbage"
	whatForged    what = "forged"
	whatHome      what = "home" // a message to a domain of ours, handed on as it is
)

// coming draws what comes back for a message that is being accepted, and when. key
// is of the message: another attempt waits another time.
func (r *Relay) coming(f fate, key string) (list []coming) {
	draw := func(topic string) float64 { return chance(r.config.Seed, topic, key) }
	between := func(from, to time.Duration) time.Duration {
		return from + time.Duration(draw("delay")*float64(to-from))
	}
	const hour = time.Hour
	add := func(w what, after time.Duration) { list = append(list, coming{w, after}) }
	switch f {
	case fateLateDead:
		add(whatDead, between(2*time.Second, 10*time.Minute))
	case fateLateHost:
		add(whatHost, between(2*time.Second, time.Minute))
	case fateLateFull:
		add(whatFull, between(5*time.Second, 30*time.Minute))
	case fateLatePolicy:
		add(whatPolicy, between(2*time.Second, 5*time.Minute))
	case fateExpired:
		add(whatDelayed, between(4*hour, 4*hour+10*time.Minute))
		add(whatExpired, between(24*hour, 25*hour))
	case fateVeryLate:
		add(whatDead, r.config.Window+between(hour, 48*hour))
	case fateDelayed:
		add(whatDelayed, between(4*hour, 5*hour))
	case fateSuccess:
		add(whatDelivered, between(time.Second, 2*time.Minute))
	case fateAbsence:
		add(whatAbsence, between(time.Minute, 10*time.Minute))
	case fateLeft:
		add(whatLeft, between(time.Minute, 10*time.Minute))
	case fateReply:
		add(whatReply, between(10*time.Minute, 72*hour))
	case fateStop:
		add(whatStop, between(10*time.Minute, 24*hour))
	case fateComplaint:
		add(whatComplaint, between(hour, 48*hour))
	case fateGarbage:
		add(whatGarbage, between(2*time.Second, 10*time.Minute))
	}
	if draw("forged") < r.config.Mix.Forged {
		add(whatForged, between(hour, 24*hour))
	}
	if len(list) > 0 && draw("twice") < r.config.Mix.Twice {
		again := list[len(list)-1]
		again.after += between(time.Minute, hour)
		list = append(list, again)
	}
	return list
}

// shape is the system in whose words a notification comes.
type shape string

const (
	shapePostfix  shape = "postfix"
	shapeExim     shape = "exim"
	shapeExchange shape = "exchange"
	shapeGmail    shape = "gmail"
)

// shapeOf says in whose words a recipient's notifications come: a big provider's
// own, or those of what the others run.
func shapeOf(seed uint64, to string) shape {
	domain := strings.ToLower(to[strings.LastIndexByte(to, '@')+1:])
	name, _, _ := strings.Cut(domain, ".")
	switch name {
	case "gmail", "googlemail", "google":
		return shapeGmail
	case "outlook", "hotmail", "live", "msn", "microsoft":
		return shapeExchange
	}
	switch c := chance(seed, "shape", to); {
	case c < 0.5:
		return shapePostfix
	case c < 0.8:
		return shapeExim
	case c < 0.95:
		return shapeExchange
	}
	return shapeGmail
}
