package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
)

// NewMaster returns a fresh random master key.
func NewMaster() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return key
}

// FormatMaster writes a master key as ParseMaster reads it, with a line end.
func FormatMaster(key []byte) []byte {
	return append([]byte(base64.StdEncoding.EncodeToString(key)), '\n')
}

// ParseMaster reads the text of a master key: 32 bytes in base64 (standard or
// URL alphabet, padded or not) or in hex, white space around it.
func ParseMaster(text []byte) ([]byte, error) {
	text = bytes.TrimSpace(text)
	if key, err := hex.DecodeString(string(text)); err == nil && len(key) == KeySize {
		return key, nil
	}
	raw := bytes.TrimRight(text, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if key, err := enc.DecodeString(string(raw)); err == nil && len(key) == KeySize {
			return key, nil
		}
	}
	return nil, &Error{
		Code: "master-key-unreadable", Sentence: "the master key is not 32 bytes in base64 or hex",
		Hint: "make one with: openssl rand -base64 32", Cause: ErrMaster,
	}
}

// ReadMaster reads a master key from a file.
func ReadMaster(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{
			Code: "master-key-missing", Sentence: "the master key cannot be read: " + err.Error(),
			Hint: "name the file of the master key, or restore it from where you keep it; without it nobody on the list can be read", Cause: err,
		}
	}
	return ParseMaster(text)
}

// CreateMaster writes a fresh master key to a new file that only its owner can
// read. A file that is there is never overwritten: ErrExists.
func CreateMaster(path string) ([]byte, error) {
	key := NewMaster()
	err := writeNew(path, FormatMaster(key))
	if errors.Is(err, fs.ErrExist) {
		return nil, &Error{Code: "master-key-exists", Sentence: "there is a master key at " + path + " already", Cause: ErrExists}
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}
