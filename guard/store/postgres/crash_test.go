package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// writers claim and settle without a pause until they are told to stop, and remember what was acknowledged.
type writers struct {
	running sync.WaitGroup
	stop    chan struct{}
	first   chan struct{} // closed when something was acknowledged
	once    sync.Once

	mu        sync.Mutex
	known     map[string]guard.State
	uncertain map[string]bool // nobody knows: may be there or not
	failed    int
}

func startWriters(t *testing.T, s guard.Store, callers int) *writers {
	w := &writers{stop: make(chan struct{}), first: make(chan struct{}), known: map[string]guard.State{}, uncertain: map[string]bool{}}
	for range callers {
		w.running.Go(func() {
			for {
				select {
				case <-w.stop:
					return
				default:
					w.cycle(t, s)
				}
			}
		})
	}
	return w
}

func (w *writers) cycle(t *testing.T, s guard.Store) {
	r := storetest.NewCall("acme")
	got, err := s.Claim(context.Background(), r)
	w.heard(t, r.Effect.ID, guard.Pending, err)
	if err != nil {
		return
	}
	_, err = s.Settle(context.Background(), storetest.Outcome(got.Effect, guard.Done))
	w.heard(t, r.Effect.ID, guard.Done, err)
}

func (w *writers) heard(t *testing.T, id string, state guard.State, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch guard.CodeOf(err) {
	case "":
		w.known[id] = state
		w.once.Do(func() { close(w.first) })
	case guard.CodeUncertain:
		w.uncertain[id], w.failed = true, w.failed+1
	case guard.CodeUnavailable:
		w.failed++
	default:
		t.Errorf("%s: %v", state, err)
	}
}

// verify compares what was acknowledged with what is there.
func (w *writers) verify(t *testing.T, s guard.Store) {
	t.Helper()
	found := map[string]guard.State{}
	for _, e := range storetest.Check(t, s, "acme") {
		found[e.ID] = e.State
		if _, ok := w.known[e.ID]; !ok && !w.uncertain[e.ID] {
			t.Errorf("effect %s is there, and its caller was told that it is not", e.ID)
		}
	}
	for id, state := range w.known {
		if found[id] != state && !(w.uncertain[id] && found[id] == guard.Done) {
			t.Errorf("effect %s was acknowledged as %s and is %q", id, state, found[id])
		}
	}
	t.Logf("%d effects acknowledged, %d uncertain, %d writes failed", len(w.known), len(w.uncertain), w.failed)
}

// TestCrash ends all processes of the server at once while many write, again and again: what was acknowledged is there after
// each restart, what was refused is not, and the store goes on by itself.
func TestCrash(t *testing.T) {
	server := servertest.StartPostgres(t)
	s := openAt(t, server.DSN("postgres"), postgres.Options{})
	for range 4 {
		w := startWriters(t, s, 16)
		<-w.first
		server.StopImmediate(t)
		server.Start(t)
		for s.Ping(t.Context()) != nil { // connections that the crash broke are found one by one
		}
		close(w.stop)
		w.running.Wait()
		if w.failed == 0 {
			t.Error("no write met the crash: the test proves nothing")
		}
		w.verify(t, s)
		execute(t, server.DSN("postgres"), "DROP SCHEMA onceguard CASCADE") // the next round has its own effects
		if err := postgres.Migrate(t.Context(), server.DSN("postgres")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFailover stops a primary that commits together with a standby, and promotes the standby: the store finds it by itself, and
// what was acknowledged is there.
func TestFailover(t *testing.T) {
	primary := servertest.StartPostgres(t)
	standby := primary.Standby(t)
	dsn := fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres", primary.Port(), standby.Port())
	s := openAt(t, dsn, postgres.Options{})
	if _, err := postgres.Open(t.Context(), standby.DSN("postgres"), postgres.Options{}); err == nil || !strings.Contains(err.Error(), "standby") {
		t.Fatalf("a standby was opened: %v", err)
	}
	w := startWriters(t, s, 8)
	<-w.first
	primary.StopImmediate(t)
	standby.Promote(t)
	for s.Ping(t.Context()) != nil { // until the store has found the new primary
	}
	close(w.stop)
	w.running.Wait()
	w.verify(t, s)
}
