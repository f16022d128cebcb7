package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestStrangersLockNobodyOut: whoever has logged in from this browser before still can
// while strangers from everywhere try passwords; a new browser waits, and an
// administrator opens it with one press of a button.
func TestStrangersLockNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *console.Config) { c.BehindProxy = true })
	w.user("ana", console.Operator)
	w.user("root", console.Admin)
	mine, root := w.as("ana"), w.as("root")
	w.must2(mine.post("/logout").status, http.StatusSeeOther)
	for i := range 120 {
		_, err := w.accounts.Check(t.Context(), "ana", "wrong and wrong again", console.From{Network: fmt.Sprint("192.0.2.", i)})
		if pipeline.ErrorCode(err) != "login" {
			t.Fatal(err)
		}
	}
	u, err := w.ledger.User(t.Context(), "ana")
	w.must(err)
	if u.Failures != 100 || !u.LockedUntil.After(w.clock.Now()) {
		t.Errorf("%d of 120 passwords were looked at, locked until %v", u.Failures, u.LockedUntil)
	}
	login := func(b *browser, login string) int {
		return b.post("/login", "login", login, "password", password, "next", "/account").status
	}
	if got := login(w.browser(), "ana"); got != http.StatusUnprocessableEntity {
		t.Errorf("a new browser: %d", got)
	}
	if got := login(mine, "ana"); got != http.StatusSeeOther {
		t.Errorf("her own browser: %d", got)
	}
	if got := mine.get("/account").status; got != http.StatusOK {
		t.Errorf("logged in: %d", got)
	}
	// Her cookie is worth nothing for another account, or when it is changed.
	own := w.device(mine)
	for i := range 8 { // of the time, the number and the MAC
		forged := []byte(own)
		forged[i*5] = flip(string(forged[i*5 : i*5+1]))[0]
		b := w.browser()
		w.plant(b, string(forged))
		w.clock.Advance(5 * time.Second)
		if got := login(b, "ana"); got != http.StatusUnprocessableEntity {
			t.Errorf("a forged device: %d", got)
		}
	}
	if !strings.Contains(w.trail(0), "guest | login-locked |  | ana") {
		t.Error("the lock is not on record")
	}
	if a := root.get("/users"); !strings.Contains(a.body, "locked until") {
		t.Error("the list of people does not say who is locked")
	}
	if a := root.get("/users/ana"); !strings.Contains(a.body, `action="/users/ana/unlock"`) {
		t.Error("nobody can unlock it")
	}
	if a := root.post("/users/ana/unlock"); a.to != "/users/ana?done=unlocked" || !strings.Contains(w.trail(0), "user:root | user-unlock |  | ana") {
		t.Errorf("%d %s", a.status, a.to)
	}
	w.clock.Advance(time.Minute)
	if got := login(w.browser(), "ana"); got != http.StatusSeeOther {
		t.Errorf("a new browser after it was unlocked: %d", got)
	}
}

func (w *world) must2(got, want int) {
	w.t.Helper()
	if got != want {
		w.t.Fatalf("%d, want %d", got, want)
	}
}

// device is the cookie that names the devices of a browser.
func (w *world) device(b *browser) string {
	u, _ := url.Parse(w.server.URL)
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == "art34-device" {
			return c.Value
		}
	}
	w.t.Fatal("no cookie of the device")
	return ""
}

func (w *world) plant(b *browser, device string) {
	u, _ := url.Parse(w.server.URL)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: "art34-device", Value: device}})
}

// TestDevicesAreBounded: a browser that is known has ten attempts, and none once the
// password has changed; others' attempts do not count there, and a right password that
// leads to a weak new one is no failure.
func TestDevicesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Viewer)
	check := func(pw string, from console.From) string {
		_, err := w.accounts.Check(t.Context(), "ana", pw, from)
		return pipeline.ErrorCode(err)
	}
	device := console.From{Network: "192.0.2.1", Device: "d1", Since: t0}
	for range 30 {
		check("wrong and wrong again", device)
	}
	u, err := w.ledger.User(t.Context(), "ana")
	w.must(err)
	if u.Failures != 5 { // ten of the device, then five as a stranger, and no more
		t.Errorf("%d were counted as a stranger's", u.Failures)
	}
	if got := check(password, device); got != "login" {
		t.Errorf("after so many: %q", got)
	}
	if got := check(password, console.From{Network: "192.0.2.1", Device: "d2", Since: t0}); got != "" {
		t.Errorf("another browser in the same network: %q", got)
	}
	w.clock.Advance(time.Hour)
	_, err = w.accounts.SetPassword(t.Context(), "ana", password+"s")
	w.must(err)
	stale := console.From{Network: "192.0.2.9", Device: "d3", Since: t0}
	for range 10 {
		check("wrong and wrong again", stale)
	}
	if got := check(password+"s", stale); got != "login" {
		t.Errorf("a device from before the password was changed: %q", got)
	}

	b := w.browser()
	w.must2(b.post("/login", "login", "ana", "password", password+"s", "next", "/").status, http.StatusSeeOther)
	for range 12 {
		w.clock.Advance(7 * time.Second)
		if a := b.post("/account/password", "token", b.token("/account/password"), "old", password+"s", "password", "short", "again", "short"); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, `id="old-error"`) {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if a := b.post("/account/password", "token", b.token("/account/password"), "old", password+"s", "password", password, "again", password); a.to != "/account?done=password" {
		t.Errorf("%d %s", a.status, a.to)
	}
}

// TestCodesAreBounded: who has the password does not get to try the codes.
func TestCodesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("eve", console.Approver)
	for i := range 100 {
		_, err := w.accounts.CheckCode(t.Context(), "eve", "000000", console.From{Network: fmt.Sprint("192.0.2.", i)})
		if pipeline.ErrorCode(err) != "login" {
			t.Fatal(err)
		}
	}
	u, err := w.ledger.User(t.Context(), "eve")
	w.must(err)
	if u.Failures != 100 {
		t.Errorf("%d codes were looked at", u.Failures/10)
	}
}

// TestRightCodeClosesNothing: who gives the right code after wrong ones does not wait
// for the next time.
func TestRightCodeClosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("eve", console.Approver)
	from := console.From{Network: "192.0.2.1"}
	check := func(code, want string) {
		t.Helper()
		if _, err := w.accounts.CheckCode(t.Context(), "eve", code, from); pipeline.ErrorCode(err) != want {
			t.Fatalf("%v, want %q", err, want)
		}
	}
	for range 7 {
		check("000000", "login")
		w.clock.Advance(5 * time.Minute)
	}
	check(w.code("eve"), "")
	w.clock.Advance(30 * time.Second) // the next code
	check(w.code("eve"), "")
}

// TestUnknownNamesCostTheSame: a login that there is not takes as many steps in the
// ledger as one that there is, and as one that is locked; the hash is always made.
func TestUnknownNamesCostTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Viewer)
	w.user("bob", console.Viewer)
	for i := range 101 {
		_, _ = w.accounts.Check(t.Context(), "bob", "wrong and wrong again", console.From{Network: fmt.Sprint(i)})
	}
	counted := &countingUsers{Users: w.ledger}
	w.accounts.Users = counted
	for _, login := range []string{"ana", "nobody", "bob"} {
		counted.reads, counted.writes = 0, 0
		if _, err := w.accounts.Check(t.Context(), login, "wrong and wrong again", console.From{Network: "192.0.2.1"}); pipeline.ErrorCode(err) != "login" {
			t.Fatal(err)
		}
		if counted.reads != 2 || counted.writes != 1 {
			t.Errorf("%s: %d reads and %d writes", login, counted.reads, counted.writes)
		}
	}
}

// TestNetworks: what is counted together.
func TestNetworks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "192.0.2.1": "192.0.2.1", "[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
		"[2001:db8::1]": "2001:db8::/64", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::/64", "unknown": "", "": "", "192.0.2.1, 10.0.0.1": "",
	} {
		if got := console.NetworkOf(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := console.SiteOf("2001:db8:1:2::/64"); got != "2001:db8:1::/48" || console.SiteOf("192.0.2.1") != "" {
		t.Errorf("%q", got)
	}
}

// TestForwardedFor: without a proxy a header buys no more attempts, and with one only
// what the proxy wrote counts.
func TestForwardedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behind  bool
		header  string
		limited bool
	}{"no proxy": {false, "198.51.100.%d", true}, "one's own word": {true, "198.51.100.%d, 192.0.2.1", true}, "the proxy's": {true, "192.0.2.1, 198.51.100.%d", false}, "the same network": {true, "2001:db8::%d", true}} {
		w := newWorld(t, func(k *console.Config) { k.BehindProxy = c.behind })
		b, limited := w.browser(), false
		token := b.token("/login")
		for i := range 15 {
			r, _ := http.NewRequest(http.MethodPost, w.server.URL+"/login", strings.NewReader(url.Values{"token": {token}, "login": {"nobody"}, "password": {"x"}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			h := c.header
			if strings.Contains(h, "%d") {
				h = fmt.Sprintf(h, i+1)
			}
			r.Header.Set("X-Forwarded-For", h)
			limited = limited || b.send(r).status == http.StatusTooManyRequests
		}
		if limited != c.limited {
			t.Errorf("%s: limited: %t", name, limited)
		}
	}
}

// countingUsers counts what is asked of the ledger.
type countingUsers struct {
	console.Users
	reads, writes int
}

func (c *countingUsers) User(ctx context.Context, login string) (pipeline.User, error) {
	c.reads++
	return c.Users.User(ctx, login)
}

func (c *countingUsers) UpdateUser(ctx context.Context, u pipeline.User, a ...pipeline.Audit) (pipeline.User, error) {
	c.writes++
	return c.Users.UpdateUser(ctx, u, a...)
}

func (c *countingUsers) SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error) {
	c.writes++
	return c.Users.SetMeta(ctx, key, value, ifEmpty)
}
