package redis_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

const tenant = "acme"

// patience is how long a test waits for what is surely coming.
const patience = 20 * time.Second

// watching is what a store has heard.
type watching chan string

// watch listens until the test ends. It returns when it is heard: until then it tells the effect "nobody" over and over.
func watch(t *testing.T, listener, teller *redis.Store) watching {
	t.Helper()
	heard := make(watching, 10_000)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- listener.Watch(ctx, func(tenant, id string) { heard <- tenant + " " + id }) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	heard.await(t, teller, "nobody")
	return heard
}

// await returns when a wake-up of an effect was heard, and says it over and over until then.
func (w watching) await(t *testing.T, teller *redis.Store, id string) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	over := time.After(patience)
	for {
		select {
		case got := <-w:
			if got == tenant+" "+id {
				return
			}
		case <-again.C:
			if err := teller.Note(t.Context(), []guard.Note{{Tenant: tenant, ID: id}}); err != nil {
				t.Fatal(err)
			}
		case <-over:
			t.Fatalf("no wake-up of %s", id)
		}
	}
}

// hears expects that the next wake-up of an effect that is somebody's is this one.
func (w watching) hears(t *testing.T, id string) {
	t.Helper()
	over := time.After(patience)
	for {
		select {
		case got := <-w:
			if got == tenant+" nobody" {
				continue
			}
			if got != tenant+" "+id {
				t.Fatalf("heard %q, want %s", got, id)
			}
			return
		case <-over:
			t.Fatalf("no wake-up of %s", id)
		}
	}
}

func TestWakeAcrossServers(t *testing.T) {
	r := servertest.StartRedis(t)
	clock := storetest.NewClock()
	one, two := connected(t, openSQLite(t, clock.Now), r.Address()), connected(t, openSQLite(t, clock.Now), r.Address())
	heard := watch(t, two.Store, one.Store)

	c, err := one.Claim(t.Context(), storetest.NewCall(tenant))
	if err != nil {
		t.Fatal(err)
	}
	heard.hears(t, c.Effect.ID)
	e, err := one.Settle(t.Context(), storetest.Outcome(c.Effect, guard.Unknown))
	if err != nil {
		t.Fatal(err)
	}
	heard.hears(t, e.ID)
	if _, err := one.Decide(t.Context(), storetest.Verdict(e, guard.EventResolved, guard.Done)); err != nil {
		t.Fatal(err)
	}
	heard.hears(t, e.ID)
	if err := one.Note(t.Context(), []guard.Note{{Tenant: tenant, ID: e.ID, Code: "repeat", Count: 1}}); err != nil {
		t.Fatal(err)
	}
	heard.hears(t, e.ID)

	lapsing, err := one.Claim(t.Context(), storetest.NewCall(tenant))
	if err != nil {
		t.Fatal(err)
	}
	heard.hears(t, lapsing.Effect.ID)
	clock.Move(storetest.Lease)
	if swept, err := one.Sweep(t.Context(), 10); err != nil || len(swept) != 1 {
		t.Fatalf("swept %d, %v", len(swept), err)
	}
	heard.hears(t, lapsing.Effect.ID)
}

func TestWakeAfterRedisWasAway(t *testing.T) {
	r := servertest.StartRedis(t)
	one, two := connected(t, openSQLite(t, time.Now), r.Address()), connected(t, openSQLite(t, time.Now), r.Address())
	heard := watch(t, two.Store, one.Store)
	r.Kill(t)
	if err := one.Note(t.Context(), []guard.Note{{Tenant: tenant, ID: "lost"}}); err != nil {
		t.Fatal(err)
	}
	r.Start(t)
	heard.await(t, one.Store, "found")
}

// TestWakeIsNotForged publishes on the channel of an installation what its servers did not say, and reads what they say.
func TestWakeIsNotForged(t *testing.T) {
	r := servertest.StartRedis(t)
	one, two := connected(t, openSQLite(t, time.Now), r.Address()), connected(t, openSQLite(t, time.Now), r.Address())
	stranger, err := redis.New(openSQLite(t, time.Now), redis.Options{Address: r.Address(), Key: []byte(strings.Repeat("x", 32))})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, stranger)
	if err := stranger.TestingOnlyConnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard := watch(t, two.Store, one.Store)

	client := driver.NewClient(&driver.Options{Addr: strings.TrimPrefix(r.Address(), "redis://")})
	defer client.Close()
	channel := one.TestingOnlyName() + "wake"
	spy := client.Subscribe(t.Context(), channel)
	defer spy.Close()
	if _, err := spy.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, forged := range []string{"", "x", `[["acme","forged"]]`, strings.Repeat("\x00", 200)} {
		if err := client.Publish(t.Context(), channel, forged).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := spy.ReceiveMessage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stranger.Note(t.Context(), []guard.Note{{Tenant: tenant, ID: "foreign"}}); err != nil {
		t.Fatal(err)
	}
	c, err := one.Claim(t.Context(), storetest.NewCall(tenant))
	if err != nil {
		t.Fatal(err)
	}
	m, err := spy.ReceiveMessage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.Payload, tenant) || strings.Contains(m.Payload, c.Effect.ID) {
		t.Error("a wake-up tells Redis whose effect it is")
	}
	// The same words on another channel, or changed on this one, are not believed.
	turned := []byte(m.Payload)
	turned[len(turned)-1] ^= 1
	if err := client.Publish(t.Context(), channel, turned).Err(); err != nil {
		t.Fatal(err)
	}
	heard.hears(t, c.Effect.ID)
	heard.await(t, one.Store, "last")
	for len(heard) > 0 {
		if got := <-heard; got != tenant+" last" {
			t.Errorf("heard %q", got)
		}
	}
}

// TestWakesAreBounded puts more wake-ups into the queue than it has room for, while nobody takes them.
func TestWakesAreBounded(t *testing.T) {
	s, err := redis.TestingOnlyNewStill(storetest.NewReference(time.Now), redis.Options{Address: "redis://127.0.0.1:1", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	for range 3 {
		notes := make([]guard.Note, 3000)
		for i := range notes {
			notes[i] = guard.Note{Tenant: tenant, ID: storetest.NewID()}
		}
		if err := s.Note(t.Context(), notes); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.TestingOnlyWakes(); n != 4096 {
		t.Errorf("%d wake-ups wait", n)
	}
}

func TestWatchEndsWithTheStore(t *testing.T) {
	r := servertest.StartRedis(t)
	s := put(t, openSQLite(t, time.Now), r.Address())
	done := make(chan error, 1)
	go func() { done <- s.Watch(context.Background(), func(string, string) {}) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; guard.CodeOf(err) != guard.CodeUnavailable {
		t.Errorf("watch: %v", err)
	}
}

// TestCircuit follows a circuit through an outage, on a clock of its own.
func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := redis.TestingOnlyNewCircuit(time.Second)
		defer c.End()
		synctest.Wait()
		if c.Works() || c.Asked() != 1 {
			t.Fatalf("Redis is down: works %v, asked %d", c.Works(), c.Asked())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := c.Asked(); n < 6 || n > 9 { // after 1, 3, 7, 15, 30, 45 s
			t.Errorf("asked %d times in a minute", n)
		}
		c.Up(true)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if !c.Works() {
			t.Fatal("Redis is up, and is not used")
		}
		time.Sleep(2 * time.Minute)
		for range 100 {
			c.Fail()
		}
		if c.Works() {
			t.Fatal("used after a failure")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !c.Works() {
			t.Fatal("not used after its rest")
		}
	})
}

// listener is a ledger that hears by itself.
type listener struct {
	guard.Store
	heard chan [2]string
}

func (l *listener) Watch(ctx context.Context, woken func(tenant, id string)) error {
	for {
		select {
		case w := <-l.heard:
			woken(w[0], w[1])
		case <-ctx.Done():
			return nil
		}
	}
}

func TestWatchHearsTheLedgerToo(t *testing.T) {
	l := &listener{storetest.NewReference(time.Now), make(chan [2]string, 1)}
	s, err := redis.New(l, redis.Options{Address: "redis://127.0.0.1:1", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	l.heard <- [2]string{tenant, "an effect"}
	ctx, end := context.WithTimeout(t.Context(), patience)
	var got string
	if err := s.Watch(ctx, func(tenant, id string) { got = tenant + " " + id; end() }); err != nil || got != tenant+" an effect" {
		t.Errorf("heard %q, %v", got, err)
	}
}
