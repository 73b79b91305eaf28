package storetest

import (
	"time"

	"github.com/onceguard/onceguard/guard"
)

var leaseCases = []suiteCase{
	{"Extend renews the lease to ttl from now", func(t *test) {
		e, _ := t.in(guard.Pending)
		t.clock.Move(10 * time.Second)
		end, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease)
		if want := t.clock.Now().Add(Lease); err != nil || !end.Equal(want) || !t.get(e.ID).LeaseUntil.Equal(want) {
			t.Fatalf("the lease ends at %v, error %v; want %v", end, err, want)
		}
		t.clock.Move(25 * time.Second)
		t.swept(0)
	}},
	{"it never shortens a lease", func(t *test) {
		e, _ := t.in(guard.Pending)
		end, err := t.store.Extend(t.ctx, e.ID, e.Fence, time.Second)
		if err != nil || !end.Equal(e.LeaseUntil) {
			t.Fatalf("the lease ends at %v, error %v; want %v", end, err, e.LeaseUntil)
		}
		t.same(t.get(e.ID), e)
	}},
	{"and appends no event", func(t *test) {
		e, _ := t.in(guard.Pending)
		t.clock.Move(time.Second)
		if _, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease); err != nil {
			t.Fatal(err)
		}
		if n := len(t.events(e.ID)); n != 1 {
			t.Fatalf("%d events", n)
		}
	}},
	{"a lease that has ended is not renewed, whether or not it was swept", func(t *test) {
		e, _ := t.in(guard.Pending)
		t.clock.Move(Lease)
		_, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease)
		t.refused(err, guard.CodeConflict, e)
		e = t.swept(1)[0]
		_, err = t.store.Extend(t.ctx, e.ID, e.Fence, Lease)
		t.refused(err, guard.CodeConflict, e)
	}},
	{"only the holder of the fence renews", func(t *test) {
		e, r := t.in(guard.Failed)
		e = t.won(Again(r, e))
		_, err := t.store.Extend(t.ctx, e.ID, e.Fence-1, Lease)
		t.refused(err, guard.CodeStaleFence, e)
		_, err = t.store.Extend(t.ctx, NewID(), 1, Lease)
		t.code(err, guard.CodeNotFound)
	}},
	{"a duration that is not positive is refused", func(t *test) {
		e, _ := t.in(guard.Pending)
		for _, d := range []time.Duration{0, -time.Second} {
			_, err := t.store.Extend(t.ctx, e.ID, e.Fence, d)
			t.code(err, guard.CodeInvalid)
		}
	}},
	{"a state without a lease has none to renew", func(t *test) {
		for _, state := range guard.States {
			if state == guard.Pending {
				continue
			}
			e, _ := t.in(state)
			_, err := t.store.Extend(t.ctx, e.ID, e.Fence, Lease)
			t.refused(err, guard.CodeConflict, e)
		}
	}},
}
