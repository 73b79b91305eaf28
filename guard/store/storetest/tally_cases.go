package storetest

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var tallyCases = []suiteCase{
	{"AddTallies adds in the bucket of now", func(t *test) {
		bucket := t.toBucket()
		t.tallied(tally("pay", "done", 2), tally("mail", "done", 1), tally("pay", "done", 3))
		t.clock.Move(guard.TallyBucket - time.Microsecond)
		t.tallied(tally("pay", "done", 1), tally("pay", "failed", 7))
		t.tallies(bucket, bucket.Add(1), at(bucket, tally("mail", "done", 1)), at(bucket, tally("pay", "done", 6)), at(bucket, tally("pay", "failed", 7)))
		t.clock.Move(time.Microsecond)
		t.tallied(tally("pay", "done", 1))
		next := bucket.Add(guard.TallyBucket)
		t.tallies(next, next.Add(1), at(next, tally("pay", "done", 1)))
	}},
	{"Tallies returns the tenant's whose buckets begin in the span, oldest first, then by tool, kind and code", func(t *test) {
		first := t.toBucket()
		theirs := tally("pay", "done", 1)
		theirs.Tenant = other
		blocked := tally("pay", "held", 1)
		blocked.Kind = "blocked"
		var all []guard.Tally
		for i := range 3 {
			t.tallied(tally("pay", "done", 1), blocked, theirs, tally("mail", "done", 1), tally("pay", "", 1))
			for _, want := range []guard.Tally{tally("mail", "done", 1), blocked, tally("pay", "", 1), tally("pay", "done", 1)} {
				all = append(all, at(first.Add(time.Duration(i)*guard.TallyBucket), want))
			}
			t.clock.Move(guard.TallyBucket)
		}
		t.tallies(first, first.Add(time.Hour), all...)
		t.tallies(first.Add(guard.TallyBucket), first.Add(2*guard.TallyBucket), all[4:8]...)
		t.tallies(first.Add(1), first.Add(guard.TallyBucket))
		t.tallies(first.Add(time.Hour), first)
	}},
	{"many at once lose nothing", func(t *test) {
		bucket := t.toBucket()
		var failed atomic.Int64
		race(32, func(i int) {
			if t.store.AddTallies(t.ctx, []guard.Tally{tally("pay", "done", 1), tally("mail", "done", int64(i))}) != nil {
				failed.Add(1)
			}
		})
		if failed.Load() > 0 {
			t.Fatalf("%d failed", failed.Load())
		}
		t.tallies(bucket, bucket.Add(1), at(bucket, tally("mail", "done", 31*32/2)), at(bucket, tally("pay", "done", 32)))
	}},
	{"no tallies are no write, and one without a tenant or below zero is refused with all others", func(t *test) {
		bucket := t.toBucket()
		t.tallied()
		nobody := tally("pay", "done", 1)
		nobody.Tenant = ""
		for _, wrong := range []guard.Tally{nobody, tally("pay", "done", -1)} {
			t.code(t.store.AddTallies(t.ctx, []guard.Tally{tally("pay", "done", 1), wrong}), guard.CodeInvalid)
		}
		t.tallies(bucket, bucket.Add(time.Hour))
	}},
	{"Prune removes tallies whose bucket began Rows ago or earlier", func(t *test) {
		bucket := t.toBucket()
		t.tallied(tally("pay", "done", 1))
		t.clock.Move(time.Hour - time.Microsecond)
		t.prunes(guard.Retention{Rows: time.Hour}, 0, 0)
		t.tallies(bucket, bucket.Add(1), at(bucket, tally("pay", "done", 1)))
		t.clock.Move(time.Microsecond)
		t.prunes(guard.Retention{Bodies: 1}, 0, 0)
		t.tallies(bucket, bucket.Add(1), at(bucket, tally("pay", "done", 1)))
		t.prunes(guard.Retention{Rows: time.Hour}, 0, 0)
		t.tallies(bucket, bucket.Add(1))
	}},
}

func tally(tool string, code guard.Code, count int64) guard.Tally {
	return guard.Tally{Tenant: tenant, Tool: tool, Kind: "outcome", Code: code, Count: count}
}

func at(start time.Time, t guard.Tally) guard.Tally {
	t.Start = start
	return t
}

// toBucket moves the clock to the beginning of the next bucket.
func (t *test) toBucket() time.Time {
	now := t.clock.Now()
	next := now.Truncate(guard.TallyBucket).Add(guard.TallyBucket)
	t.clock.Move(next.Sub(now))
	return next
}

func (t *test) tallied(add ...guard.Tally) {
	t.Helper()
	if err := t.store.AddTallies(t.ctx, add); err != nil {
		t.Fatal(err)
	}
}

// tallies expects the tenant's tallies of a span.
func (t *test) tallies(from, until time.Time, want ...guard.Tally) {
	t.Helper()
	got, err := t.store.Tallies(t.ctx, tenant, from, until)
	if err != nil || !slices.EqualFunc(got, want, sameTally) {
		t.Fatalf("the tallies are %+v, %v; want %+v", got, err, want)
	}
}

func sameTally(a, b guard.Tally) bool {
	same := a.Start.Equal(b.Start)
	a.Start, b.Start = time.Time{}, time.Time{}
	return same && a == b
}
