package guard_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func (w *world) history(id string) []guard.Event {
	w.t.Helper()
	events, err := w.Events(w.t.Context(), rita, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}

// tally is the sum of what was counted.
func (w *world) tally(kind string, code guard.Code) (n int64) {
	w.t.Helper()
	all, err := w.Tallies(w.t.Context(), rita, time.Unix(0, 0), time.Now().Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, t := range all {
		if t.Kind == kind && t.Code == code {
			n += t.Count
		}
	}
	return n
}

// slow answers every attempt with success once it is released.
func slow(release <-chan struct{}) func(context.Context, int, guard.Attempt) guard.Outcome {
	return func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
		<-release
		return ok(n)
	}
}

func TestAnswersAndOutcomesAreCounted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.do(alice, refund)
		w.do(alice, refund)
		w.do(alice, refund)
		w.up.script(refused, lost)
		until(2 * time.Second)
		w.do(alice, call("pay.refund", `{"order_id":"A-2"}`))
		until(2 * time.Second)
		for _, c := range []struct {
			kind string
			code guard.Code
			want int64
		}{
			{"forwarded", guard.CodeForwarded, 1}, {"replayed", guard.CodeReplayed, 2},
			{guard.TallyOutcome, "done", 1}, {guard.TallyOutcome, "unknown", 1},
		} {
			if n := w.tally(c.kind, c.code); n != c.want {
				t.Errorf("%s %s: %d, want %d", c.kind, c.code, n, c.want)
			}
		}
		_, err := w.Tallies(t.Context(), alice, time.Time{}, time.Now())
		expectError(t, err, guard.CodeForbidden)
	})
}

func TestChangesTellWhatChanges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ids, err := w.Changes(ctx, rita)
		if err != nil {
			t.Fatal(err)
		}
		a := w.do(alice, refund)
		w.do(eve, refund)
		if id := <-ids; id != a.Effect.ID {
			t.Errorf("got %q", id)
		}
		// Nobody reads: the ids come once each, until there are too many of them.
		for range 3 {
			for i := range 20 {
				w.do(alice, call("pay.refund", fmt.Sprintf(`{"order_id":"B-%d"}`, i)))
			}
		}
		synctest.Wait()
		var got []string
		for synctest.Wait(); len(got) < 21; synctest.Wait() {
			select {
			case id := <-ids:
				got = append(got, id)
				continue
			default:
			}
			break
		}
		if n := len(got); n < 20 || n > 22 || slices.Contains(got, "") {
			t.Errorf("%d ids: %q", n, got)
		}
		for i := range 300 {
			w.do(alice, call("pay.refund", fmt.Sprintf(`{"order_id":"C-%d"}`, i)))
		}
		lost := false
		for range 3 {
			lost = lost || <-ids == ""
		}
		if !lost {
			t.Error("300 changes were kept for a reader who does not read")
		}
		stop()
		synctest.Wait()
		for range ids { //nolint:revive // until it is closed
		}
		_, err = w.Changes(t.Context(), alice)
		expectError(t, err, guard.CodeForbidden)
	})
}

// heard is a store that hears of what a test tells it.
type heard struct {
	guard.Store
	told chan [2]string
}

func (h heard) Watch(ctx context.Context, woken func(tenant, id string)) error {
	for {
		select {
		case x := <-h.told:
			woken(x[0], x[1])
		case <-ctx.Done():
			return nil
		}
	}
}

func TestWhatTheStoreHearsIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, policies)
		h := heard{w.store, make(chan [2]string)}
		g, err := guard.New(guard.Config{Store: h, Policies: w, Forward: w.up, Key: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()
		ids, err := g.Changes(ctx, rita)
		if err != nil {
			t.Fatal(err)
		}
		h.told <- [2]string{"other", "ef_0"}
		h.told <- [2]string{"acme", "ef_1"}
		if id := <-ids; id != "ef_1" {
			t.Errorf("got %q", id)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestOldEffectsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, file(tool("pay", "window: 1h", sent)))
		g, err := guard.New(guard.Config{
			Store: w.store, Policies: w, Forward: w.up, Key: make([]byte, 32), Retention: guard.Retention{Bodies: 2 * time.Hour, Rows: 48 * time.Hour},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Guard = g
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()
		id := w.do(alice, one).Effect.ID
		until(4 * time.Hour)
		if e := w.state(id); len(e.Arguments) != 0 || e.Result.Body != nil || e.State != guard.Done {
			t.Errorf("after four hours it has %q and %+v", e.Arguments, e.Result)
		}
		until(72 * time.Hour)
		_, err = w.Effect(t.Context(), rita, id)
		expectError(t, err, guard.CodeNotFound)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
