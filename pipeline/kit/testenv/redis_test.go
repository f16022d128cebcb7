package testenv_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestRedisKeepsWhatItAppended(t *testing.T) {
	t.Parallel()
	s := testenv.Redis(t, testenv.RedisConfig{Password: "s3cret", AppendOnly: true})
	if u, err := url.Parse(s.URL); err != nil || u.Host != s.Addr {
		t.Fatalf("URL %s does not lead to %s", s.URL, s.Addr)
	}
	if got := s.Command(t, "INFO", "memory"); !strings.Contains(got, "maxmemory_policy:noeviction\r\n") {
		t.Errorf("a queue must never be evicted: %s", got)
	}
	s.Command(t, "SET", "k", "v")
	s.Kill(t)
	s.Start(t)
	if got := s.Command(t, "GET", "k"); got != "v" {
		t.Errorf("after kill and start GET k = %q, want v", got)
	}
	s.FlushAll(t)
	if got := s.Command(t, "EXISTS", "k"); got != "0" {
		t.Errorf("after FLUSHALL EXISTS k = %s", got)
	}
}

func TestRedisForgetsWithoutAppend(t *testing.T) {
	t.Parallel()
	s := testenv.Redis(t, testenv.RedisConfig{})
	s.Command(t, "SET", "k", "v")
	s.Kill(t)
	s.Start(t)
	if got := s.Command(t, "EXISTS", "k"); got != "0" {
		t.Errorf("a killed Redis without append-only file kept k")
	}
}
