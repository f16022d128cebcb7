package pipeline

import (
	"slices"
	"time"
)

// Hand is somebody who had an account in their hands: whoever gives it a password or a
// role can log in with it first, and be two people.
type Hand struct {
	Actor string    `json:"actor"`
	Did   string    `json:"did"` // user-add, user-roles, user-reset, user-reset-code, user-enable; or Confirmed
	At    time.Time `json:"at"`
}

// Confirmed is what somebody does who says that an account is whose it says it is.
const Confirmed = "user-confirm"

// mostHands bounds what an account remembers. One entry for a person and what they did:
// nobody pushes another out by doing the same again.
const mostHands = 64

// Held returns the account with one more hand.
func (u User) Held(h Hand) User {
	h.At = h.At.UTC().Truncate(time.Microsecond)
	list := slices.DeleteFunc(slices.Clone(u.Hands), func(x Hand) bool { return x.Actor == h.Actor && x.Did == h.Did })
	u.Hands = append(list, h)
	if len(u.Hands) > mostHands {
		u.Hands = u.Hands[len(u.Hands)-mostHands:]
	}
	return u
}

// Tie is why two people may be one: this account was in these hands.
type Tie struct {
	Account string // actor
	Hand
}

// TiedTo says whether somebody is no second person beside those who did something: one
// of them had their account in hand, or they the account of one of them, or somebody had
// whose own account was in such hands. Whoever has confirmed the account since unties it
// if they are neither of the two, did none of it, and are not tied themselves.
//
// Time does not untie: an account that was made a year ago to approve one day is no
// better than one of yesterday. Hands without an account here are those of who has a
// shell on the machine: they could write the ledger, nothing here would stop them, and
// their trail is all there is.
func TiedTo(users []User, actor string, did func(actor string) bool) (Tie, bool) {
	tied := circle(users, did)
	for _, u := range users {
		holds := func(a string) bool { return tied[a] }
		if u.Actor() != actor {
			if !did(u.Actor()) {
				continue
			}
			holds = func(a string) bool { return a == actor }
		}
		if h, ok := u.in(holds, tied); ok {
			return Tie{u.Actor(), h}, true
		}
	}
	return Tie{}, false
}

// in returns a hand that holds the account still: nobody independent has confirmed the
// account since.
func (u User) in(holds func(actor string) bool, tied map[string]bool) (Hand, bool) {
	for _, h := range u.Hands {
		if h.Did == Confirmed || h.Actor == u.Actor() || !holds(h.Actor) {
			continue
		}
		confirmed := slices.ContainsFunc(u.Hands, func(x Hand) bool {
			return x.Did == Confirmed && !x.At.Before(h.At) && x.Actor != h.Actor && x.Actor != u.Actor() && !tied[x.Actor]
		})
		if !confirmed {
			return h, true
		}
	}
	return Hand{}, false
}

// circle is those who did something and everybody who may be one of them. At first that
// is whoever was in the hands of one who is in it, confirmed or not, so that nobody
// comes out because two in it have confirmed each other; then those come out whom
// somebody outside has confirmed, until nobody does any more.
func circle(users []User, did func(actor string) bool) map[string]bool {
	tied := map[string]bool{}
	for _, u := range users {
		if did(u.Actor()) {
			tied[u.Actor()] = true
		}
	}
	settle := func(change func(User) bool) {
		for changed := true; changed; {
			changed = false
			for _, u := range users {
				if !did(u.Actor()) && change(u) {
					tied[u.Actor()] = !tied[u.Actor()]
					changed = true
				}
			}
		}
	}
	settle(func(u User) bool {
		return !tied[u.Actor()] && slices.ContainsFunc(u.Hands, func(h Hand) bool { return h.Did != Confirmed && tied[h.Actor] })
	})
	settle(func(u User) bool {
		_, held := u.in(func(a string) bool { return tied[a] }, tied)
		return tied[u.Actor()] && !held
	})
	return tied
}
