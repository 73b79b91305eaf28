package redis

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// TestingOnlyNewStill makes a store that publishes nothing and puts bytes into Redis only by TestingOnlyFill.
func TestingOnlyNewStill(ledger guard.Store, o Options) (*Store, error) {
	s, err := newStore(ledger, o)
	if err == nil {
		s.begin()
	}
	return s, err
}

// TestingOnlyFill puts the bytes that wait for it into Redis.
func (s *Store) TestingOnlyFill(ctx context.Context) {
	for key, e := range s.fills.take() {
		s.fill(ctx, key, &e)
	}
}

// TestingOnlyConnect returns when Redis has answered, and is asked from now on.
func (s *Store) TestingOnlyConnect(ctx context.Context) error {
	err := s.client.Ping(ctx).Err()
	if err == nil {
		s.circuit.close()
	}
	return err
}

// TestingOnlyWorks reports whether Redis is asked.
func (s *Store) TestingOnlyWorks() bool { return s.circuit.works() }

// TestingOnlyName is what the keys and channels of the store begin with.
func (s *Store) TestingOnlyName() string { return s.name }

// TestingOnlyEnd ends what the store runs and leaves its ledger open.
func (s *Store) TestingOnlyEnd() {
	s.end()
	s.running.Wait()
	_ = s.client.Close() // the test has what it wanted
}

// TestingOnlyPlace is what the bytes of an effect are bound to.
func TestingOnlyPlace(t testing.TB, e guard.Effect) string {
	t.Helper()
	b, err := place(&e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestingOnlyWakes is how many wake-ups wait.
func (s *Store) TestingOnlyWakes() int { return len(s.wakes.take()) }

// TestingOnlyCircuit is a circuit whose Redis is up or down as the test says. It is down at first.
type TestingOnlyCircuit struct {
	circuit *circuit
	up      atomic.Bool
	asked   atomic.Int64
	end     context.CancelFunc
	running sync.WaitGroup
}

// TestingOnlyNewCircuit starts a circuit.
func TestingOnlyNewCircuit(rest time.Duration) *TestingOnlyCircuit {
	ctx, end := context.WithCancel(context.Background())
	c := &TestingOnlyCircuit{circuit: newCircuit(), end: end}
	c.running.Go(func() { c.circuit.mend(ctx, rest, c.ping, slog.New(slog.DiscardHandler)) })
	return c
}

func (c *TestingOnlyCircuit) ping(context.Context) error {
	c.asked.Add(1)
	if !c.up.Load() {
		return errBroken
	}
	return nil
}

func (c *TestingOnlyCircuit) Up(up bool)   { c.up.Store(up) }
func (c *TestingOnlyCircuit) Asked() int64 { return c.asked.Load() }
func (c *TestingOnlyCircuit) Works() bool  { return c.circuit.works() }
func (c *TestingOnlyCircuit) Fail()        { c.circuit.fail(errBroken) }
func (c *TestingOnlyCircuit) End() {
	c.end()
	c.running.Wait()
}
