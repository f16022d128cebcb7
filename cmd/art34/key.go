package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/art34/art34/pipeline/kit/seal"
)

type keyCmd struct {
	Rotate      keyRotateCmd      `cmd:"" help:"Wrap all keys anew under another master key."`
	ReturnPaths keyReturnPathsCmd `cmd:"" help:"Sign return paths with the next key; the one before stays in force."`
}

type keyRotateCmd struct {
	NewMasterKeyFile string `help:"File with the new master key, 32 bytes in base64 or hex; default: a fresh one replaces master.key in DIR." placeholder:"FILE" type:"path"`
}

// Help shows examples.
func (keyRotateCmd) Help() string {
	return `The data stay as they are: only the key file is written anew. Running processes go on with the keys that they hold; start them again with the new master key. The old master key is kept as master.key.old where it lay in DIR: destroy it when the new one is stored safely.

Examples:

    art34 key rotate
    art34 key rotate --new-master-key-file /run/secrets/master-2`
}

// Run rotates the master key.
func (c keyRotateCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	kept := filepath.Join(a.Dir, "master.key")
	inDir := a.MasterKeyFile == "" && os.Getenv("ART34_MASTER_KEY") == ""
	var master []byte
	switch {
	case c.NewMasterKeyFile != "":
		if master, err = seal.ReadMaster(c.NewMasterKeyFile); err != nil {
			return err
		}
	case !inDir:
		return refuse("usage", "the master key in use does not lie in DIR, so the new one must be named", "art34 key rotate --new-master-key-file FILE")
	default:
		// The new key is on disk before anything depends on it.
		if master, err = seal.CreateMaster(kept + ".new"); err != nil {
			return err
		}
	}
	if err := h.keys.Rotate(master); err != nil {
		return err
	}
	if c.NewMasterKeyFile == "" {
		if err := os.Rename(kept, kept+".old"); err != nil {
			return err
		}
		if err := os.Rename(kept+".new", kept); err != nil {
			return err
		}
	}
	if err := h.ledger.Append(ctx, a.audit(0, "key-rotate", "", "")); err != nil {
		return err
	}
	return a.answer(map[string]string{"key": "rotated"}, func(w io.Writer) {
		fmt.Fprintln(w, "All keys are wrapped under the new master key.")
		if c.NewMasterKeyFile == "" {
			fmt.Fprintf(w, "It lies in %s; the old one in %s.old: destroy it when the new one is stored safely.\n", kept, kept)
		}
	})
}
