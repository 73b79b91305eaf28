package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// migrated is an empty ledger.
var migrated = servertest.NewTemplate(func(dsn string) error { return postgres.Migrate(context.Background(), dsn) })

func open(t *testing.T, c *storetest.Clock) guard.Store {
	return openAt(t, migrated.Postgres(t), postgres.Options{Now: c.Now})
}

// openAt opens a ledger and closes it with the test.
func openAt(t testing.TB, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestContract(t *testing.T) { storetest.Run(t, open) }

// TestContractReplicas runs the contract on two stores that share a ledger and take the calls in turn.
func TestContractReplicas(t *testing.T) {
	storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		dsn := migrated.Postgres(t)
		return &replicas{Store: openAt(t, dsn, postgres.Options{Now: c.Now}), other: openAt(t, dsn, postgres.Options{Now: c.Now})}
	})
}

// replicas is two stores: writes go to one and the other in turn, reads to the first.
type replicas struct {
	*postgres.Store
	other *postgres.Store
	turn  atomic.Int64
}

func (r *replicas) next() *postgres.Store {
	if r.turn.Add(1)%2 == 0 {
		return r.other
	}
	return r.Store
}

func (r *replicas) Claim(ctx context.Context, c guard.ClaimRequest) (guard.Claimed, error) {
	return r.next().Claim(ctx, c)
}

func (r *replicas) Settle(ctx context.Context, s guard.Settlement) (guard.Effect, error) {
	return r.next().Settle(ctx, s)
}

func (r *replicas) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	return r.next().Decide(ctx, d)
}

func (r *replicas) Note(ctx context.Context, n []guard.Note) error { return r.next().Note(ctx, n) }

func (r *replicas) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	return r.next().Sweep(ctx, limit)
}

func (r *replicas) Enter(ctx context.Context, e guard.Entry) (guard.Entry, error) {
	return r.next().Enter(ctx, e)
}

func (r *replicas) Prune(ctx context.Context, keep guard.Retention, limit int) (guard.Pruned, error) {
	return r.next().Prune(ctx, keep, limit)
}

func (r *replicas) AddTallies(ctx context.Context, add []guard.Tally) error {
	return r.next().AddTallies(ctx, add)
}

func (r *replicas) Close() error {
	if err := r.other.Close(); err != nil {
		return err
	}
	return r.Store.Close()
}

// TestLockstep empties one ledger for each sequence: a database for each would take most of the time.
func TestLockstep(t *testing.T) {
	dsn := migrated.Postgres(t)
	storetest.Lockstep(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		servertest.Empty(t, dsn, "onceguard", "migrations", "pruning")
		execute(t, dsn, "UPDATE onceguard.pruning SET bodies = 0, rows = 0")
		s, err := postgres.Open(context.Background(), dsn, postgres.Options{Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s // Lockstep closes it
	})
}

// TestForgetfulSessions runs whole lives of effects on connections that remember nothing between two statements.
func TestForgetfulSessions(t *testing.T) {
	s, err := postgres.TestingOnlyOpenForgetful(t.Context(), servertest.Postgres(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = storetest.Each(16, 200, func() error { return cycle(s) })
	if err != nil {
		t.Fatal(err)
	}
	if n := len(storetest.Check(t, s, "t")); n != 200 {
		t.Errorf("%d effects", n)
	}
}
