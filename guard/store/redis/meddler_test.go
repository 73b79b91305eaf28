package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	driver "github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// meddler changes what Redis has under the keys of a store: in turn it puts back what was there once, puts what belongs to another
// effect, turns a bit, cuts, forgets everything, or leaves it alone.
type meddler struct {
	client *driver.Client
	turn   int
	old    map[string][]string // all that was ever seen under a key
}

func newMeddler(t testing.TB, r *servertest.RedisServer) *meddler {
	t.Helper()
	return &meddler{
		client: driver.NewClient(&driver.Options{Addr: strings.TrimPrefix(r.Address(), "redis://")}), old: map[string][]string{},
	}
}

func (m *meddler) meddle(ctx context.Context, key string) error {
	now, err := m.client.Get(ctx, key).Result()
	if err != nil && !errors.Is(err, driver.Nil) {
		return err
	}
	if now != "" {
		m.old[key] = append(m.old[key], now)
	}
	m.turn++
	lie := now
	switch m.turn % 8 {
	case 0:
		if n := len(m.old[key]); n > 0 {
			lie = m.old[key][m.turn%n]
		}
	case 1:
		for other, values := range m.old {
			if other != key {
				lie = values[len(values)-1]
			}
		}
	case 2:
		if b := []byte(now); len(b) > 0 {
			b[m.turn%len(b)] ^= 1 << (m.turn % 8)
			lie = string(b)
		}
	case 3:
		lie = now[:len(now)/2]
	case 4:
		return m.client.FlushAll(ctx).Err()
	}
	if lie == now {
		return nil
	}
	return m.client.Set(ctx, key, lie, 0).Err()
}

// meddled is a store whose Redis is meddled with before each look, and that looks many times where one is asked for.
type meddled struct {
	*redis.Store
	ledger      *outlined
	redis       *meddler
	hits, looks *int64
}

func (m *meddled) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	want, wantErr := m.ledger.ledger.Lookup(ctx, key)
	for range 10 {
		if err := m.redis.meddle(ctx, m.TestingOnlyName()+key.String()); err != nil {
			return guard.Found{}, err
		}
		before := m.ledger.looks.Load()
		found, err := m.Store.Lookup(ctx, key)
		*m.looks++
		if m.ledger.looks.Load() == before {
			*m.hits++
		}
		if guard.CodeOf(err) != guard.CodeOf(wantErr) || differs(found, want) {
			return guard.Found{}, fmt.Errorf("with Redis the answer is %+v, %v; without it is %+v, %v", found, err, want, wantErr)
		}
		m.TestingOnlyFill(ctx)
	}
	return want, wantErr
}

func differs(a, b guard.Found) bool {
	if !a.Now.Equal(b.Now) || a.Superseded != b.Superseded || (a.Effect == nil) != (b.Effect == nil) {
		return true
	}
	return a.Effect != nil && storetest.Difference(*a.Effect, *b.Effect) != ""
}

func (m *meddled) Close() error { return errors.Join(m.redis.client.Close(), m.Store.Close()) }
