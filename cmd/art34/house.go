package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger"
	"github.com/art34/art34/pipeline/ledger/postgres"
	"github.com/art34/art34/pipeline/ledger/sqlite"
)

// patience is how long a command waits at its start for a service that is away.
const patience = 30 * time.Second

// house is what is durable: the ledger and the keys of an installation.
type house struct {
	*app
	ledger ledger.Ledger
	keys   *seal.Keyring
	shared bool // the ledger is one that several machines can work with

	editions *editions
	servants *servants // rehearsals that the console has begun
}

// Close gives the ledger back.
func (h *house) Close() { _ = h.ledger.Close() }

// open opens the ledger and the keys of an installation that is there.
func (a *app) open(ctx context.Context) (*house, error) { return a.openHouse(ctx, false) }

// found opens the ledger and the keys, and makes them for a new installation. Only
// commands that start something may: a mistyped directory must not become one.
func (a *app) found(ctx context.Context) (*house, error) {
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return nil, refuse("dir", "the directory of the installation cannot be made: "+err.Error(), "choose another with --dir or ART34_DIR")
	}
	return a.openHouse(ctx, true)
}

func (a *app) openHouse(ctx context.Context, create bool) (*house, error) {
	h := &house{app: a, servants: &servants{}}
	h.editions = &editions{h: h, by: map[editionKey]*edition{}}
	address, err := a.ledgerURL()
	if err != nil {
		return nil, err
	}
	h.shared = address != ""
	err = a.wait(ctx, "the ledger", func(ctx context.Context) error {
		var err error
		if h.ledger, err = a.openLedger(ctx, address, create); err != nil {
			return err
		}
		if err = h.ledger.Ping(ctx); err != nil {
			_ = h.ledger.Close()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if h.keys, err = a.openKeys(ctx, h.ledger); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (a *app) openLedger(ctx context.Context, address string, create bool) (ledger.Ledger, error) {
	if address != "" {
		l, err := postgres.Open(ctx, postgres.Config{URL: address})
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	path := filepath.Join(a.Dir, "ledger.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, refuse("no-installation", "there is no installation in "+a.Dir, "name its directory with --dir or ART34_DIR, or its ledger with ART34_LEDGER; art34 new makes one")
	}
	l, err := sqlite.Open(ctx, sqlite.Config{Path: path, MustExist: !create})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ledgerURL is the address of a shared ledger, "" for SQLite in DIR.
func (a *app) ledgerURL() (string, error) {
	return a.serviceURL("ledger", a.Ledger, a.LedgerFile, "postgres", "postgresql")
}

// redisURL is the address of a shared queue, "" for the embedded one.
func (a *app) redisURL() (string, error) {
	return a.serviceURL("redis", a.Redis, a.RedisFile, "redis", "rediss")
}

// serviceURL takes an address from its option or its file. What it says about a
// wrong one never repeats it: it may hold a password.
func (a *app) serviceURL(name, given, file string, schemes ...string) (string, error) {
	address := given
	if address == "" && file != "" {
		var err error
		if address, err = secret(file, ""); err != nil {
			return "", err
		}
	}
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err == nil && u.Host != "" {
		for _, s := range schemes {
			if u.Scheme == s {
				return address, nil
			}
		}
	}
	return "", refuse(name+"-url", fmt.Sprintf("the address of the %s is not one of %s://…", name, schemes[0]), "see --"+name+"; it is not repeated here because it may hold a password")
}

// wait tries until a service is there, for patience.
func (a *app) wait(ctx context.Context, what string, try func(context.Context) error) error {
	start := a.real.Now()
	said := false
	for {
		err := try(ctx)
		if err == nil || !errors.Is(err, pipeline.ErrAway) {
			return err
		}
		if a.real.Now().Sub(start) >= patience {
			return &pipeline.Error{Code: "service-away", Sentence: what + " cannot be reached", Cause: err, Hint: fmt.Sprintf("nothing was changed; it was tried for %s", roughly(patience)), Exit: exitAway}
		}
		if !said {
			a.say("waiting for %s, up to %s: %s", what, roughly(patience), firstLine(err))
			said = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}
