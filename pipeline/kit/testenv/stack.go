package testenv

import "testing"

// Servers are the outside parts of an installation on several machines.
type Servers struct {
	Ledger string // ART34_LEDGER: postgres://…, an empty schema
	Redis  *RedisServer
}

// Stack returns a schema of the shared PostgreSQL and a Redis of its own, ready
// for ART34_LEDGER and ART34_REDIS.
func Stack(t testing.TB) Servers {
	t.Helper()
	return Servers{Ledger: Postgres(t), Redis: Redis(t, RedisConfig{})}
}

// Environ returns the stack as environment variables of the program.
func (s Servers) Environ() []string {
	return []string{"ART34_LEDGER=" + s.Ledger, "ART34_REDIS=" + s.Redis.URL}
}
