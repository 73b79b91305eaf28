package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// Open opens an empty store whose clock is c. The suite closes it.
type Open func(t *testing.T, c *Clock) guard.Store

// tenant is whose effects the cases make; other is somebody else.
const (
	tenant = "acme"
	other  = "globex"
)

// test is what a case has: a fresh store, its clock and the means to say what should be.
type test struct {
	*testing.T
	store guard.Store
	clock *Clock
	ctx   context.Context
}

type suiteCase struct {
	name string
	run  func(*test)
}

// Run executes the contract, one fresh store for each case.
func Run(t *testing.T, open Open) {
	groups := []struct {
		name  string
		cases []suiteCase
	}{
		{"Claim", claimCases}, {"Prior", priorCases}, {"CallerKey", callerKeyCases}, {"Rival", rivalCases}, {"Superseded", supersededCases},
		{"Alias", aliasCases}, {"Book", bookCases}, {"Limit", limitCases}, {"Lease", leaseCases}, {"Settle", settleCases},
		{"Decide", decideCases}, {"Note", noteCases}, {"Sweep", sweepCases}, {"Read", readCases}, {"Walk", walkCases},
		{"Prune", pruneCases}, {"Tally", tallyCases}, {"Store", storeCases},
		{"Race", raceCases}, {"Credentials", credentialCases},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { runCase(t, open, c) })
			}
		})
	}
	t.Run("Transitions", func(t *testing.T) { runTransitions(t, open) })
}

func runCase(t *testing.T, open Open, c suiteCase) {
	s := newTest(t, open)
	c.run(s)
	if s.store.Ping(s.ctx) == nil { // a case may have closed it
		Check(t, s.store, tenant)
		Check(t, s.store, other)
	}
}

func newTest(t *testing.T, open Open) *test {
	clock := NewClock()
	s := &test{T: t, store: open(t, clock), clock: clock, ctx: context.Background()}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// won claims and expects to win.
func (t *test) won(r guard.ClaimRequest) guard.Effect {
	t.Helper()
	got, err := t.store.Claim(t.ctx, r)
	if err != nil || !got.Won {
		t.Fatalf("claim: won %v, relation %q, error %v; want it won", got.Won, got.Relation, err)
	}
	return got.Effect
}

// stands claims and expects an effect to stand in the way.
func (t *test) stands(r guard.ClaimRequest, relation guard.Relation, id string) guard.Effect {
	t.Helper()
	got, err := t.store.Claim(t.ctx, r)
	if err != nil || got.Won || got.Relation != relation || got.Effect.ID != id {
		t.Fatalf("claim: won %v, relation %q, effect %s, error %v; want %s and effect %s", got.Won, got.Relation, got.Effect.ID, err, relation, id)
	}
	return got.Effect
}

func (t *test) settled(s guard.Settlement) guard.Effect {
	t.Helper()
	e, err := t.store.Settle(t.ctx, s)
	if err != nil || e.State != s.State {
		t.Fatalf("settle %s: %s, %v", s.State, e.State, err)
	}
	return e
}

func (t *test) decided(d guard.Decision) guard.Effect {
	t.Helper()
	e, err := t.store.Decide(t.ctx, d)
	if err != nil || e.State != d.State {
		t.Fatalf("decide %s: %s, %v", d.By, e.State, err)
	}
	return e
}

func (t *test) noted(n guard.Note) {
	t.Helper()
	if err := t.store.Note(t.ctx, []guard.Note{n}); err != nil {
		t.Fatal(err)
	}
}

func (t *test) swept(want int) []guard.Effect {
	t.Helper()
	swept, err := t.store.Sweep(t.ctx, 100)
	if err != nil || len(swept) != want {
		t.Fatalf("sweep changed %d effects, error %v; want %d", len(swept), err, want)
	}
	return swept
}

func (t *test) get(id string) guard.Effect {
	t.Helper()
	e, err := t.store.Get(t.ctx, tenant, id)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return e
}

func (t *test) events(id string) []guard.Event {
	t.Helper()
	events, err := t.store.Events(t.ctx, tenant, id)
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	return events
}

// code expects an error with a code.
func (t *test) code(err error, want guard.ErrorCode) {
	t.Helper()
	if got := guard.CodeOf(err); got != want {
		t.Fatalf("error %v has code %q, want %q", err, got, want)
	}
}

// refused expects an error with a code that carries the effect, which must be as it was.
func (t *test) refused(err error, want guard.ErrorCode, before guard.Effect) {
	t.Helper()
	t.code(err, want)
	var e *guard.Error
	errors.As(err, &e)
	if e.Effect == nil {
		t.Fatalf("the %s error carries no effect", want)
	}
	t.same(*e.Effect, before)
	t.same(t.get(before.ID), before)
}

// same expects two effects to be equal in everything that a store records.
func (t *test) same(got, want guard.Effect) {
	t.Helper()
	if d := Difference(got, want); d != "" {
		t.Fatalf("the effect differs: %s", d)
	}
}

// in brings a new effect into a state, over the shortest way, and returns it with the request that made it.
func (t *test) in(state guard.State) (guard.Effect, guard.ClaimRequest) {
	t.Helper()
	r := NewCall(tenant)
	return t.brought(r, state), r
}

// brought makes the effect of a request and brings it into a state, over the shortest way.
func (t *test) brought(r guard.ClaimRequest, state guard.State) guard.Effect {
	t.Helper()
	switch state {
	case guard.Pending:
		return t.won(r)
	case guard.Held:
		return t.won(Parked(r))
	case guard.Refused:
		return t.won(Denied(r))
	case guard.Approved:
		return t.decided(Verdict(t.won(Parked(r)), guard.EventApproved, guard.Approved))
	}
	return t.settled(Outcome(t.won(r), state))
}
