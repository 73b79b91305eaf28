package sealed

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Store is a ledger whose bytes are sealed where a request says so. The methods that it does not have itself are those of the
// ledger beneath.
type Store struct {
	guard.Store
	ring *Ring
}

// New seals under the ring what goes into a ledger. Close closes the ledger.
func New(ledger guard.Store, ring *Ring) *Store { return &Store{ledger, ring} }

var (
	_ guard.Store   = (*Store)(nil)
	_ guard.Watcher = (*Store)(nil)
)

// What bytes are.
const (
	arguments = "arguments"
	result    = "result"
)

// Lookup implements guard.Store.
func (s *Store) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	found, err := s.Store.Lookup(ctx, key)
	if err == nil && found.Effect != nil {
		err = s.openEffect(found.Effect)
	}
	return found, s.openError(err)
}

// Rivals implements guard.Store.
func (s *Store) Rivals(ctx context.Context, tenant string, r guard.Relation, digest, key fingerprint.Digest) ([]guard.Effect, error) {
	list, err := s.Store.Rivals(ctx, tenant, r, digest, key)
	return s.openEffects(list, err)
}

// Claim implements guard.Store.
func (s *Store) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	if r.Seal {
		id := r.Effect.ID
		if r.Again && r.Prior != nil {
			id = r.Prior.ID // whose next attempt it is
		}
		sealed, err := s.ring.seal(r.Effect.Arguments, place{r.Effect.Tenant, id, arguments})
		if err != nil {
			return guard.Claimed{}, notSealed("claim", err)
		}
		r.Effect.Arguments = sealed
	}
	got, err := s.Store.Claim(ctx, r)
	if err == nil {
		err = s.openEffect(&got.Effect)
	}
	return got, s.openError(err)
}

// Extend implements guard.Store.
func (s *Store) Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error) {
	until, err := s.Store.Extend(ctx, id, fence, ttl)
	return until, s.openError(err)
}

// Settle implements guard.Store.
func (s *Store) Settle(ctx context.Context, st guard.Settlement) (guard.Effect, error) {
	if st.Seal || ambiguous(st.Result) {
		sealed, err := s.sealResult(st.Result, st.Tenant, st.ID)
		if err != nil {
			return guard.Effect{}, notSealed("settle", err)
		}
		st.Result = sealed
	}
	e, err := s.Store.Settle(ctx, st)
	return s.opened(e, err)
}

// Decide implements guard.Store. The digest of the arguments that a person saw becomes the one of the bytes that the ledger has.
func (s *Store) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	if d.Digest != [32]byte{} {
		e, err := s.Store.Get(ctx, d.Tenant, d.ID)
		if err != nil {
			return guard.Effect{}, err
		}
		kept := e.ArgumentsDigest()
		if IsSealed(e.Arguments) {
			if err := s.openEffect(&e); err != nil {
				return guard.Effect{}, err
			}
			if e.ArgumentsDigest() == d.Digest {
				d.Digest = kept
			}
		}
	}
	if d.Seal || ambiguous(d.Result) {
		var err error
		if d.Arguments, err = s.ring.seal(d.Arguments, place{d.Tenant, d.ID, arguments}); err == nil {
			d.Result, err = s.sealResult(d.Result, d.Tenant, d.ID)
		}
		if err != nil {
			return guard.Effect{}, notSealed("decide", err)
		}
	}
	e, err := s.Store.Decide(ctx, d)
	return s.opened(e, err)
}

// Note implements guard.Store.
func (s *Store) Note(ctx context.Context, notes []guard.Note) error {
	sealed := make([]guard.Note, len(notes))
	for i, n := range notes {
		if n.Seal || ambiguous(n.Result) {
			var err error
			if n.Result, err = s.sealResult(n.Result, n.Tenant, n.ID); err != nil {
				return notSealed("note", err)
			}
		}
		sealed[i] = n
	}
	return s.openError(s.Store.Note(ctx, sealed))
}

// Get implements guard.Store.
func (s *Store) Get(ctx context.Context, tenant, id string) (guard.Effect, error) {
	e, err := s.Store.Get(ctx, tenant, id)
	return s.opened(e, err)
}

// Events implements guard.Store.
func (s *Store) Events(ctx context.Context, tenant, id string) ([]guard.Event, error) {
	list, err := s.Store.Events(ctx, tenant, id)
	for i := range list {
		e := &list[i]
		if IsSealed(e.Arguments) {
			e.ArgumentsHash = sha256.Sum256(e.Arguments)
			text, wrong := s.ring.open(e.Arguments, place{tenant, id, arguments})
			e.Arguments, err = text, errors.Join(err, wrong)
		}
		opened, wrong := s.openResult(e.Result, tenant, id)
		e.Result, err = opened, errors.Join(err, wrong)
	}
	if err != nil && guard.CodeOf(err) == guard.CodeInternal {
		return nil, corrupt(err)
	}
	return list, err
}

// Sweep implements guard.Store.
func (s *Store) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	list, err := s.Store.Sweep(ctx, limit)
	return s.openEffects(list, err)
}

// Unsent implements guard.Store.
func (s *Store) Unsent(ctx context.Context, age time.Duration, limit int) ([]guard.Effect, error) {
	list, err := s.Store.Unsent(ctx, age, limit)
	return s.openEffects(list, err)
}

// Watch implements guard.Watcher: it passes on what the ledger beneath hears, if that is one.
func (s *Store) Watch(ctx context.Context, woken func(tenant, id string)) error {
	if w, ok := s.Store.(guard.Watcher); ok {
		return w.Watch(ctx, woken)
	}
	<-ctx.Done()
	return nil
}
