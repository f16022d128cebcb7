package queue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/art34/art34/pipeline"
)

// options reads the URL of a real Redis. Errors do not repeat it: it may hold a
// password.
func options(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, &pipeline.Error{
			Code: "redis-url", Permanent: true, Exit: 2,
			Sentence: "the address of Redis cannot be read",
			Hint:     "it looks like redis://host:6379/0, rediss://user:password@host:6380/0 or unix:///run/redis.sock",
		}
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 3*time.Second, 3*time.Second, 3*time.Second
	o.DialerRetries, o.MaxRetries = 1, 1
	plain(o)
	return o, nil
}

// plain switches off what only some managed services answer to, and what would
// tell the server about our library.
func plain(o *redis.Options) {
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// silence keeps go-redis from writing to stderr by itself, dozens of lines a second
// while Redis is away: callers get errors, and say so once. Its logger is one for
// the process.
var silence = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

func (mute) Printf(context.Context, string, ...any) {}

// oldest is the first version whose ZRANGE knows BYSCORE, which asynq uses.
const oldestMajor, oldestMinor = 6, 2

// examine checks what answers: away, wrong password, too old, or set up to
// forget.
func (q *Queue) examine(ctx context.Context) error {
	if err := q.redis.Ping(ctx).Err(); err != nil {
		if redis.IsAuthError(err) || redis.IsPermissionError(err) {
			return &pipeline.Error{Code: "redis-auth", Permanent: true, Exit: 3, Cause: err,
				Sentence: "Redis refuses user or password", Hint: "check the address given in ART34_REDIS"}
		}
		return q.away(ctx, "connect", err)
	}
	if q.embedded != nil {
		return nil
	}
	server, err := q.redis.Info(ctx, "server").Result()
	if err != nil {
		if redis.IsPermissionError(err) {
			q.config.Log.Warn("Redis does not say which version it is; 6.2 or later is needed")
			return nil
		}
		return q.away(ctx, "ask for the version", err)
	}
	version := field(server, "redis_version")
	if tooOld(version) {
		return &pipeline.Error{Code: "redis-old", Permanent: true, Exit: 3,
			Sentence: fmt.Sprintf("Redis is version %s; 6.2 or later is needed", version),
			Hint:     "use Redis 6.2 or later, or Valkey, or leave ART34_REDIS unset for the embedded queue"}
	}
	if memory, err := q.redis.Info(ctx, "memory").Result(); err == nil {
		if policy := field(memory, "maxmemory_policy"); policy != "" && policy != "noeviction" {
			q.config.Log.Warn("Redis may drop tasks when its memory is full; nothing is lost by it, but sending slows down. Set maxmemory-policy to noeviction", "policy", policy)
		}
	}
	return nil
}

// tooOld reports whether a version is known and before the oldest one. Valkey
// gives the Redis version that it is compatible with.
func tooOld(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	if err != nil {
		return false
	}
	b, _ := strconv.Atoi(minor)
	return a < oldestMajor || a == oldestMajor && b < oldestMinor
}

// field returns one line of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
