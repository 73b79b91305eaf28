package redis_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/redis"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is an installation's.
var key = []byte("0123456789abcdef0123456789abcdef")

// ledger is what is put under Redis: a store that keeps credentials, too.
type ledger interface {
	guard.Store
	guard.Credentials
}

// outlined is a ledger that shows rows without bytes, by its own means if it has them, and counts what it is asked.
type outlined struct {
	ledger
	looks, outlines atomic.Int64
}

func (o *outlined) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	o.looks.Add(1)
	return o.ledger.Lookup(ctx, key)
}

func (o *outlined) Outline(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	o.outlines.Add(1)
	if own, ok := o.ledger.(redis.Outliner); ok {
		return own.Outline(ctx, key)
	}
	f, err := o.ledger.Lookup(ctx, key)
	if f.Effect != nil {
		f.Effect.Arguments, f.Effect.Result = nil, nil
	}
	return f, err
}

// beside is a ledger with Redis beside it, put together as the program does.
type beside struct {
	*redis.Store
	guard.Credentials
}

// empty is a ledger without effects in a file.
var empty = storetest.NewTemplate(func(path string) (guard.Store, error) {
	return sqlite.Open(context.Background(), path, sqlite.Options{})
})

func openSQLite(t testing.TB, now func() time.Time) ledger {
	t.Helper()
	s, err := sqlite.Open(context.Background(), empty.Copy(t), sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// migrated is an empty ledger in PostgreSQL.
var migrated = servertest.NewTemplate(func(dsn string) error { return postgres.Migrate(context.Background(), dsn) })

func openPostgres(t testing.TB, dsn string, now func() time.Time) ledger {
	t.Helper()
	s, err := postgres.Open(context.Background(), dsn, postgres.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put puts Redis beside a ledger. It is not closed with the test.
func put(t testing.TB, l ledger, address string) beside {
	t.Helper()
	s, err := redis.New(l, redis.Options{Address: address, Key: key, Rest: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return beside{s, l}
}

// closing closes a store with the test.
func closing(t testing.TB, s guard.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// connected puts a live Redis beside a ledger, and closes it with the test.
func connected(t testing.TB, l ledger, address string) beside {
	t.Helper()
	s := put(t, l, address)
	closing(t, s)
	if err := s.TestingOnlyConnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	r := servertest.StartRedis(t)
	t.Run("SQLite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store {
			return put(t, &outlined{ledger: openSQLite(t, c.Now)}, r.Address())
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store {
			return put(t, &outlined{ledger: openPostgres(t, migrated.Postgres(t), c.Now)}, r.Address())
		})
	})
}

// TestUnreliable runs ledgers beside a Redis that is of no use in lockstep with the reference. They are references themselves, so that
// whatever differs is Redis's doing.
func TestUnreliable(t *testing.T) {
	r := servertest.StartRedis(t)
	run := func(name, address string) {
		t.Run(name, func(t *testing.T) {
			storetest.Lockstep(t, func(t *testing.T, c *storetest.Clock) guard.Store {
				s, err := redis.New(&outlined{ledger: storetest.NewReference(c.Now)}, redis.Options{Address: address, Key: key})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
	for _, c := range []struct {
		name string
		mood mood
	}{{"Garbled", garble}, {"Slow", slow}} {
		p := startProxy(t, strings.TrimPrefix(r.Address(), "redis://"))
		p.be(c.mood)
		run(c.name, p.address())
	}
	dead := servertest.StartRedis(t)
	dead.Kill(t)
	run("Dead", dead.Address())
}

// TestLockstep compares ledgers with a meddled Redis beside them with the reference, step by step.
func TestLockstep(t *testing.T) {
	r := servertest.StartRedis(t)
	t.Run("SQLite", func(t *testing.T) {
		lockstep(t, r, func(t *testing.T, c *storetest.Clock) ledger { return openSQLite(t, c.Now) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := migrated.Postgres(t)
		lockstep(t, r, func(t *testing.T, c *storetest.Clock) ledger {
			servertest.Empty(t, dsn, "onceguard", "migrations", "pruning")
			conn, err := pgx.Connect(context.Background(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			if _, err := conn.Exec(context.Background(), "UPDATE onceguard.pruning SET bodies = 0, rows = 0"); err != nil {
				t.Fatal(err)
			}
			return openPostgres(t, dsn, c.Now)
		})
	})
}

func lockstep(t *testing.T, r *servertest.RedisServer, open func(*testing.T, *storetest.Clock) ledger) {
	var hits, looks int64
	storetest.Lockstep(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		l := &outlined{ledger: open(t, c)}
		s, err := redis.TestingOnlyNewStill(l, redis.Options{Address: r.Address(), Key: key, Patience: 10 * time.Second})
		if err == nil {
			err = s.TestingOnlyConnect(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		return &meddled{Store: s, ledger: l, redis: newMeddler(t, r), hits: &hits, looks: &looks}
	})
	t.Logf("of %d looks, %d were answered with bytes from Redis", looks, hits)
	if hits == 0 || hits == looks {
		t.Error("the test has lost its subject")
	}
}
