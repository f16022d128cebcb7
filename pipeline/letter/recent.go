package letter

import "sync"

// recent keeps what was used lately, up to twice room bytes of keys: two
// generations, and what is used again moves to the younger one. It is safe for
// concurrent use.
type recent[T any] struct {
	room int

	mu         sync.Mutex
	young, old map[string]T
	size       int // of the keys of young
}

// get returns what is kept under a key.
func (r *recent[T]) get(key []byte) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.young[string(key)]
	if ok {
		return v, true
	}
	if v, ok = r.old[string(key)]; ok {
		r.keep(string(key), v)
	}
	return v, ok
}

// put keeps a value, unless its key is out of all proportion.
func (r *recent[T]) put(key string, v T) {
	if len(key) > r.room/8 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(key, v)
}

// keep stores a value; the caller holds mu.
func (r *recent[T]) keep(key string, v T) {
	if _, ok := r.young[key]; !ok {
		r.size += len(key)
	}
	if r.size > r.room || r.young == nil {
		r.old, r.young, r.size = r.young, map[string]T{}, len(key)
	}
	r.young[key] = v
}
