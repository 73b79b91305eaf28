package guard

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// ledger is one effect under each key, of which the test says what it is, and that counts looks.
type ledger struct {
	Store
	mu      sync.Mutex
	effects map[fingerprint.Digest]Effect
	looks   int
	within  func() // runs inside Lookup, after the effect was read
	err     error  // of writes
}

func (l *ledger) Lookup(_ context.Context, key fingerprint.Digest) (Found, error) {
	l.mu.Lock()
	l.looks++
	e, ok := l.effects[key]
	within := l.within
	l.mu.Unlock()
	if within != nil {
		within()
	}
	if !ok {
		return Found{Now: time.Now()}, nil
	}
	return Found{Effect: &e, Now: time.Now()}, nil
}

func (l *ledger) set(e Effect) Effect {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects[e.Key] = e
	return e
}

func (l *ledger) Settle(_ context.Context, s Settlement) (Effect, error) {
	return l.set(Effect{ID: s.ID, Key: fingerprint.Digest{9}, Resource: fingerprint.Digest{7}, State: s.State}), l.err
}

func (l *ledger) Decide(_ context.Context, d Decision) (Effect, error) {
	return l.set(Effect{ID: d.ID, Key: fingerprint.Digest{1}, State: d.State, Fence: d.Fence + 1}), l.err
}

func (l *ledger) Claim(_ context.Context, r ClaimRequest) (Claimed, error) {
	return Claimed{Won: true, Effect: l.set(r.Effect)}, l.err
}

func (l *ledger) Note(context.Context, []Note) error           { return l.err }
func (l *ledger) Sweep(context.Context, int) ([]Effect, error) { return nil, l.err }
func (l *ledger) Prune(context.Context, Retention, int) (Pruned, error) {
	return Pruned{Rows: 1}, l.err
}
func (l *ledger) seen() int { l.mu.Lock(); defer l.mu.Unlock(); return l.looks }

var remembering = fingerprint.Digest{1}

func newLedger() (*ledger, *memory) {
	l := &ledger{effects: map[fingerprint.Digest]Effect{
		{1}: {ID: "ef_1", Key: remembering, Resource: fingerprint.Digest{7}, State: Done},
		{2}: {ID: "ef_2", Key: fingerprint.Digest{2}, State: Pending},
	}}
	return l, newMemory(l)
}

func look(t *testing.T, m *memory, key fingerprint.Digest) Found {
	t.Helper()
	f, err := m.Lookup(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOnlyWhatIsDoneIsRemembered(t *testing.T) {
	l, m := newLedger()
	for range 3 {
		look(t, m, remembering)
		look(t, m, fingerprint.Digest{2})
		look(t, m, fingerprint.Digest{3})
	}
	if n := l.seen(); n != 1+3+3 {
		t.Errorf("the ledger was read %d times", n)
	}
}

func TestEveryWriteThatMayChangeAnEffectDropsIt(t *testing.T) {
	uncertain := &Error{Code: CodeUncertain}
	writes := map[string]func(l *ledger, m *memory) error{
		"claim": func(_ *ledger, m *memory) error {
			_, err := m.Claim(t.Context(), ClaimRequest{Effect: Effect{Key: remembering}})
			return err
		},
		"decide": func(_ *ledger, m *memory) error {
			_, err := m.Decide(t.Context(), Decision{ID: "ef_1", State: Done})
			return err
		},
		"another effect on the same resource": func(_ *ledger, m *memory) error {
			_, err := m.Settle(t.Context(), Settlement{ID: "ef_9", State: Done})
			return err
		},
		"a note that opens a review": func(_ *ledger, m *memory) error {
			return m.Note(t.Context(), []Note{{ID: "ef_1", Review: CodeContradiction}})
		},
		"prune": func(_ *ledger, m *memory) error { _, err := m.Prune(t.Context(), Retention{}, 1); return err },
		"a settlement that is not confirmed": func(l *ledger, m *memory) error {
			l.err = uncertain
			_, err := m.Settle(t.Context(), Settlement{ID: "ef_1", State: Failed})
			return err
		},
		"a decision after which the effect could not be read": func(l *ledger, m *memory) error {
			l.err = &Error{Code: CodeCorrupt}
			_, err := m.Decide(t.Context(), Decision{ID: "ef_1", State: Done})
			return err
		},
		"a sweep that failed": func(l *ledger, m *memory) error { l.err = uncertain; _, err := m.Sweep(t.Context(), 1); return err },
	}
	for name, write := range writes {
		l, m := newLedger()
		look(t, m, remembering)
		before := l.seen()
		if err := write(l, m); err != l.err && err != error(uncertain) {
			t.Fatal(err)
		}
		look(t, m, remembering)
		if l.seen() == before {
			t.Errorf("%s: answered from memory", name)
		}
	}
	l, m := newLedger()
	look(t, m, remembering)
	if err := m.Note(t.Context(), []Note{{ID: "ef_1", Count: 3}, {ID: "ef_2", Review: CodeContradiction}}); err != nil {
		t.Fatal(err)
	}
	if look(t, m, remembering); l.seen() != 1 {
		t.Error("counting repeats, or a review of another effect, dropped it")
	}
}

// A reading that a write overtakes is not kept.
func TestAReadingDuringAWriteIsNotKept(t *testing.T) {
	l, m := newLedger()
	l.within = func() {
		l.within = nil
		if _, err := m.Decide(t.Context(), Decision{ID: "ef_1", State: Done, Fence: 1}); err != nil {
			t.Error(err)
		}
	}
	if f := look(t, m, remembering); f.Effect.Fence != 0 {
		t.Fatalf("the first reading has the fence %d", f.Effect.Fence)
	}
	if f := look(t, m, remembering); f.Effect.Fence != 2 {
		t.Errorf("answered from memory: the fence is %d", f.Effect.Fence)
	}
}

func TestMemoryKeepsTimeAndItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := newLedger()
		first := look(t, m, remembering)
		time.Sleep(time.Hour)
		if again := look(t, m, remembering); again.Now.Sub(first.Now) != time.Hour {
			t.Errorf("an hour later it is %s later", again.Now.Sub(first.Now))
		}
	})
	l, m := newLedger()
	for i := range 3 * memoryEffects {
		key := fingerprint.Digest{0, 0, 0, 0, 0, 0, 0, 0, byte(i), byte(i >> 8)} // all in one shard
		l.set(Effect{ID: "ef", Key: key, State: Done, Arguments: make([]byte, memoryBytes/100)})
		look(t, m, key)
		if s := m.shard(key); len(s.byKey) > memoryEffects || s.bytes > memoryBytes {
			t.Fatalf("%d effects, %d bytes", len(s.byKey), s.bytes)
		}
	}
	key := fingerprint.Digest{5}
	l.set(Effect{Key: key, State: Done, Result: &Result{Body: make([]byte, memoryBytes)}})
	if look(t, m, key); m.shard(key).byKey[key] != nil {
		t.Error("a huge result is kept")
	}
}
