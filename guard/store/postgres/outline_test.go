package postgres_test

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestOutline compares Outline with Lookup: they differ in the bytes and in nothing else, also when the clock goes back.
func TestOutline(t *testing.T) {
	clock := storetest.NewClock()
	s := openAt(t, migrated.Postgres(t), postgres.Options{Now: clock.Now})
	keys := map[string]fingerprint.Digest{"nobody": storetest.Digest("nobody", 0)}
	claim := func(name string) guard.Effect {
		r := storetest.NewCall("acme")
		r.Effect.Resource = storetest.Digest("resource", 1)
		got, err := s.Claim(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = r.Effect.Key
		return got.Effect
	}
	settle := func(e guard.Effect, state guard.State) {
		clock.Move(time.Second)
		if _, err := s.Settle(t.Context(), storetest.Outcome(e, state)); err != nil {
			t.Fatal(err)
		}
	}
	claim("pending")
	settle(claim("unknown"), guard.Unknown)
	settle(claim("superseded"), guard.Done)
	settle(claim("done"), guard.Done)
	for _, move := range []time.Duration{0, -time.Hour, 2 * time.Hour} {
		clock.Move(move)
		for name, key := range keys {
			want, err := s.Lookup(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Outline(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Now.Equal(want.Now) || got.Superseded != want.Superseded || (got.Superseded != "") != (name == "superseded") {
				t.Errorf("%s: outline %v, superseded by %q; lookup %v, %q", name, got.Now, got.Superseded, want.Now, want.Superseded)
			}
			if (got.Effect == nil) != (want.Effect == nil) || (got.Effect == nil) != (name == "nobody") {
				t.Fatalf("%s: outline %v, lookup %v", name, got.Effect, want.Effect)
			}
			if got.Effect == nil {
				continue
			}
			if got.Effect.Arguments != nil || got.Effect.Result != nil {
				t.Errorf("%s: the outline has bytes", name)
			}
			want.Effect.Arguments, want.Effect.Result = nil, nil
			if d := storetest.Difference(*got.Effect, *want.Effect); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}
