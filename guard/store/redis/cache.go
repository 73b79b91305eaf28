package redis

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

const (
	// keepTime is the longest that bytes stay in Redis. It is about memory only: what answers is decided by the row.
	keepTime = 10 * time.Minute
	// maxKept is the size of sealed bytes above which an effect is not kept.
	maxKept = 1 << 20
)

// Outliner is a ledger that can look up an effect's row without its bytes. Where the ledger beneath is none, it is asked for everything.
type Outliner interface {
	// Outline is Lookup, but that the effect has no Arguments and no Result. All other fields are those that Lookup
	// would return at this moment, in the same form.
	Outline(ctx context.Context, key fingerprint.Digest) (guard.Found, error)
}

// Lookup implements guard.Store. The bytes of a done effect may come from Redis; the rest, and so every decision, comes from the ledger.
func (s *Store) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	if s.outliner == nil {
		return s.Store.Lookup(ctx, key)
	}
	if sealed := s.fetch(ctx, key); sealed != nil {
		found, err := s.outliner.Outline(ctx, key)
		if err != nil || found.Effect == nil {
			return found, err
		}
		if answers(&found) && s.restore(found.Effect, sealed) {
			s.hits.Add(1)
			return found, nil
		}
	}
	found, err := s.Store.Lookup(ctx, key)
	if err == nil && answers(&found) && s.circuit.works() {
		s.fills.put(key, *found.Effect)
	}
	return found, err
}

// answers reports whether an effect is done and within its window: after that the ledger may let go of its bytes.
func answers(f *guard.Found) bool {
	return f.Effect != nil && f.Effect.State == guard.Done && f.Now.Before(f.Effect.WindowUntil)
}

// bytesOf is what is sealed of an effect. Its arguments are no json.RawMessage, which would be compacted.
type bytesOf struct {
	Arguments []byte
	Result    *guard.Result
}

// place is what the sealed bytes of an effect are bound to: all other fields of its row, among them the tenant, the fingerprint, the fence and
// the hash of the last event.
func place(e *guard.Effect) ([]byte, error) {
	row := *e
	row.Arguments, row.Result = nil, nil
	text, err := json.Marshal(&row)
	return append([]byte("bytes of "), text...), err
}

func (s *Store) keyOf(key fingerprint.Digest) string { return s.name + hex.EncodeToString(key[:]) }

// fetch returns what Redis has for a key: nil for nothing.
func (s *Store) fetch(ctx context.Context, key fingerprint.Digest) (sealed []byte) {
	_ = s.exchange(ctx, s.options.Patience, func(ctx context.Context) (err error) {
		s.looks.Add(1)
		sealed, err = s.client.Get(ctx, s.keyOf(key)).Bytes()
		return err
	})
	return sealed
}

// restore gives an effect its bytes, if they were sealed for this very row.
func (s *Store) restore(e *guard.Effect, sealed []byte) bool {
	place, err := place(e)
	if err != nil {
		return false
	}
	text, err := s.sealer.open(sealed, place)
	if err != nil {
		return false
	}
	var b bytesOf
	if json.Unmarshal(text, &b) != nil {
		return false
	}
	e.Arguments, e.Result = b.Arguments, b.Result
	return true
}

// fillAll puts the bytes of effects that were looked up into Redis, until ctx ends.
func (s *Store) fillAll(ctx context.Context) {
	for {
		select {
		case <-s.fills.ready:
		case <-ctx.Done():
			return
		}
		for key, e := range s.fills.take() {
			s.fill(ctx, key, &e)
		}
	}
}

func (s *Store) fill(ctx context.Context, key fingerprint.Digest, e *guard.Effect) {
	place, err := place(e)
	if err != nil {
		return // such as a time that JSON cannot write: the effect is not kept
	}
	text, err := json.Marshal(bytesOf{e.Arguments, e.Result})
	if err != nil || len(text) > maxKept {
		return
	}
	sealed, err := s.sealer.seal(text, place)
	if err != nil {
		s.options.Log.Error("a result cannot be sealed", "error", err)
		return
	}
	_ = s.exchange(ctx, publishTime, func(ctx context.Context) error {
		return s.client.Set(ctx, s.keyOf(key), sealed, keepTime).Err() // without it the ledger is asked again
	})
}
