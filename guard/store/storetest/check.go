package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Check reads all effects of a tenant and all their events, and reports what must never be: what guard.Audit finds, two
// reads that do not agree, a superseded effect that is not named so. It returns the effects, newest first.
func Check(t testing.TB, s guard.Store, tenant string) []guard.Effect {
	t.Helper()
	ctx := context.Background()
	var effects []guard.Effect
	for before := ""; ; {
		page, err := s.List(ctx, guard.Query{Tenant: tenant, Before: before, Limit: 500})
		if err != nil {
			t.Fatalf("check: %v", err)
		}
		for _, row := range page {
			e, err := s.Get(ctx, tenant, row.ID)
			if err != nil {
				t.Fatalf("check effect %s: %v", row.ID, err)
			}
			events, err := s.Events(ctx, tenant, row.ID)
			if err != nil {
				t.Fatalf("check events of %s: %v", row.ID, err)
			}
			for _, fault := range guard.Audit(e, events) {
				t.Errorf("effect %s: %s", row.ID, fault)
			}
			row.Arguments, row.Result = e.Arguments, e.Result
			if d := Difference(row, e); d != "" {
				t.Errorf("effect %s is listed otherwise than it is read: %s", row.ID, d)
			}
			effects = append(effects, e)
		}
		if len(page) < 500 {
			checkSuperseded(t, s, effects)
			return effects
		}
		before = page[len(page)-1].ID
	}
}

// checkSuperseded looks every done effect with a resource up and derives from all the others what superseded it. The effects
// are all of one tenant, newest first.
func checkSuperseded(t testing.TB, s guard.Store, effects []guard.Effect) {
	t.Helper()
	on := map[fingerprint.Digest][]guard.Effect{} // by resource, what was done on it
	for _, e := range effects {
		if e.State == guard.Done && !e.Resource.IsZero() {
			on[e.Resource] = append(on[e.Resource], e)
		}
	}
	for _, done := range on {
		slices.SortStableFunc(done, func(a, b guard.Effect) int { return b.Since.Compare(a.Since) })
		for _, e := range done {
			found, err := s.Lookup(context.Background(), e.Key)
			if err != nil || found.Effect == nil {
				t.Fatalf("check effect %s: looked up as %v, %v", e.ID, found.Effect, err)
			}
			want := ""
			if i := slices.IndexFunc(done, func(o guard.Effect) bool { return o.Key != e.Key }); i >= 0 && done[i].Since.After(e.Since) {
				want = done[i].ID
			}
			if found.Effect.ID == e.ID && found.Superseded != want { // else it has a later generation
				t.Errorf("effect %s is superseded by %q, but by the ledger by %q", e.ID, found.Superseded, want)
			}
		}
	}
}
