package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// format is the version of the key file that this program reads and writes.
const format = 1

// file is the key file: JSON, byte strings in base64. A wrapped key is a nonce
// and the AES-256-GCM encryption of the key, bound to its place in the file.
type file struct {
	path string

	Format    int         `json:"art34_keys"`
	Created   time.Time   `json:"created"`
	Salt      []byte      `json:"salt"`     // of the key-wrapping key; new at every rotation
	Identity  []byte      `json:"identity"` // wrapped; what Check is made of
	LastKey   uint32      `json:"last_key"` // key ids are never used again
	Campaigns []entry     `json:"campaigns"`
	Destroyed []tombstone `json:"destroyed,omitempty"`
}

type entry struct {
	Campaign int64  `json:"campaign"`
	Key      uint32 `json:"key"`
	Data     []byte `json:"data"`
	Index    []byte `json:"index"`
}

// tombstone keeps a campaign whose people were erased from getting fresh keys.
type tombstone struct {
	Campaign int64     `json:"campaign"`
	At       time.Time `json:"at"`
}

func read(path string) (*file, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{
			Code: "key-file-missing", Sentence: "there is no key file at " + path,
			Hint: "restore it from the backup: without it the people in the ledger cannot be read by anybody", Cause: ErrMissing,
		}
	}
	if err != nil {
		return nil, &Error{Code: "key-file-unreadable", Sentence: "the key file cannot be read: " + err.Error(), Cause: err}
	}
	f := &file{path: path}
	if err := json.Unmarshal(text, f); err != nil || f.Format < 1 || len(f.Salt) == 0 {
		return nil, damaged(path)
	}
	if f.Format > format {
		return nil, &Error{
			Code: "key-file-newer", Sentence: "the key file at " + path + " was written by a newer version of art34",
			Hint: "use that version", Cause: ErrNewer,
		}
	}
	return f, nil
}

func damaged(path string) error {
	return &Error{
		Code: "key-file-damaged", Sentence: "the key file at " + path + " is damaged",
		Hint: "restore it from the backup", Cause: ErrDamaged,
	}
}

// wrapper wraps keys under the key that is derived from the master key.
type wrapper struct{ aead cipher.AEAD }

func newWrapper(master, salt []byte) (*wrapper, error) {
	kek, err := hkdf.Key(sha256.New, master, salt, "art34/wrap/1", KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &wrapper{aead}, err
}

// place binds a wrapped key to what it is for, so that nobody swaps two in the
// file.
func place(purpose string, campaign int64, key uint32) []byte {
	b := append([]byte("art34/key/1\x00"), purpose...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(campaign))
	return binary.BigEndian.AppendUint32(b, key)
}

func (w *wrapper) wrap(key []byte, purpose string, campaign int64, id uint32) []byte {
	return w.aead.Seal(nil, nil, key, place(purpose, campaign, id))
}

func (w *wrapper) unwrap(wrapped []byte, purpose string, campaign int64, id uint32) ([]byte, error) {
	key, err := w.aead.Open(nil, nil, wrapped, place(purpose, campaign, id))
	if err != nil || len(key) != KeySize {
		return nil, ErrSealed
	}
	return key, nil
}

// rekey gives the file a new salt and returns what wraps under it.
func (f *file) rekey(master []byte) (*wrapper, error) {
	f.Salt = make([]byte, KeySize)
	_, _ = rand.Read(f.Salt)
	return newWrapper(master, f.Salt)
}

// unlock checks the master key against the identity.
func (f *file) unlock(master []byte) (*wrapper, []byte, error) {
	w, err := newWrapper(master, f.Salt)
	if err != nil {
		return nil, nil, err
	}
	identity, err := w.unwrap(f.Identity, "identity", 0, 0)
	if err != nil {
		return nil, nil, &Error{
			Code: "master-key-wrong", Sentence: "the master key does not fit the key file at " + f.path,
			Hint: "give the master key that the key file was made or last rotated with, or restore both from the same backup", Cause: ErrMaster,
		}
	}
	return w, identity, nil
}

func (f *file) destroyed(id int64) bool {
	return slices.ContainsFunc(f.Destroyed, func(t tombstone) bool { return t.Campaign == id })
}

func (f *file) keys(w *wrapper, id int64) (*Keys, error) {
	if f.destroyed(id) {
		return nil, &Error{Code: "keys-destroyed", Sentence: "the people of this campaign were erased: its keys are destroyed", Cause: ErrDestroyed}
	}
	at := slices.IndexFunc(f.Campaigns, func(e entry) bool { return e.Campaign == id })
	if at < 0 {
		return nil, ErrNoKeys
	}
	e := f.Campaigns[at]
	data, err := w.unwrap(e.Data, "data", id, e.Key)
	if err != nil {
		return nil, damaged(f.path)
	}
	index, err := w.unwrap(e.Index, "index", id, e.Key)
	if err != nil {
		return nil, damaged(f.path)
	}
	return newKeys(e.Key, data, index)
}

func (f *file) text() ([]byte, error) {
	text, err := json.MarshalIndent(f, "", "  ")
	return append(text, '\n'), err
}

func (f *file) create() error {
	text, err := f.text()
	if err != nil {
		return err
	}
	if err := writeNew(f.path, text); errors.Is(err, fs.ErrExist) {
		return &Error{Code: "key-file-exists", Sentence: "there is a key file at " + f.path + " already", Cause: ErrExists}
	} else if err != nil {
		return &Error{Code: "key-file-unwritable", Sentence: "the key file cannot be written: " + err.Error(), Cause: err}
	}
	return nil
}

func (f *file) replace() error {
	text, err := f.text()
	if err != nil {
		return err
	}
	if err := writeOver(f.path, text); err != nil {
		return &Error{Code: "key-file-unwritable", Sentence: "the key file cannot be written: " + err.Error(), Cause: err}
	}
	return nil
}
