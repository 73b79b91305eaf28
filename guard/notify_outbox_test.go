package guard

import (
	"testing"
	"time"
)

// Whoever opened a review is the one to tell of it at once, also where its own look found the review a moment before.
func TestTheOpenerTellsAtOnceWhateverALookHasFound(t *testing.T) {
	k, now := noticeKey{effect: "ef_1", endpoint: "ops"}, time.Now()
	first := func(o *outbox) reminder {
		t.Helper()
		due, _ := o.take(time.Now())
		if len(due) != 1 {
			t.Fatalf("%d notices are due, want 1", len(due))
		}
		return due[k]
	}

	o := newOutbox()
	o.found(k, now)
	o.opened(k, now)
	if r := first(o); r.seen != 0 {
		t.Errorf("found before, while it waited: %+v", r)
	}

	o = newOutbox()
	o.found(k, now)
	if r := first(o); r.seen != notSeen {
		t.Fatalf("%+v", r)
	}
	o.opened(k, now)
	o.done(k, sequel{again: &reminder{due: now.Add(time.Hour)}})
	if r := first(o); r.seen != 0 {
		t.Errorf("found before, while it was looked at: %+v", r)
	}

	o.done(k, sequel{ended: true})
	o.opened(k, now)
	o.found(k, now)
	if due, next := o.take(now); len(due) != 0 || !next.IsZero() {
		t.Errorf("what has ended is due again: %v, %s", due, next)
	}
	o.forget(map[noticeKey]bool{})
	if len(o.ended)+len(o.waiting)+len(o.sending)+o.flying != 0 {
		t.Errorf("something is left: %+v", o)
	}
}

func TestTheOutboxIsBounded(t *testing.T) {
	o, now := newOutbox(), time.Now()
	for i := range maxNotices + 10 {
		o.found(noticeKey{fence: int64(i), endpoint: "dead"}, now)
	}
	o.opened(noticeKey{endpoint: "other"}, now)
	if len(o.waiting["dead"]) != maxNotices || len(o.waiting["other"]) != 1 {
		t.Errorf("%d and %d wait", len(o.waiting["dead"]), len(o.waiting["other"]))
	}
	if due, _ := o.take(now); len(due) != maxEndpointWorkers+1 {
		t.Errorf("%d under way, want %d", len(due), maxEndpointWorkers+1)
	}
	for i := range 10 {
		o.opened(noticeKey{endpoint: string(rune('a' + i))}, now)
	}
	if o.take(now); o.flying > maxDeliveries {
		t.Errorf("%d under way, want at most %d", o.flying, maxDeliveries)
	}
}
