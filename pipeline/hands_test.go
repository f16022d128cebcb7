package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// held is an account of which this is known: "ana user-add" and so on, in order.
func held(login string, hands ...[2]string) pipeline.User {
	u := pipeline.User{Login: login}
	for i, h := range hands {
		u = u.Held(pipeline.Hand{Actor: "user:" + h[0], Did: h[1], At: time.Unix(int64(i), 0)})
	}
	return u
}

func TestTiedTo(t *testing.T) {
	t.Parallel()
	type hands = [][2]string
	add, reset, role, confirm := "user-add", "user-reset", "user-roles", pipeline.Confirmed
	for name, c := range map[string]struct {
		users map[string]hands
		want  string // account and hand; "" untied
	}{
		"made by nobody":                      {map[string]hands{"ana": nil, "dpo": nil}, ""},
		"made by somebody else":               {map[string]hands{"ana": nil, "root": nil, "dpo": {{"root", add}}}, ""},
		"made by the author":                  {map[string]hands{"ana": nil, "dpo": {{"ana", add}}}, "user:dpo user:ana user-add"},
		"reset by the author":                 {map[string]hands{"ana": nil, "root": nil, "dpo": {{"root", add}, {"ana", reset}}}, "user:dpo user:ana user-reset"},
		"made by the author's other account":  {map[string]hands{"ana": nil, "two": {{"ana", add}}, "dpo": {{"two", role}}}, "user:dpo user:two user-roles"},
		"the author made by the approver":     {map[string]hands{"ana": {{"dpo", add}}, "dpo": nil}, "user:ana user:dpo user-add"},
		"confirmed by a third":                {map[string]hands{"ana": nil, "root": nil, "dpo": {{"ana", add}, {"root", confirm}}}, ""},
		"confirmed, then reset":               {map[string]hands{"ana": nil, "root": nil, "dpo": {{"root", confirm}, {"ana", reset}}}, "user:dpo user:ana user-reset"},
		"confirmed by the author":             {map[string]hands{"ana": nil, "root": nil, "dpo": {{"ana", add}, {"ana", confirm}}}, "user:dpo user:ana user-add"},
		"confirmed by the author's other":     {map[string]hands{"ana": nil, "two": {{"ana", add}}, "dpo": {{"ana", add}, {"two", confirm}}}, "user:dpo user:ana user-add"},
		"confirmed by itself":                 {map[string]hands{"ana": nil, "dpo": {{"ana", add}, {"dpo", confirm}}}, "user:dpo user:ana user-add"},
		"two that confirm each other":         {map[string]hands{"ana": nil, "two": {{"ana", add}, {"dpo", confirm}}, "dpo": {{"ana", add}, {"two", confirm}}}, "user:dpo user:ana user-add"},
		"confirmed at the machine":            {map[string]hands{"ana": nil, "dpo": {{"ana", add}, {"shell", confirm}}}, ""},
		"made at the machine":                 {map[string]hands{"ana": nil, "dpo": {{"shell", add}}}, ""},
		"the author confirmed by a third":     {map[string]hands{"ana": {{"dpo", add}, {"root", confirm}}, "root": nil, "dpo": nil}, ""},
		"both made by one who did nothing":    {map[string]hands{"ana": {{"root", add}}, "root": nil, "dpo": {{"root", add}}}, ""},
		"accounts that hold each other":       {map[string]hands{"ana": nil, "x": {{"y", add}}, "y": {{"x", reset}}, "dpo": {{"x", add}}}, ""},
		"a hand that has itself been in hand": {map[string]hands{"ana": nil, "root": {{"ana", reset}}, "dpo": {{"root", add}}}, "user:dpo user:root user-add"},
	} {
		var users []pipeline.User
		for login, h := range c.users {
			users = append(users, held(login, h...))
		}
		tie, tied := pipeline.TiedTo(users, "user:dpo", func(a string) bool { return a == "user:ana" })
		got := ""
		if tied {
			got = fmt.Sprint(tie.Account, " ", tie.Actor, " ", tie.Did)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestHeldIsBounded: somebody who does the same again and again pushes nobody out.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	u := held("dpo", [2]string{"ana", "user-add"})
	for i := range 1000 {
		u = u.Held(pipeline.Hand{Actor: "user:root", Did: "user-reset", At: time.Unix(int64(i), 0)})
	}
	if len(u.Hands) != 2 || u.Hands[0].Actor != "user:ana" || u.Hands[1].At.Unix() != 999 {
		t.Errorf("%+v", u.Hands)
	}
}
