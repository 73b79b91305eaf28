package servertest_test

import (
	"testing"

	"github.com/onceguard/onceguard/guard/store/servertest"
)

func TestRedisForgetsWhenKilled(t *testing.T) {
	a, b := servertest.StartRedis(t), servertest.StartRedis(t, "maxmemory 2mb", "maxmemory-policy allkeys-lru")
	a.Do(t, "SET", "k", "v")
	if got := b.Do(t, "GET", "k"); got != nil {
		t.Errorf("another server has %v", got)
	}
	if got := b.Do(t, "CONFIG", "GET", "maxmemory-policy"); got.(map[any]any)["maxmemory-policy"] != "allkeys-lru" {
		t.Errorf("the setting is not in force: %v", got)
	}
	if got := a.Do(t, "GET", "k"); got != "v" {
		t.Fatalf("got %v", got)
	}
	a.Kill(t)
	a.Start(t)
	if got := a.Do(t, "GET", "k"); got != nil {
		t.Errorf("after a kill: %v", got)
	}
}
