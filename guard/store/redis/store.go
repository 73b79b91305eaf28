package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Options is what a Store is made of. Address and Key are needed.
type Options struct {
	Address string // redis://user:password@host:port/database, or rediss:// for TLS
	Key     []byte // the installation key, at least 32 bytes
	Log     *slog.Logger

	// Patience is how long a look waits for Redis before it goes to the ledger; 0 means 50 ms.
	Patience time.Duration
	// Rest is how long a Redis that failed is left alone; 0 means 1 s. It grows to 15 s while Redis stays away.
	Rest time.Duration
}

// Bounds of what waits for Redis in memory.
const (
	maxWakes = 4096
	maxFills = 32
)

// Store is a ledger with Redis beside it. The methods that it does not have itself are those of the ledger.
type Store struct {
	guard.Store
	outliner Outliner // the same ledger; nil if it cannot tell rows from bytes
	options  Options
	client   *redis.Client
	circuit  *circuit
	sealer   *sealer
	name     string // what our keys and channels begin with
	wakes    *queue[wake, struct{}]
	fills    *queue[fingerprint.Digest, guard.Effect]
	looks    atomic.Int64
	hits     atomic.Int64

	end     context.CancelFunc // ends the goroutines
	ended   <-chan struct{}
	running sync.WaitGroup
	once    sync.Once
}

var (
	_ guard.Store   = (*Store)(nil)
	_ guard.Watcher = (*Store)(nil)
)

// New puts Redis beside a ledger. It does not wait for Redis, which may be down. Close closes both.
func New(ledger guard.Store, o Options) (*Store, error) {
	s, err := newStore(ledger, o)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	ctx := s.begin()
	s.running.Go(func() { s.publishAll(ctx) })
	s.running.Go(func() { s.fillAll(ctx) })
	return s, nil
}

func newStore(ledger guard.Store, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Patience == 0 {
		o.Patience = 50 * time.Millisecond
	}
	if o.Rest == 0 {
		o.Rest = time.Second
	}
	sealer, err := newSealer(o.Key)
	if err != nil {
		return nil, err
	}
	name, err := sealer.name()
	if err != nil {
		return nil, err
	}
	client, err := newClient(o.Address)
	if err != nil {
		return nil, err
	}
	s := &Store{
		Store: ledger, options: o, client: client, circuit: newCircuit(), sealer: sealer, name: name,
		wakes: newQueue[wake, struct{}](maxWakes), fills: newQueue[fingerprint.Digest, guard.Effect](maxFills),
	}
	s.outliner, _ = ledger.(Outliner)
	return s, nil
}

// begin starts to ask whether Redis answers. What it returns ends with the store.
func (s *Store) begin() context.Context {
	ctx, end := context.WithCancel(context.Background())
	s.end, s.ended = end, ctx.Done()
	ping := func(ctx context.Context) error { return s.client.Ping(ctx).Err() }
	s.running.Go(func() { s.circuit.mend(ctx, s.options.Rest, ping, s.options.Log) })
	return ctx
}

// Close implements guard.Store. Wake-ups that still wait are dropped.
func (s *Store) Close() error {
	var lost error
	s.once.Do(func() {
		s.end()
		s.running.Wait()
		lost = s.client.Close()
	})
	return errors.Join(s.Store.Close(), lost)
}

// exchange runs one exchange with Redis, unless its circuit is broken, and breaks that if it fails. That the caller left is not Redis's fault.
func (s *Store) exchange(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	if !s.circuit.works() {
		return errBroken
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(within)
	if err != nil && !errors.Is(err, redis.Nil) && ctx.Err() == nil {
		s.circuit.fail(err)
	}
	return err
}

var errBroken = errors.New("left alone, because an exchange failed a moment ago")
