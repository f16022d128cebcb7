package rehearsal

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// chance is a number from 0 up to 1 that depends on the seed, a topic and a key
// alone: the same recipient fares the same in every rehearsal with that seed.
func chance(seed uint64, topic, key string) float64 {
	h := fnv.New64a()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	_, _ = h.Write(b[:])
	_, _ = h.Write([]byte(topic))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(strings.ToLower(key)))
	// FNV alone leaves the high bits of short keys alike.
	z := h.Sum64()
	z = (z ^ z>>33) * 0xff51afd7ed558ccd
	z = (z ^ z>>33) * 0xc4ceb9fe1a85ec53
	return float64((z^z>>33)>>11) / (1 << 53)
}
