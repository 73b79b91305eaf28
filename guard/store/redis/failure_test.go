package redis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// done makes an effect that is done.
func done(t testing.TB, s guard.Store) guard.Effect {
	t.Helper()
	c, err := s.Claim(t.Context(), storetest.NewCall(tenant))
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Settle(t.Context(), storetest.Outcome(c.Effect, guard.Done))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// rush runs lives of effects and looks at some that are done: what is found must be what was settled, to the byte.
type rush struct {
	store  guard.Store
	hot    []guard.Effect
	beats  chan struct{} // has one element after every 50 lives
	number atomic.Int64
}

func (r *rush) run() error {
	ctx := context.Background()
	n := r.number.Add(1)
	if n%50 == 0 {
		r.beats <- struct{}{}
	}
	c, err := r.store.Claim(ctx, storetest.NewCall(tenant))
	if err != nil {
		return err
	}
	e, err := r.store.Settle(ctx, storetest.Outcome(c.Effect, guard.Done))
	if err != nil {
		return err
	}
	for i := range 8 {
		want := e
		if i > 0 {
			want = r.hot[(int(n)*7+i)%len(r.hot)]
		}
		found, err := r.store.Lookup(ctx, want.Key)
		if err != nil {
			return err
		}
		if d := storetest.Difference(*found.Effect, want); d != "" {
			return fmt.Errorf("looked up: %s", d)
		}
	}
	return nil
}

// TestRedisFailsInMidRun runs lives of effects while Redis is killed and started again, or forgets.
func TestRedisFailsInMidRun(t *testing.T) {
	const lives, hot = 1000, 20
	junk := strings.Repeat("x", 100_000)
	for name, trouble := range map[string]func(*testing.T, *servertest.RedisServer){
		"Killed":  func(t *testing.T, r *servertest.RedisServer) { r.Kill(t); r.Start(t) },
		"Flushed": func(t *testing.T, r *servertest.RedisServer) { r.Do(t, "FLUSHALL") },
		"Evicting": func(t *testing.T, r *servertest.RedisServer) {
			for range 10 {
				r.Do(t, "SET", storetest.NewID(), junk)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := servertest.StartRedis(t, "maxmemory 2mb", "maxmemory-policy allkeys-lru")
			l := &outlined{ledger: openSQLite(t, time.Now)}
			s := connected(t, l, r.Address())
			run := &rush{store: s, beats: make(chan struct{}, lives)}
			for range hot {
				run.hot = append(run.hot, done(t, s))
			}
			end := make(chan struct{})
			var troubling sync.WaitGroup
			troubling.Go(func() {
				for {
					select {
					case <-run.beats:
						trouble(t, r)
					case <-end:
						return
					}
				}
			})
			err := storetest.Each(8, lives, run.run)
			close(end)
			troubling.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if n := len(storetest.Check(t, s, tenant)); n != lives+hot {
				t.Errorf("%d effects", n)
			}
			looks, outlines := l.looks.Load(), l.outlines.Load()
			t.Logf("%d looks: %d rows and %d whole effects were read", 8*lives, outlines, looks)
			if looks == 8*lives || looks < lives {
				t.Error("Redis was never or always of use: the test has lost its subject")
			}
		})
	}
}

// TestSilentRedis measures that a Redis that takes connections and never answers costs one look its patience, and others nothing.
func TestSilentRedis(t *testing.T) {
	r := servertest.StartRedis(t)
	p := startProxy(t, strings.TrimPrefix(r.Address(), "redis://"))
	l := &outlined{ledger: openSQLite(t, time.Now)}
	s, err := redis.New(l, redis.Options{Address: p.address(), Key: key, Patience: 30 * time.Millisecond, Rest: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	if err := s.TestingOnlyConnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := done(t, s)
	p.be(silent)
	began := time.Now()
	for range 1000 {
		if found, err := s.Lookup(t.Context(), e.Key); err != nil || found.Effect.State != guard.Done {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	if s.TestingOnlyWorks() {
		t.Error("a silent Redis is still asked")
	}
	if took := time.Since(began); took > 10*time.Second { // 1,000 patiences are 30 s
		t.Errorf("1,000 looks took %v", took)
	}
}

// TestSealed looks for the bytes of an effect in everything that Redis has, and gives them to another installation.
func TestSealed(t *testing.T) {
	r := servertest.StartRedis(t)
	l := &outlined{ledger: openSQLite(t, time.Now)}
	s, err := redis.TestingOnlyNewStill(l, redis.Options{Address: r.Address(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	if err := s.TestingOnlyConnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := done(t, s)
	look := func(s guard.Store) {
		t.Helper()
		found, err := s.Lookup(t.Context(), e.Key)
		if err != nil {
			t.Fatal(err)
		}
		if d := storetest.Difference(*found.Effect, e); d != "" {
			t.Fatal(d)
		}
	}
	look(s)
	s.TestingOnlyFill(t.Context())
	look(s)
	if looks, outlines := l.looks.Load(), l.outlines.Load(); looks != 1 || outlines != 1 {
		t.Fatalf("%d looks at everything and %d at the row: want one each", looks, outlines)
	}
	if got := s.State(); got.Looks != 2 || got.Hits != 1 {
		t.Errorf("after a miss and a hit: %+v", got)
	}

	client := driver.NewClient(&driver.Options{Addr: strings.TrimPrefix(r.Address(), "redis://")})
	defer client.Close()
	name := s.TestingOnlyName() + e.Key.String()
	sealed, err := client.Get(t.Context(), name).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{[]byte("order_id"), []byte("refund"), []byte(e.ID), []byte(tenant), e.Result.Body[:20]} {
		if bytes.Contains(sealed, secret) {
			t.Errorf("Redis can read %q", secret)
		}
	}
	if ttl := client.TTL(t.Context(), name).Val(); ttl <= 0 {
		t.Error("what is kept has no end")
	}

	other, err := redis.TestingOnlyNewStill(l, redis.Options{Address: r.Address(), Key: bytes.Repeat([]byte("y"), 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.TestingOnlyEnd()
	if err := other.TestingOnlyConnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), other.TestingOnlyName()+e.Key.String(), sealed, 0).Err(); err != nil {
		t.Fatal(err)
	}
	look(other)
	if looks := l.looks.Load(); looks != 2 {
		t.Error("another installation opens what this one sealed")
	}
}

// TestRowDecides changes one field of a row at a time: the sealed bytes must be worthless with each.
func TestRowDecides(t *testing.T) {
	e := storetest.NewCall(tenant).Effect
	whole := redis.TestingOnlyPlace(t, e)
	fields := reflect.TypeOf(e)
	for i := range fields.NumField() {
		changed := e
		switch f := reflect.ValueOf(&changed).Elem().Field(i).Addr().Interface().(type) {
		case *time.Time:
			*f = f.Add(time.Microsecond)
		case *fingerprint.Digest:
			f[31]++
		case *[32]byte:
			f[0]++
		case *json.RawMessage, **guard.Result:
			continue // these are the bytes
		default:
			v := reflect.ValueOf(f).Elem()
			if v.Kind() == reflect.String {
				v.SetString(v.String() + "x")
			} else {
				v.SetInt(v.Int() + 1)
			}
		}
		if redis.TestingOnlyPlace(t, changed) == whole {
			t.Errorf("bytes that were sealed for one %s are taken for another", fields.Field(i).Name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for address, want := range map[string]string{
		"":                             "redis://host",
		"http://x":                     "redis://host",
		"redis://u:s3cret@h:x/":        "redis://host",
		"redis://u:s3cret@h/0?colour=": "redis://host",
	} {
		_, err := redis.New(storetest.NewReference(time.Now), redis.Options{Address: address, Key: key})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := redis.New(storetest.NewReference(time.Now), redis.Options{Address: "redis://h", Key: key[:31]}); err == nil {
		t.Error("a short key is taken")
	}
}
