package console

import (
	"context"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds what keeps one person from being two: who had an account in their
// hands is no second pair of eyes beside it. What is refused for that reason is
// approving a campaign and deciding about a correction.

// inHand notes that somebody has had an account in their hands.
func (a *Accounts) inHand(u pipeline.User, actor, did string) pipeline.User {
	return u.Held(pipeline.Hand{Actor: actor, Did: did, At: a.Clock.Now()})
}

// Confirm says that an account is whose it says it is: that of a second person, who has
// it alone. Nobody confirms their own, or one that they had in hand themselves.
func (a *Accounts) Confirm(ctx context.Context, actor, login string) (pipeline.User, error) {
	return a.change(ctx, actor, login, pipeline.Confirmed, func(u *pipeline.User) error {
		if actor == u.Actor() {
			return refuse("self", "nobody confirms their own account", "another administrator can")
		}
		if slices.ContainsFunc(u.Hands, func(h pipeline.Hand) bool { return h.Actor == actor && h.Did != pipeline.Confirmed }) {
			return refuse("own-hand", "nobody confirms an account that they made, reset, or gave a role", "another administrator can, or art34 user confirm at the machine")
		}
		*u = a.inHand(*u, actor, pipeline.Confirmed)
		return nil
	})
}

func confirmUser(v *visit) error {
	u, err := v.Accounts.Confirm(v.ctx(), v.user.Actor(), v.r.PathValue("login"))
	if err != nil {
		return err
	}
	return v.done("/users/"+u.Login, "confirmed")
}

// Tied is why whoever approves may be no second person. Maker is somebody else who had
// both accounts in hand: that is no reason to refuse, and one to look twice.
type Tied struct {
	pipeline.Tie
	Refused bool
	Maker   string
}

// TiedTo says it of somebody beside those who did something; by is the last of them.
func TiedTo(users []pipeline.User, actor, by string, did func(actor string) bool) Tied {
	tie, tied := pipeline.TiedTo(users, actor, did)
	t := Tied{Tie: tie, Refused: tied}
	if tied {
		return t
	}
	of := func(actor string) (list []string) {
		for _, u := range users {
			if u.Actor() == actor {
				for _, h := range u.Hands {
					if h.Did != pipeline.Confirmed {
						list = append(list, h.Actor)
					}
				}
			}
		}
		return list
	}
	theirs := of(by)
	for _, maker := range of(actor) {
		if slices.Contains(theirs, maker) {
			t.Maker = maker
		}
	}
	return t
}

// gaveToken is what somebody did who made the token of a program: no confirmation
// takes the program out of their hands.
const gaveToken = "token"

// RefuseTied is the refusal of somebody who may be no second person.
func RefuseTied(t Tied) error {
	if t.Did == gaveToken {
		return refuse("tied", "no second person: the token of the program was made by the other of the two", "a lead who has made no token of it decides")
	}
	return refuse("tied", "no second person: the account "+loginOf(t.Account)+" was in the hands of "+loginOf(t.Actor)+" ("+t.Did+")",
		"an administrator who has no hand in this confirms that account, or art34 user confirm "+loginOf(t.Account)+" at the machine")
}

// loginOf is the login of an actor.
func loginOf(actor string) string { return strings.TrimPrefix(actor, "user:") }
