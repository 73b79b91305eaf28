package storetest

import (
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var readCases = []suiteCase{
	{"Lookup returns the latest generation under a key, or nothing", func(t *test) {
		e, _ := t.in(guard.Done)
		t.clock.Move(time.Second)
		found, err := t.store.Lookup(t.ctx, e.Key)
		if err != nil || found.Effect == nil || !found.Now.Equal(t.clock.Now()) {
			t.Fatalf("lookup: %+v, %v", found, err)
		}
		t.same(*found.Effect, e)
		found, err = t.store.Lookup(t.ctx, Digest("nobody", 1))
		if err != nil || found.Effect != nil || !found.Now.Equal(t.clock.Now()) {
			t.Fatalf("lookup of nothing: %+v, %v", found, err)
		}
	}},
	{"Get returns one effect of the tenant", func(t *test) {
		e, _ := t.in(guard.Done)
		t.same(t.get(e.ID), e)
		_, err := t.store.Get(t.ctx, other, e.ID)
		t.code(err, guard.CodeNotFound)
		_, err = t.store.Events(t.ctx, other, e.ID)
		t.code(err, guard.CodeNotFound)
		_, err = t.store.Get(t.ctx, tenant, NewID())
		t.code(err, guard.CodeNotFound)
	}},
	{"List returns effects newest first, without arguments and results", func(t *test) {
		var ids []string
		for range 5 {
			e, _ := t.in(guard.Done)
			ids = append([]string{e.ID}, ids...)
			t.won(NewCall(other))
		}
		var got []string
		for before, page := "", 0; page < 4; page++ {
			effects, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, Before: before, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range effects {
				if e.Arguments != nil || e.Result != nil {
					t.Fatalf("listed with bytes: %+v", e)
				}
				full := t.get(e.ID)
				full.Arguments, full.Result = nil, nil
				t.same(e, full)
				got, before = append(got, e.ID), e.ID
			}
		}
		if !slices.Equal(got, ids) {
			t.Fatalf("listed %v, want %v", got, ids)
		}
	}},
	{"each filter selects", func(t *test) {
		r := NewCall(tenant)
		r.Effect.Subject, r.Effect.Tool, r.Effect.Run, r.Effect.Agent, r.Effect.Execute = "bob", "mail.send", "run-b", "mailer", guard.ByCaller
		r.Effect.Review = "look"
		want := t.won(r)
		for range 2 {
			t.in(guard.Done)
		}
		for name, q := range map[string]guard.Query{
			"subject": {Subject: "bob"}, "tool": {Tool: "mail.send"}, "run": {Run: "run-b"}, "agent": {Agent: "mailer"},
			"execute": {Execute: guard.ByCaller}, "review": {Review: true}, "state": {States: []guard.State{guard.Pending, guard.Held}},
			"all": {Subject: "bob", Tool: "mail.send", Run: "run-b", Agent: "mailer", Execute: guard.ByCaller, Review: true, States: []guard.State{guard.Pending}},
		} {
			q.Tenant = tenant
			got, err := t.store.List(t.ctx, q)
			if err != nil || len(got) != 1 || got[0].ID != want.ID {
				t.Errorf("filter by %s: %d effects, %v", name, len(got), err)
			}
		}
	}},
	{"a page has 1 to 500 effects and 50 by default", func(t *test) {
		for range 51 {
			t.won(Denied(NewCall(tenant)))
		}
		got, err := t.store.List(t.ctx, guard.Query{Tenant: tenant})
		if err != nil || len(got) != 50 {
			t.Fatalf("%d effects, %v", len(got), err)
		}
		for _, limit := range []int{-1, 501} {
			_, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, Limit: limit})
			t.code(err, guard.CodeInvalid)
		}
	}},
	{"Events returns all events of an effect in order", func(t *test) {
		e, r := t.in(guard.Failed)
		e = t.won(Again(r, e))
		t.settled(Outcome(e, guard.Done))
		var kinds []guard.EventKind
		for _, ev := range t.events(e.ID) {
			kinds = append(kinds, ev.Kind)
		}
		want := []guard.EventKind{guard.EventClaimed, guard.EventSettled, guard.EventClaimed, guard.EventSettled}
		if !slices.Equal(kinds, want) {
			t.Fatalf("the events are %v", kinds)
		}
	}},
	{"Unsent returns the approved effects that the guard was to send, oldest first", func(t *test) {
		var want []string
		for range 3 {
			e, _ := t.in(guard.Approved)
			want = append(want, e.ID)
			t.clock.Move(time.Second)
		}
		byCaller := Parked(NewCall(tenant))
		byCaller.Effect.Execute = guard.ByCaller
		t.decided(Verdict(t.won(byCaller), guard.EventApproved, guard.Approved))
		t.in(guard.Held)
		t.in(guard.Pending)
		t.clock.Move(time.Second)
		unsent := func(age time.Duration, limit int, want []string) {
			t.Helper()
			got, err := t.store.Unsent(t.ctx, age, limit)
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d unsent, %v; want %d", len(got), err, len(want))
			}
			for i, e := range got {
				if e.ID != want[i] {
					t.Fatalf("unsent number %d is %s, want %s", i, e.ID, want[i])
				}
				t.same(e, t.get(e.ID))
			}
		}
		unsent(0, 10, want)
		unsent(2*time.Second, 10, want)
		unsent(2*time.Second+time.Microsecond, 10, want[:2])
		unsent(0, 2, want[:2])
		unsent(time.Hour, 10, nil)
	}},
}

var storeCases = []suiteCase{
	{"event times of one effect never go back", func(t *test) {
		e, r := t.in(guard.Pending)
		t.clock.Move(-2 * time.Hour)
		failed := t.settled(Outcome(e, guard.Failed))
		t.clock.Move(-2 * time.Hour)
		again := t.won(Again(r, failed))
		if failed.Updated.Before(e.Updated) || again.Updated.Before(failed.Updated) || again.LeaseUntil.Before(again.Updated.Add(Lease)) {
			t.Fatalf("changed at %v, then %v, then %v", e.Updated, failed.Updated, again.Updated)
		}
	}},
	{"a context that has ended gives CodeUnavailable and writes nothing", func(t *test) {
		e, _ := t.in(guard.Pending)
		held, _ := t.in(guard.Held)
		t.ctx = ended()
		r := NewCall(tenant)
		_, claim := t.store.Claim(t.ctx, r)
		_, settle := t.store.Settle(t.ctx, Outcome(e, guard.Done))
		_, decide := t.store.Decide(t.ctx, Verdict(held, guard.EventApproved, guard.Approved))
		_, extend := t.store.Extend(t.ctx, e.ID, e.Fence, time.Hour)
		note := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: "a"}})
		_, sweep := t.store.Sweep(t.ctx, 1)
		_, get := t.store.Get(t.ctx, tenant, e.ID)
		_, lookup := t.store.Lookup(t.ctx, e.Key)
		_, list := t.store.List(t.ctx, guard.Query{Tenant: tenant})
		_, near := t.store.Nearby(t.ctx, tenant, Digest("near", 1), e.Key)
		_, add := t.store.AddEdition(t.ctx, guard.Edition{Pattern: "a"})
		_, editions := t.store.Editions(t.ctx, 0)
		for _, err := range []error{claim, settle, decide, extend, note, sweep, add, get, lookup, list, near, editions, t.store.Ping(t.ctx)} {
			t.code(err, guard.CodeUnavailable)
		}
		t.ctx = t.Context()
		t.book(0)
		t.same(t.get(e.ID), e)
		t.same(t.get(held.ID), held)
		_, err := t.store.Get(t.ctx, tenant, r.Effect.ID)
		t.code(err, guard.CodeNotFound)
	}},
	{"after Close all calls give CodeUnavailable", func(t *test) {
		e, _ := t.in(guard.Pending)
		if err := t.store.Close(); err != nil {
			t.Fatal(err)
		}
		_, claim := t.store.Claim(t.ctx, NewCall(tenant))
		_, settle := t.store.Settle(t.ctx, Outcome(e, guard.Done))
		_, extend := t.store.Extend(t.ctx, e.ID, e.Fence, time.Hour)
		_, sweep := t.store.Sweep(t.ctx, 1)
		_, get := t.store.Get(t.ctx, tenant, e.ID)
		_, lookup := t.store.Lookup(t.ctx, e.Key)
		_, list := t.store.List(t.ctx, guard.Query{Tenant: tenant})
		_, events := t.store.Events(t.ctx, tenant, e.ID)
		_, unsent := t.store.Unsent(t.ctx, 0, 1)
		_, near := t.store.Nearby(t.ctx, tenant, Digest("near", 1), e.Key)
		_, editions := t.store.Editions(t.ctx, 0)
		_, add := t.store.AddEdition(t.ctx, guard.Edition{Pattern: "a"})
		note := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: "a"}})
		for _, err := range []error{claim, settle, extend, sweep, get, lookup, list, events, unsent, near, editions, add, note, t.store.Ping(t.ctx)} {
			t.code(err, guard.CodeUnavailable)
		}
	}},
	{"Ping reports that a write is possible, and changes no effect", func(t *test) {
		e, _ := t.in(guard.Pending)
		if err := t.store.Ping(t.ctx); err != nil {
			t.Fatal(err)
		}
		t.same(t.get(e.ID), e)
	}},
}
