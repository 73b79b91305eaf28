package guard

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// The bounds of what is remembered.
const (
	memoryShards  = 64
	memoryEffects = 128       // of one shard: 8,192 in all
	memoryBytes   = 512 << 10 // of arguments and results of one shard: 32 MiB in all
)

// memory remembers done effects, so that replays need not read the ledger. It may only stand before a ledger to which no other
// process writes (Config.Sole): then every change passes through it, and drops what it may have changed before it is
// acknowledged. A replay is so as fresh as if the ledger had been read. What several replicas write to is read each time: another
// one may just have superseded, resolved or replaced the effect, and no message about that is sure to come in time.
//
// Time needs no message. Found.Now goes on from the moment of the reading by this machine's clocks, and whether a window is over
// is decided by it, as always.
type memory struct {
	Store
	shards [memoryShards]memoryShard
}

type memoryShard struct {
	mu    sync.RWMutex
	era   uint64 // grows when anything is dropped: a reading that began before that is not kept
	bytes int
	byKey map[fingerprint.Digest]*remembered
}

type remembered struct {
	found  Found
	readAt time.Time
}

func newMemory(s Store) *memory {
	m := &memory{Store: s}
	for i := range m.shards {
		m.shards[i].byKey = map[fingerprint.Digest]*remembered{}
	}
	return m
}

func (m *memory) shard(key fingerprint.Digest) *memoryShard {
	return &m.shards[binary.BigEndian.Uint64(key[:8])%memoryShards]
}

// Lookup implements Store.
func (m *memory) Lookup(ctx context.Context, key fingerprint.Digest) (Found, error) {
	s := m.shard(key)
	s.mu.RLock()
	known, era := s.byKey[key], s.era
	s.mu.RUnlock()
	if known != nil {
		f := known.found
		f.Now = f.Now.Add(elapsed(known.readAt))
		return f, nil
	}
	// The stopwatch is started when the answer is there, so that Now is late rather than early by the time of the reading.
	found, err := m.Store.Lookup(ctx, key)
	if err == nil && found.Effect != nil && found.Effect.State == Done && found.Superseded == "" {
		s.keep(key, &remembered{found, time.Now()}, era)
	}
	return found, err
}

// elapsed is how long ago a moment was by the clock that says more: the steady one may stand while the machine sleeps.
func elapsed(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

func (s *memoryShard) keep(key fingerprint.Digest, r *remembered, era uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := r.size()
	if s.era != era || s.byKey[key] != nil || size > memoryBytes/4 {
		return
	}
	if len(s.byKey) >= memoryEffects || s.bytes+size > memoryBytes {
		clear(s.byKey)
		s.bytes = 0
	}
	s.byKey[key] = r
	s.bytes += size
}

func (r *remembered) size() int {
	n := len(r.found.Effect.Arguments)
	if r.found.Effect.Result != nil {
		n += len(r.found.Effect.Result.Body)
	}
	return n
}

// drop forgets what matches in one shard, and keeps readings that are under way from being kept.
func (s *memoryShard) drop(matches func(key fingerprint.Digest, e *Effect) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.era++
	for key, r := range s.byKey {
		if matches(key, r.found.Effect) {
			delete(s.byKey, key)
			s.bytes -= r.size()
		}
	}
}

func (m *memory) dropKey(key fingerprint.Digest) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.era++
	if r := s.byKey[key]; r != nil {
		delete(s.byKey, key)
		s.bytes -= r.size()
	}
}

func (m *memory) dropAll(matches func(key fingerprint.Digest, e *Effect) bool) {
	for i := range m.shards {
		m.shards[i].drop(matches)
	}
}

func everything(fingerprint.Digest, *Effect) bool { return true }

// changed drops an effect, and those that it supersedes if it is done.
func (m *memory) changed(e *Effect) {
	m.dropKey(e.Key)
	if e.State == Done && !e.Resource.IsZero() {
		m.dropAll(func(_ fingerprint.Digest, other *Effect) bool { return other.Resource == e.Resource })
	}
}

// after drops what a write has changed, and everything if it is not known what that was.
func (m *memory) after(e *Effect, err error) {
	switch CodeOf(err) {
	case "":
		m.changed(e)
	case CodeConflict, CodeStaleFence, CodeNotFound, CodeInvalid, CodeUnavailable: // nothing was written
	default:
		m.dropAll(everything)
	}
}

// Claim implements Store.
func (m *memory) Claim(ctx context.Context, r ClaimRequest) (Claimed, error) {
	c, err := m.Store.Claim(ctx, r)
	m.dropKey(r.Effect.Key)
	return c, err
}

// Settle implements Store.
func (m *memory) Settle(ctx context.Context, s Settlement) (Effect, error) {
	e, err := m.Store.Settle(ctx, s)
	m.after(&e, err)
	return e, err
}

// Decide implements Store.
func (m *memory) Decide(ctx context.Context, d Decision) (Effect, error) {
	e, err := m.Store.Decide(ctx, d)
	m.after(&e, err)
	return e, err
}

// Note implements Store. A note that opens no review changes nothing that an answer depends on. Repeats are such notes, and what is remembered
// would otherwise be read anew once per sweep. Only Updated, Events and Head stay those of the reading.
func (m *memory) Note(ctx context.Context, notes []Note) error {
	err := m.Store.Note(ctx, notes)
	ids := make(map[string]bool)
	for i := range notes {
		if notes[i].Review != "" {
			ids[notes[i].ID] = true
		}
	}
	if len(ids) > 0 {
		m.dropAll(func(_ fingerprint.Digest, e *Effect) bool { return ids[e.ID] })
	}
	return err
}

// Sweep implements Store.
func (m *memory) Sweep(ctx context.Context, limit int) ([]Effect, error) {
	changed, err := m.Store.Sweep(ctx, limit)
	for i := range changed {
		m.changed(&changed[i])
	}
	if err != nil {
		m.dropAll(everything)
	}
	return changed, err
}

// Prune implements Store.
func (m *memory) Prune(ctx context.Context, r Retention, limit int) (Pruned, error) {
	gone, err := m.Store.Prune(ctx, r, limit)
	if err != nil || gone != (Pruned{}) {
		m.dropAll(everything)
	}
	return gone, err
}
