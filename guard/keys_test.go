package guard_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// underKeys is another guard on the world's ledger that has keys of its own.
func (w *world) underKeys(inUse int, keys ...byte) *world {
	w.t.Helper()
	r := &world{t: w.t, up: w.up, store: w.store}
	r.rules.Store(w.rules.Load())
	all := make([][]byte, len(keys))
	for i, k := range keys {
		all[i] = bytes.Repeat([]byte{k}, 32)
	}
	var err error
	r.Guard, err = guard.New(guard.Config{Store: w.store, Policies: r, Forward: w.up, Key: all[0], LaterKeys: all[1:], InUse: inUse})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestARotationReopensNothing(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		first := w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		rotated := w.underKeys(1, 'k', 'l')
		if a := rotated.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed); a.Effect.ID != first.Effect.ID {
			t.Errorf("replayed %s, want %s", a.Effect.ID, first.Effect.ID)
		}
		two := call("pay", `{"n":2}`)
		rotated.expect(alice, two, guard.AnswerForwarded, guard.CodeForwarded)
		w.underKeys(0, 'k', 'l').expect(alice, two, guard.AnswerReplayed, guard.CodeReplayed)
		again := w.underKeys(2, 'k', 'l', 'm')
		again.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
		again.expect(alice, two, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(2)
	})
}

func TestAServerThatLacksAKeySendsNothing(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		two := call("pay", `{"n":2}`)
		w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		w.underKeys(1, 'k', 'l').expect(alice, two, guard.AnswerForwarded, guard.CodeForwarded)
		for range 2 {
			_, err := w.Do(t.Context(), alice, two)
			expectError(t, err, guard.CodeUnavailable)
			if err == nil || !bytes.Contains([]byte(err.Error()), []byte("installation.key")) {
				t.Errorf("the error does not say what to do: %v", err)
			}
		}
		w.executions(2)
	})
}

func TestWhatHasToOutliveARotationIsUnderTheFirstKey(t *testing.T) {
	t.Run("an idempotency key of the caller", func(t *testing.T) {
		underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
			keyed, other := one, call("pay", `{"n":2}`)
			keyed.IdempotencyKey, other.IdempotencyKey = "k1", "k1"
			w.do(alice, keyed)
			w.underKeys(1, 'k', 'l').expect(alice, other, guard.AnswerBlocked, guard.CodeKeyConflict)
		})
	})
	t.Run("a limit", func(t *testing.T) {
		underPolicies(t, file(tool("pay", sent, "limits: [{count: 1, per: 1h, by: [subject], then: deny}]")), func(t *testing.T, w *world) {
			w.do(alice, one)
			w.underKeys(1, 'k', 'l').expect(alice, call("pay", `{"n":2}`), guard.AnswerBlocked, guard.CodeOverLimit)
		})
	})
	t.Run("a resource", func(t *testing.T) {
		underPolicies(t, file(tool("file.write", sent, "resource: 'file:{path}'")), func(t *testing.T, w *world) {
			a, b := call("file.write", `{"path":"x","text":"a"}`), call("file.write", `{"path":"x","text":"b"}`)
			w.expect(alice, a, guard.AnswerForwarded, guard.CodeForwarded)
			until(time.Second)
			rotated := w.underKeys(1, 'k', 'l')
			rotated.expect(alice, b, guard.AnswerForwarded, guard.CodeForwarded)
			until(time.Second)
			rotated.expect(alice, a, guard.AnswerForwarded, guard.CodeForwarded)
			w.executions(3)
		})
	})
}

// Servers before, within and after a rotation get the same calls at the same time.
func TestNoEffectHappensTwiceWhileAFleetIsRotated(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		fleet := []*world{w.underKeys(0, 'k', 'l'), w.underKeys(0, 'k', 'l'), w.underKeys(1, 'k', 'l'), w.underKeys(1, 'k', 'l')}
		const calls = 200
		var done sync.WaitGroup
		for n := range calls {
			for _, g := range fleet {
				done.Go(func() {
					if _, err := g.Do(t.Context(), alice, call("pay", fmt.Sprintf(`{"n":%d}`, n))); err != nil {
						t.Errorf("call %d: %v", n, err)
					}
				})
			}
		}
		done.Wait()
		w.executions(calls)
	})
}

func TestKeysThatCannotBe(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 32)
	for name, c := range map[string]guard.Config{
		"short":               {LaterKeys: [][]byte{key[:31]}},
		"not there":           {LaterKeys: [][]byte{bytes.Repeat([]byte("l"), 32)}, InUse: 2},
		"the same twice":      {LaterKeys: [][]byte{bytes.Repeat([]byte("l"), 32), bytes.Repeat([]byte("l"), 32)}},
		"the first one twice": {LaterKeys: [][]byte{key}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Store, c.Policies, c.Forward, c.Key = newWorld(t, policies).store, &world{}, &upstream{}, key
			if _, err := guard.New(c); err == nil {
				t.Error("a guard was made")
			}
		})
	}
}
