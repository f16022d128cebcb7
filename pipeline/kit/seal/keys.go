package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// KeySize is the length in bytes of a master key, a data key and an index key.
const KeySize = 32

// Layout of sealed data: version, key id, nonce, ciphertext with tag.
const (
	sealVersion = 1
	headerSize  = 1 + 4
	nonceSize   = 12
	tagSize     = 16
	// Overhead is how much longer sealed data is than plain data.
	Overhead = headerSize + nonceSize + tagSize
)

// Keys are the keys of one campaign.
type Keys struct {
	header [headerSize]byte
	aead   cipher.AEAD // nonce chosen at random and put in front
	token  sync.Pool   // of hash.Hash
	mac    sync.Pool
}

// newKeys derives what a campaign needs from its data key and index key.
func newKeys(id uint32, data, index []byte) (*Keys, error) {
	block, err := aes.NewCipher(data)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	k := &Keys{aead: aead}
	k.header[0] = sealVersion
	binary.BigEndian.PutUint32(k.header[1:], id)
	for label, pool := range map[string]*sync.Pool{"art34/token/1": &k.token, "art34/mac/1": &k.mac} {
		key, err := hkdf.Expand(sha256.New, index, label, KeySize)
		if err != nil {
			return nil, err
		}
		pool.New = func() any { return hmac.New(sha256.New, key) }
	}
	return k, nil
}

// Seal encrypts and authenticates plain, and binds it to aad: it opens only with
// the same aad. The result is Overhead bytes longer. Sealing the same twice gives
// different bytes.
func (k *Keys) Seal(plain, aad []byte) []byte {
	var buf [96]byte
	bound := append(append(buf[:0], k.header[:]...), aad...)
	out := make([]byte, headerSize, len(plain)+Overhead)
	copy(out, k.header[:])
	return k.aead.Seal(out, nil, plain, bound)
}

// Open returns what was sealed. Any fault is ErrSealed.
func (k *Keys) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead || [headerSize]byte(sealed) != k.header {
		return nil, ErrSealed
	}
	var buf [96]byte
	bound := append(append(buf[:0], k.header[:]...), aad...)
	plain, err := k.aead.Open(make([]byte, 0, len(sealed)-Overhead), nil, sealed[headerSize:], bound)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Token is the entry of the blind index for a normalised search key of a kind:
// HMAC-SHA256 cut to 16 bytes, 2⁶⁴ keys to a likely collision.
func (k *Keys) Token(kind, normalised string) [16]byte {
	h := k.token.Get().(hash.Hash)
	defer k.token.Put(h)
	sum := sum(h, kind, []byte(normalised))
	return [16]byte(sum[:16])
}

// MAC authenticates parts for a purpose. Labels keep purposes apart, and lengths
// are hashed too: ("a", "bc") and ("ab", "c") differ. Return paths, Message-IDs,
// references and person keys are made of it, so it never changes for a campaign.
func (k *Keys) MAC(label string, parts ...[]byte) [32]byte {
	h := k.mac.Get().(hash.Hash)
	defer k.mac.Put(h)
	return sum(h, label, parts...)
}

func sum(h hash.Hash, label string, parts ...[]byte) (out [sha256.Size]byte) {
	h.Reset()
	var buf [128]byte
	b := binary.BigEndian.AppendUint32(buf[:0], uint32(len(label)))
	b = append(b, label...)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	_, _ = h.Write(b)
	h.Sum(out[:0])
	return out
}
