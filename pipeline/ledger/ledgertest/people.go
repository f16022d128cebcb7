package ledgertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func user(login string) pipeline.User {
	return pipeline.User{
		Login: login, Name: "Name of " + login, Roles: []string{"operator", "viewer"}, Source: "local", Password: "$hash$", MustChange: true,
		PasswordAt: t0, TOTP: []byte{1, 2, 3}, TOTPStep: 59, Failures: 2, LockedUntil: t0.Add(time.Minute), Epoch: 4, Locale: "fr", CreatedAt: t0, SeenAt: t0.Add(time.Hour),
		Hands: []pipeline.Hand{{Actor: "user:root", Did: "user-add", At: t0.UTC()}},
	}
}

func installation(action string) pipeline.Audit {
	return pipeline.Audit{At: t0, Actor: "user:test", Action: action}
}

func testUsers(t *testing.T, e Engine) {
	b := newBench(t, e)
	u, err := b.CreateUser(b.ctx, user("ana"), true, installation("user-add"))
	b.must(err)
	if u.ID == 0 || u.Gen != 1 {
		t.Fatalf("%+v", u)
	}
	_, err = b.CreateUser(b.ctx, user("bob"), true, installation("user-add"))
	b.want(err, pipeline.ErrConflict)
	_, err = b.CreateUser(b.ctx, user("ana"), false, installation("user-add"))
	b.want(err, pipeline.ErrExists)
	foreign := user("cleo")
	foreign.Source, foreign.Subject = "https://id.example", "c-1"
	foreign, err = b.CreateUser(b.ctx, foreign, false, installation("user-add"))
	b.must(err)
	twin := user("dan")
	twin.Source, twin.Subject = foreign.Source, foreign.Subject
	_, err = b.CreateUser(b.ctx, twin, false, installation("user-add"))
	b.want(err, pipeline.ErrExists)

	got, err := b.User(b.ctx, "ana")
	b.must(err)
	if !reflect.DeepEqual(got, u) {
		t.Errorf("read back\n%+v, stored\n%+v", got, u)
	}
	if got, err = b.UserOf(b.ctx, foreign.Source, "c-1"); err != nil || got.Login != "cleo" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, miss := range []func() error{
		func() error { _, err := b.User(b.ctx, "nobody"); return err },
		func() error { _, err := b.UserOf(b.ctx, "local", ""); return err },
	} {
		b.want(miss(), pipeline.ErrNotFound)
	}

	got, err = b.User(b.ctx, "ana")
	b.must(err)
	got.Roles, got.Disabled, got.TOTP = nil, true, nil
	got.Hands = append(got.Hands, pipeline.Hand{Actor: "user:eve", Did: pipeline.Confirmed, At: t0.UTC().Add(time.Microsecond)})
	hands := got.Hands
	next, err := b.UpdateUser(b.ctx, got, installation("user-disable"), installation("user-roles"))
	b.must(err)
	_, err = b.UpdateUser(b.ctx, got, installation("user-enable"))
	b.want(err, pipeline.ErrStale)
	if got, err = b.User(b.ctx, "ana"); err != nil || !got.Disabled || !reflect.DeepEqual(got.Hands, hands) || got.Roles != nil || len(got.TOTP) != 0 || got.Gen != next.Gen {
		t.Errorf("%+v, %v", got, err)
	}
	all, err := b.AllUsers(b.ctx)
	b.must(err)
	if len(all) != 2 || all[0].Login != "ana" || all[1].Login != "cleo" {
		t.Errorf("%+v", all)
	}
	var actions []string
	for a, err := range b.AuditTrail(b.ctx, 0) {
		b.must(err)
		actions = append(actions, a.Action)
	}
	if want := []string{"user-add", "user-add", "user-disable", "user-roles"}; !reflect.DeepEqual(actions, want) {
		t.Errorf("audit trail: %v, want %v", actions, want)
	}
}

// testFirstUser: of many who set an installation up at the same moment, one does.
func testFirstUser(t *testing.T, e Engine) {
	b := newBench(t, e)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = b.CreateUser(context.Background(), user(string(rune('a'+i))), true, installation("setup"))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, pipeline.ErrConflict) {
			t.Error(err)
		}
	}
	if all, err := b.AllUsers(b.ctx); won != 1 || err != nil || len(all) != 1 {
		t.Errorf("%d were first, %d are there, %v", won, len(all), err)
	}
}

func testSessions(t *testing.T, e Engine) {
	b := newBench(t, e)
	u, err := b.CreateUser(b.ctx, user("ana"), false, installation("user-add"))
	b.must(err)
	session := func(token string) pipeline.Session {
		return pipeline.Session{Hash: sha256.Sum256([]byte(token)), User: u.ID, Epoch: u.Epoch, CreatedAt: t0, SeenAt: t0.Add(time.Minute), SureAt: t0, Strong: token == "one"}
	}
	for _, token := range []string{"one", "two", "old"} {
		s := session(token)
		if token == "old" {
			s.SeenAt = t0
		}
		b.must(b.AddSession(b.ctx, s))
	}
	s, who, err := b.Session(b.ctx, session("one").Hash)
	b.must(err)
	if s != session("one") || who.Login != "ana" {
		t.Errorf("%+v of %s", s, who.Login)
	}
	s.SeenAt, s.SureAt = t0.Add(time.Hour), t0.Add(time.Hour)
	b.must(b.TouchSession(b.ctx, s))
	if got, _, _ := b.Session(b.ctx, s.Hash); got != s {
		t.Errorf("touched %+v, read %+v", s, got)
	}
	gone := func(token string) {
		t.Helper()
		if _, _, err := b.Session(b.ctx, session(token).Hash); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("session %s: %v", token, err)
		}
	}
	gone("never")
	b.must(b.SweepSessions(b.ctx, t0.Add(time.Second), t0))
	gone("old")
	b.must(b.EndSession(b.ctx, session("one").Hash))
	b.must(b.EndSession(b.ctx, session("one").Hash))
	gone("one")

	u.Disabled = true
	u, err = b.UpdateUser(b.ctx, u)
	b.must(err)
	gone("two")
	u.Disabled = false
	u, err = b.UpdateUser(b.ctx, u)
	b.must(err)
	if _, _, err := b.Session(b.ctx, session("two").Hash); err != nil {
		t.Error(err)
	}
	u.Epoch++
	_, err = b.UpdateUser(b.ctx, u)
	b.must(err)
	gone("two")
}
