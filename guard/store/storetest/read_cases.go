package storetest

import (
	"slices"
	"strings"
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
	{"Text selects by a part of About, whatever the case of ASCII letters", func(t *test) {
		of := map[string]string{}
		for _, about := range []string{"", "Order A-1", "order a-12, Zürich", "100%_[A]*\\"} {
			r := NewCall(tenant)
			r.Effect.About = about
			of[t.won(r).ID] = about
		}
		for text, want := range map[string]int{
			"order": 2, "ORDER A-1": 2, "a-12": 1, "zürich": 1, "ZÜRICH": 0, "%": 1, "_[a]*\\": 1, "r_a": 0, "": 4, "\x00": 0,
			strings.Repeat("a", guard.MaxAbout): 0,
		} {
			got, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, Text: text})
			if err != nil || len(got) != want {
				t.Errorf("%d effects have %q, %v; want %d", len(got), text, err, want)
			}
			for _, e := range got {
				if e.About != of[e.ID] {
					t.Errorf("an effect about %q was listed as about %q", of[e.ID], e.About)
				}
			}
		}
		_, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, Text: strings.Repeat("a", guard.MaxAbout+1)})
		t.code(err, guard.CodeInvalid)
	}},
	{"From and Until select by the time of creation", func(t *test) {
		var made []guard.Effect
		for range 4 {
			made = append(made, t.won(NewCall(tenant)))
			t.clock.Move(time.Second)
		}
		t.settled(Outcome(made[0], guard.Done)) // changed later, made no later
		list := func(from, until time.Time, want ...guard.Effect) {
			t.Helper()
			got, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, From: from, Until: until})
			if err != nil || len(got) != len(want) {
				t.Fatalf("%d effects from %v until %v, %v; want %d", len(got), from, until, err, len(want))
			}
			for i := range got {
				if got[i].ID != want[i].ID {
					t.Fatalf("number %d is %s; want %s", i+1, got[i].ID, want[i].ID)
				}
			}
		}
		never := time.Time{}
		list(made[2].Created, never, made[3], made[2])
		list(never, made[2].Created, made[1], made[0])
		list(made[1].Created, made[3].Created, made[2], made[1])
		list(made[1].Created.Add(1), made[2].Created.Add(1), made[2])
		list(made[3].Created, made[1].Created)
		page, err := t.store.List(t.ctx, guard.Query{Tenant: tenant, From: made[1].Created, Before: made[3].ID, Limit: 1})
		if err != nil || len(page) != 1 || page[0].ID != made[2].ID {
			t.Fatalf("the next page is %+v, %v", page, err)
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

var walkCases = []suiteCase{
	{"Walk returns the effects of all tenants, oldest first, without arguments and results", func(t *test) {
		var want []guard.Effect
		for i := range 7 {
			of := []string{tenant, other}[i%2]
			want = append(want, t.settled(Outcome(t.won(NewCall(of)), guard.Done)))
		}
		var got []guard.Effect
		for after := ""; ; after = got[len(got)-1].ID {
			page, err := t.store.Walk(t.ctx, after, 3)
			if err != nil || len(page) > 3 {
				t.Fatalf("%d effects, %v", len(page), err)
			}
			if got = append(got, page...); len(page) < 3 {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("met %d effects, want %d", len(got), len(want))
		}
		for i := range got {
			want[i].Arguments, want[i].Result = nil, nil
			t.same(got[i], want[i])
		}
	}},
	{"an effect that nobody knows is CodeNotFound, and a limit below 1 finds nothing", func(t *test) {
		t.in(guard.Done)
		_, err := t.store.Walk(t.ctx, NewID(), 1)
		t.code(err, guard.CodeNotFound)
		for _, limit := range []int{0, -1} {
			if got, err := t.store.Walk(t.ctx, "", limit); err != nil || len(got) != 0 {
				t.Fatalf("%d effects, %v", len(got), err)
			}
		}
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
		_, rivals := t.store.Rivals(t.ctx, tenant, guard.NearEffect, Digest("near", 1), e.Key)
		_, enter := t.store.Enter(t.ctx, edition("a", ""))
		_, book := t.store.Book(t.ctx, 0)
		_, walk := t.store.Walk(t.ctx, "", 1)
		_, prune := t.store.Prune(t.ctx, guard.Retention{Rows: 1}, 1)
		_, tallies := t.store.Tallies(t.ctx, tenant, time.Time{}, t.clock.Now())
		add := t.store.AddTallies(t.ctx, []guard.Tally{tally("pay", "done", 1)})
		for _, err := range []error{
			claim, settle, decide, extend, note, sweep, enter, prune, add, get, lookup, list, rivals, book, walk, tallies, t.store.Ping(t.ctx),
		} {
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
		_, rivals := t.store.Rivals(t.ctx, tenant, guard.NearEffect, Digest("near", 1), e.Key)
		_, book := t.store.Book(t.ctx, 0)
		_, enter := t.store.Enter(t.ctx, edition("a", ""))
		_, walk := t.store.Walk(t.ctx, "", 1)
		_, prune := t.store.Prune(t.ctx, guard.Retention{Rows: 1}, 1)
		_, tallies := t.store.Tallies(t.ctx, tenant, time.Time{}, t.clock.Now())
		add := t.store.AddTallies(t.ctx, []guard.Tally{tally("pay", "done", 1)})
		note := t.store.Note(t.ctx, []guard.Note{{Tenant: tenant, ID: e.ID, Code: "a"}})
		for _, err := range []error{
			claim, settle, extend, sweep, get, lookup, list, events, unsent, rivals, book, enter, walk, prune, tallies, add, note, t.store.Ping(t.ctx),
		} {
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
