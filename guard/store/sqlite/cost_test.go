package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestCost claims and settles calls that ask for all that can be asked, in a ledger of 10^3 effects and in one of 2·10^4 that have
// come and gone, on the same thing, with the same wording, resource, tenant and limit: it must take the same work, in steps of
// SQLite's machine.
func TestCost(t *testing.T) {
	const small, large = 1_000, 20_000
	s := openAt(t, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	cycle(t, s)
	multiply(t, s, small)
	few := cost(t, s)
	multiply(t, s, large)
	many := cost(t, s)
	t.Logf("a cycle takes %.1f steps with %d effects, %.1f with %d", few, small, many, large)
	if few < 100 || many > few*1.01 {
		t.Errorf("a cycle takes %.1f steps with %d effects, and %.1f with %d", few, small, many, large)
	}
}

// cycle claims and settles one call, which no longer answers then and has used nothing.
func cycle(t *testing.T, s *sqlite.Store) {
	t.Helper()
	r := storetest.NewCall("acme")
	r.Effect.CallerKey, r.Effect.Window = r.Effect.Key, 0
	r.Effect.Identity, r.Effect.Near, r.Effect.Resource = storetest.Digest("identity", 1), storetest.Digest("near", 1), storetest.Digest("resource", 1)
	r.CheckScope, r.CheckIdentity, r.CheckNear = true, true, true
	r.Limits = []guard.Limit{{Key: storetest.Digest("limit", 1), Amount: 1, Max: 1, Period: time.Hour}}
	got, err := s.Claim(t.Context(), r)
	if err != nil || !got.Won {
		t.Fatalf("won %v, %q, %v", got.Won, got.Relation, err)
	}
	if _, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done)); err != nil {
		t.Fatal(err)
	}
	if err := s.TestingOnlyExec("UPDATE uses SET at = 0 WHERE at > 0"); err != nil {
		t.Fatal(err)
	}
}

// cost returns how many steps a cycle takes.
func cost(t *testing.T, s *sqlite.Store) float64 {
	t.Helper()
	const cycles = 20
	before, err := s.TestingOnlySteps()
	if err != nil {
		t.Fatal(err)
	}
	for range cycles {
		cycle(t, s)
	}
	after, err := s.TestingOnlySteps()
	if err != nil {
		t.Fatal(err)
	}
	return float64(after-before) / cycles
}

// multiply copies the first effect and its use, each time with keys of its own, until there are at least n.
func multiply(t *testing.T, s *sqlite.Store, n int) {
	t.Helper()
	numbers := fmt.Sprintf(`WITH RECURSIVE fresh (n) AS (
		SELECT max(effect) + 1 FROM uses UNION ALL SELECT n + 1 FROM fresh WHERE n < %d) `, n)
	for _, statement := range []string{
		`INSERT INTO effects SELECT
			n, 'effect ' || n, tenant, subject, agent, run, call_id, tool, type, execute, about, related, randomblob(32), 1,
			identity, near, resource, randomblob(32), state, code, reason, fence, claim, attempts, failures, review, policy, window_ns,
			created, updated, since, due, window_until, events, head, head_event, arguments_event, result_event, bytes
		FROM fresh, effects WHERE number = 1`,
		`INSERT INTO uses SELECT n + 1000000, n, key, 0, amount, 0 FROM fresh, uses WHERE number = 1`,
	} {
		if err := s.TestingOnlyExec(numbers + statement); err != nil {
			t.Fatal(err)
		}
	}
}
