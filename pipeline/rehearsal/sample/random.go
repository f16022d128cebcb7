package sample

// source is a stream of numbers that depends on the seed and a place alone, so
// that any row can be made again at any time, on every machine and with every
// version of Go. It is SplitMix64 (Steele, Lea, Flood 2014).
type source uint64

// at returns the stream of one place.
func at(seed, place uint64) *source {
	s := source(seed*0x9E3779B97F4A7C15 ^ (place+1)*0xD1B54A32D192ED03)
	s.next()
	return &s
}

func (s *source) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// n returns a number below max.
func (s *source) n(max int) int { return int(s.next() % uint64(max)) }

// in reports true so many times in a thousand.
func (s *source) in(perMille int) bool { return s.n(1000) < perMille }

func pick[T any](s *source, list []T) T { return list[s.n(len(list))] }
