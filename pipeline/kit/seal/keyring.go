package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"
)

// Keyring is an open key file. Other processes may add, rotate and destroy keys
// meanwhile: what is not in memory is looked up in the file, under its lock.
type Keyring struct {
	path  string
	check string

	mu     sync.Mutex
	master []byte
	cached map[int64]*Keys
}

// Create makes a key file that holds no campaign yet. One that is there already
// is ErrExists. now is written into the file for people to read.
func Create(path string, master []byte, now time.Time) (*Keyring, error) {
	if len(master) != KeySize {
		return nil, errMasterSize()
	}
	f, identity := &file{path: path, Format: format, Created: now.UTC().Truncate(time.Second)}, make([]byte, KeySize)
	_, _ = rand.Read(identity)
	w, err := f.rekey(master)
	if err != nil {
		return nil, err
	}
	f.Identity = w.wrap(identity, "identity", 0, 0)
	if err := f.create(); err != nil {
		return nil, err
	}
	return &Keyring{path: path, check: checkValue(identity), master: slices.Clone(master), cached: map[int64]*Keys{}}, nil
}

// Open opens a key file. Errors are *Error around ErrMissing, ErrMaster,
// ErrDamaged or ErrNewer.
func Open(path string, master []byte) (*Keyring, error) {
	if len(master) != KeySize {
		return nil, errMasterSize()
	}
	f, err := read(path)
	if err != nil {
		return nil, err
	}
	_, identity, err := f.unlock(master)
	if err != nil {
		return nil, err
	}
	return &Keyring{path: path, check: checkValue(identity), master: slices.Clone(master), cached: map[int64]*Keys{}}, nil
}

// Check is the key check value, 16 hex digits: the ledger keeps it, so that a
// ledger never runs with the key file of another. It survives Rotate.
func (k *Keyring) Check() string { return k.check }

func checkValue(identity []byte) string {
	h := hmac.New(sha256.New, identity)
	_, _ = h.Write([]byte("art34/key-check/1"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Campaign returns the keys of a campaign and creates them if there are none;
// they are on disk before it returns. After Destroy it is ErrDestroyed.
func (k *Keyring) Campaign(id int64) (*Keys, error) {
	keys, err := k.Existing(id)
	if !errors.Is(err, ErrNoKeys) {
		return keys, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	err = k.change(func(f *file, w *wrapper) error {
		if keys, err = f.keys(w, id); err == nil {
			return errUnchanged // another process was faster
		} else if !errors.Is(err, ErrNoKeys) {
			return err
		}
		data, index := make([]byte, KeySize), make([]byte, KeySize)
		_, _ = rand.Read(data)
		_, _ = rand.Read(index)
		f.LastKey++
		f.Campaigns = append(f.Campaigns, entry{
			Campaign: id, Key: f.LastKey,
			Data:  w.wrap(data, "data", id, f.LastKey),
			Index: w.wrap(index, "index", id, f.LastKey),
		})
		keys, err = newKeys(f.LastKey, data, index)
		return err
	})
	if err != nil {
		return nil, err
	}
	k.cached[id] = keys
	return keys, nil
}

// Existing returns the keys of a campaign, or ErrNoKeys if there are none.
func (k *Keyring) Existing(id int64) (*Keys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if keys := k.cached[id]; keys != nil {
		return keys, nil
	}
	f, err := read(k.path)
	if err != nil {
		return nil, err
	}
	w, _, err := f.unlock(k.master)
	if err != nil {
		return nil, err
	}
	keys, err := f.keys(w, id)
	if err != nil {
		return nil, err
	}
	k.cached[id] = keys
	return keys, nil
}

// Rotate wraps all keys anew under another master key. Data stays as it is. Other
// processes that have the file open go on with the keys that they hold, and need
// the new master key to create or find others.
func (k *Keyring) Rotate(master []byte) error {
	if len(master) != KeySize {
		return errMasterSize()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.change(func(f *file, old *wrapper) error {
		identity, err := old.unwrap(f.Identity, "identity", 0, 0)
		if err != nil {
			return err
		}
		w, err := f.rekey(master)
		if err != nil {
			return err
		}
		f.Identity = w.wrap(identity, "identity", 0, 0)
		for i, e := range f.Campaigns {
			data, err := old.unwrap(e.Data, "data", e.Campaign, e.Key)
			if err != nil {
				return err
			}
			index, err := old.unwrap(e.Index, "index", e.Campaign, e.Key)
			if err != nil {
				return err
			}
			f.Campaigns[i].Data = w.wrap(data, "data", e.Campaign, e.Key)
			f.Campaigns[i].Index = w.wrap(index, "index", e.Campaign, e.Key)
		}
		return nil
	})
	if err == nil {
		k.master = slices.Clone(master)
	}
	return err
}

// Destroy removes the keys of a campaign for ever: nobody can open its sealed
// data or search its index any more, except with a copy of the key file. Doing it
// again is no error. Processes that hold the keys keep them until they end.
func (k *Keyring) Destroy(id int64, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.cached, id)
	return k.change(func(f *file, _ *wrapper) error {
		if f.destroyed(id) {
			return errUnchanged
		}
		f.Campaigns = slices.DeleteFunc(f.Campaigns, func(e entry) bool { return e.Campaign == id })
		f.Destroyed = append(f.Destroyed, tombstone{Campaign: id, At: now.UTC().Truncate(time.Second)})
		return nil
	})
}

// errUnchanged tells change that the file stays as it is.
var errUnchanged = errors.New("unchanged")

// change rewrites the file under its lock, so that of two processes that add keys
// neither loses the other's.
func (k *Keyring) change(edit func(*file, *wrapper) error) error {
	unlock, err := lock(k.path)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := read(k.path)
	if err != nil {
		return err
	}
	w, _, err := f.unlock(k.master)
	if err != nil {
		return err
	}
	if err := edit(f, w); err != nil {
		if errors.Is(err, errUnchanged) {
			return nil
		}
		return err
	}
	return f.replace()
}

func errMasterSize() error {
	return &Error{Code: "master-key-unreadable", Sentence: "the master key is not 32 bytes long", Hint: "make one with: openssl rand -base64 32", Cause: ErrMaster}
}
