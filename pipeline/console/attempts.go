package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// This file holds what bounds guessing without letting strangers lock people out, after
// "device cookies" of the OWASP Authentication Cheat Sheet. Wrong passwords are counted
// in three places:
//
//   - per account and network (an IPv4 address, an IPv6 /64): 5, then one a minute, and
//     half as often after each, down to one an hour;
//   - per account, over all strangers, in the ledger: 100, then in the same way;
//   - per account and browser that has logged in to it before: 10, then in the same way,
//     and the browser counts as a stranger meanwhile. Strangers never lock it.
//
// Codes are counted apart from passwords in memory, and ten times in the ledger: whoever
// gives one has the password already.
//
// So one network tries a password 5+6 times in the first two hours and 24 times a day
// then; all networks of the world together 100+6 times, and 24 times a day then, which is
// about 8,900 in the first year: the 80 bits of an invented password, and any of twelve
// characters that is not among the few thousand commonest, are out of reach. Of codes
// they try 10+6 on the first day and 24 a day then, each right with 3 in a million (one of
// three steps of 30 seconds): one chance in 40 in a year, with the password in hand, and
// the trail shows it every hour. What is in memory is forgotten when the program
// restarts, or where several serve pages; the count of the ledger is not.
const (
	networkFree = 5
	deviceFree  = 10
	accountFree = 100
	codeWeight  = 10
	lockFirst   = time.Minute
	lockLongest = time.Hour
)

// lockFor is how long nobody may try after a failure too many.
func lockFor(failures, free int) time.Duration {
	over := failures - free
	if over < 0 {
		return 0
	}
	return min(lockFirst<<min(over, 10), lockLongest)
}

// From is where an attempt comes from.
type From struct {
	Network string
	// Device names a browser that has logged in to this account before, "" a stranger;
	// Since is when it did. A password that was changed since makes it a stranger.
	Device string
	Since  time.Time
}

// keys are what failures of an account are counted under in memory.
func (f From) keys(login string) (device, network string) {
	return "device " + f.Device + " " + login, "network " + f.Network + " " + login
}

// known reports whether the browser has logged in to the account since its password was
// set.
func (f From) known(u pipeline.User) bool {
	return f.Device != "" && !f.Since.Before(u.PasswordAt.Truncate(time.Microsecond))
}

// gates count failures in memory.
type gates struct {
	clock clock.Clock
	mu    sync.Mutex
	by    map[string]gate
}

type gate struct {
	failures int
	until    time.Time // nobody may try before
}

func newGates(c clock.Clock) *gates { return &gates{clock: c, by: map[string]gate{}} }

// take counts a failure in advance, unless the gate is closed.
func (g *gates) take(key string, free int) bool {
	now := g.clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.by) >= throttleKeys {
		for k, x := range g.by {
			if now.After(x.until) {
				delete(g.by, k)
			}
		}
		if len(g.by) >= throttleKeys { // an attack from everywhere: the ledger counts it
			clear(g.by)
		}
	}
	x := g.by[key]
	if now.Before(x.until) {
		return false
	}
	x.failures++
	if d := lockFor(x.failures, free); d > 0 {
		x.until = now.Add(d)
	}
	g.by[key] = x
	return true
}

// giveBack takes back what was counted in advance.
func (g *gates) giveBack(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x, ok := g.by[key]; ok {
		// It was open when this one was counted: who was right finds it so again.
		g.by[key] = gate{failures: max(0, x.failures-1)}
	}
}

// forget opens the gates that keep does not keep.
func (g *gates) forget(keep func(key string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k := range g.by {
		if !keep(k) {
			delete(g.by, k)
		}
	}
}

// attempt is one that was counted and not looked at yet.
type attempt struct {
	key    string
	weight int
	ledger bool // counted there as well
}

// try counts an attempt as failed before it is looked at, so that many at the same
// moment find no gap. errLogin says that nobody may try now.
func (a *Accounts) try(ctx context.Context, u pipeline.User, login string, from From, weight int) (attempt, error) {
	device, network := from.keys(login)
	if weight > 1 {
		device, network = "code "+device, "code "+network
	}
	if from.known(u) && a.gates.take(device, deviceFree) {
		return attempt{key: device, weight: weight}, nil
	}
	t := attempt{key: network, weight: weight, ledger: true}
	if !a.gates.take(t.key, networkFree) {
		return t, errLogin
	}
	return t, a.countStranger(ctx, u, login, weight)
}

// countStranger counts an attempt of a stranger in the ledger. It costs the same for an
// account that there is not: the clock must not say which there are.
func (a *Accounts) countStranger(ctx context.Context, u pipeline.User, login string, weight int) error {
	locked := false
	_, err := a.changeNoting(ctx, login, func(u *pipeline.User) ([]pipeline.Audit, error) {
		now := a.Clock.Now()
		if locked = now.Before(u.LockedUntil); locked {
			return nil, errLogin
		}
		u.Failures += weight
		d := lockFor(u.Failures, accountFree)
		if d == 0 {
			return nil, nil
		}
		u.LockedUntil = now.Add(d)
		return []pipeline.Audit{a.audit("guest", "login-locked", *u)}, nil
	})
	unknown := pipeline.ErrorCode(err) == "user-unknown"
	if unknown || locked {
		_, err := a.Users.SetMeta(ctx, metaUnknown, fmt.Sprint(a.Clock.Now().Unix()), false)
		if err != nil {
			return err
		}
		if unknown {
			return nil
		}
	}
	if pipeline.ErrorCode(err) == "busy" { // of an account that there is
		return errLogin
	}
	return err
}

// metaUnknown is when somebody last tried a login that there is not, or that is locked.
const metaUnknown = "console/unknown-login"

// settle takes back an attempt that was right.
func (a *Accounts) settle(ctx context.Context, login string, t attempt) error {
	a.gates.giveBack(t.key)
	if !t.ledger {
		return nil
	}
	_, err := a.change(ctx, "", login, "", func(u *pipeline.User) error {
		u.Failures = max(0, u.Failures-t.weight)
		if u.Failures < accountFree {
			u.LockedUntil = time.Time{}
		}
		return nil
	})
	return err
}

// errLogin is the one answer to whoever may not log in, whatever the reason.
var errLogin = refuse("login", "login or password is wrong, or the account is locked or closed", "")

// Check returns the user if the password is theirs.
func (a *Accounts) Check(ctx context.Context, login, password string, from From) (pipeline.User, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	u, err := a.Users.User(ctx, login)
	if err != nil && !errors.Is(err, pipeline.ErrNotFound) {
		return u, err
	}
	t, err := a.try(ctx, u, login, from, 1)
	if err != nil {
		a.hash.matches("", password)
		return u, err
	}
	if u.ID == 0 || u.Disabled || u.Source != Local {
		a.hash.matches("", password)
		return u, errLogin
	}
	if !a.hash.matches(u.Password, password) {
		return u, errLogin
	}
	return u, a.settle(ctx, login, t)
}

// Forgive forgets the failures of where somebody has logged in from; those of strangers
// only if they were one. seen notes a login.
func (a *Accounts) Forgive(ctx context.Context, login string, seen bool, from From) (pipeline.User, error) {
	device, network := from.keys(login)
	a.gates.forget(func(k string) bool {
		k = strings.TrimPrefix(k, "code ")
		return k != device && k != network
	})
	return a.change(ctx, "", login, "", func(u *pipeline.User) error {
		if !from.known(*u) {
			u.Failures, u.LockedUntil = 0, time.Time{}
		}
		if seen {
			u.SeenAt = a.Clock.Now()
		}
		return nil
	})
}

// Release opens an account that strangers have locked.
func (a *Accounts) Release(ctx context.Context, actor, login string) (pipeline.User, error) {
	a.gates.forget(func(k string) bool { return !strings.HasSuffix(k, " "+login) })
	return a.change(ctx, actor, login, "user-unlock", func(u *pipeline.User) error {
		u.Failures, u.LockedUntil = 0, time.Time{}
		return nil
	})
}

// CheckCode reports whether a code is the one of now, and uses it up.
func (a *Accounts) CheckCode(ctx context.Context, login, code string, from From) (pipeline.User, error) {
	u, err := a.Users.User(ctx, login)
	if err != nil {
		return u, err
	}
	t, err := a.try(ctx, u, login, from, codeWeight)
	if err != nil {
		return pipeline.User{}, err
	}
	u, err = a.change(ctx, "", login, "", func(u *pipeline.User) error {
		secret, err := a.Seal.Open(u.TOTP, totpContext(u.ID))
		if err != nil {
			return fmt.Errorf("the secret of user %d does not open: %w", u.ID, err)
		}
		step, ok := totpMatch(secret, code, a.Clock.Now(), u.TOTPStep)
		if !ok {
			return errLogin
		}
		u.TOTPStep = step
		return nil
	})
	if err != nil {
		return u, err
	}
	return u, a.settle(ctx, login, t)
}
