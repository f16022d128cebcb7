package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger"
)

// metaKeyCheck is the key check value in the ledger: it ties the ledger to its
// key file.
const metaKeyCheck = "key-check"

// master returns the master key: from its file, the environment, or DIR/master.key.
// create allows a fresh one, in DIR and for its owner only.
func (a *app) master(create bool) ([]byte, error) {
	text, err := secret(a.MasterKeyFile, "ART34_MASTER_KEY")
	if err != nil {
		return nil, err
	}
	if text != "" {
		return seal.ParseMaster([]byte(text))
	}
	path := filepath.Join(a.Dir, "master.key")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && create {
		key, err := seal.CreateMaster(path)
		if errors.Is(err, seal.ErrExists) {
			return seal.ReadMaster(path) // another process was a moment faster
		}
		if err == nil {
			a.say("note: made a master key, %s. Keep a copy where the ledger is not: without it nobody on the list can be read.", path)
		}
		return key, err
	}
	return seal.ReadMaster(path)
}

// openKeys opens the key file that belongs to the ledger. Keys are made only for
// an empty ledger; anything that does not fit is refused before it is touched.
func (a *app) openKeys(ctx context.Context, l ledger.Ledger) (*seal.Keyring, error) {
	path := filepath.Join(a.Dir, "keys.json")
	check, err := l.Meta(ctx, metaKeyCheck)
	if err != nil {
		return nil, err
	}
	if check == "" {
		return a.firstKeys(ctx, l, path)
	}
	master, err := a.master(false)
	if err != nil {
		return nil, err
	}
	keys, err := seal.Open(path, master)
	if err != nil {
		return nil, err
	}
	if keys.Check() != check {
		return nil, foreignKeys()
	}
	return keys, nil
}

func (a *app) firstKeys(ctx context.Context, l ledger.Ledger, path string) (*seal.Keyring, error) {
	campaigns, err := l.AllCampaigns(ctx)
	if err != nil {
		return nil, err
	}
	if len(campaigns) > 0 {
		return nil, refuse("keys-missing", "the ledger has campaigns, but no key file belongs to it", "restore keys.json and the master key that the ledger was used with")
	}
	if trace := a.traces(); trace != "" {
		return nil, refuse("ledger-lost", "the ledger is empty, but "+trace+" shows that this directory has been in use",
			"restore the ledger from its backup, or start in another --dir; nothing but an empty ledger was written")
	}
	master, err := a.master(true)
	if err != nil {
		return nil, err
	}
	keys, err := seal.Create(path, master, a.clock.Now())
	if errors.Is(err, seal.ErrExists) {
		keys, err = seal.Open(path, master)
	}
	if err != nil {
		return nil, err
	}
	inForce, err := l.SetMeta(ctx, metaKeyCheck, keys.Check(), true)
	if err != nil {
		return nil, err
	}
	if inForce != keys.Check() {
		return nil, foreignKeys()
	}
	return keys, nil
}

// traces names what an earlier life of DIR has left: a fresh ledger beside it would
// count its print runs from one again, and write over them.
func (a *app) traces() string {
	for _, name := range []string{"campaigns", "print-runs"} {
		entries, err := os.ReadDir(filepath.Join(a.Dir, name))
		if err == nil && len(entries) > 0 {
			return filepath.Join(a.Dir, name)
		}
	}
	return ""
}

func foreignKeys() error {
	return refuse("keys-foreign", "the key file in DIR belongs to another ledger", "use the DIR and the ledger that were used together; nothing was touched")
}
