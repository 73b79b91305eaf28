package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/policy"
)

// A newcomer sees every state but "approved", which lasts a moment only where the guard sends.
func TestTheDayShowsEveryState(t *testing.T) {
	t.Setenv(demoToolsVariable, "127.0.0.1:1")
	set, err := policy.Load("demo")
	if err != nil {
		t.Fatal(err)
	}
	folder, key, began := t.TempDir(), newOwnKey(), time.Now()
	if err := playDay(t.Context(), folder, key, policy.Fixed(set)); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(folder, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, state := range guard.States {
		list, err := store.List(t.Context(), guard.Query{Tenant: demoTenant, States: []guard.State{state}})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 && state != guard.Approved {
			t.Errorf("no effect is %s", state)
		}
		for _, e := range list {
			if e.Created.Before(began.Add(-24*time.Hour)) || e.Created.After(time.Now()) || e.Updated.After(time.Now()) {
				t.Errorf("%s was made at %s and changed at %s, which is not in the day before %s", e.ID, e.Created, e.Updated, began)
			}
		}
	}
	tallies, err := store.Tallies(t.Context(), demoTenant, began.Add(-25*time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{string(guard.AnswerForwarded), string(guard.AnswerProceed), string(guard.AnswerReplayed), string(guard.AnswerBlocked), guard.TallyOutcome} {
		if !slices.ContainsFunc(tallies, func(c guard.Tally) bool { return c.Kind == kind }) {
			t.Errorf("nothing was counted as %s", kind)
		}
	}
	for _, code := range []guard.Code{guard.CodeNear, guard.CodeUnknown, guard.CodeRejected, guard.CodeHeld, guard.CodeSameIdentity} {
		if !slices.ContainsFunc(tallies, func(c guard.Tally) bool { return c.Kind == string(guard.AnswerBlocked) && c.Code == code }) {
			t.Errorf("no call was blocked as %s", code)
		}
	}
}
