package guard

import (
	"math/rand/v2"
	"sync"
	"time"
)

// The bounds of the outbox. What does not fit in is found by a later look at the ledger.
const (
	maxNotices         = 1000 // that wait for one endpoint
	maxDeliveries      = 16   // under way at one time
	maxEndpointWorkers = 4    // of them to one endpoint, so that a slow one leaves room for others
)

// noticeKey names one notice: the reason for which an effect is under review, and whom it is for. A review that is opened for
// another reason, or after another decision, is another one.
type noticeKey struct {
	tenant, effect string
	fence          int64
	code           Code
	endpoint       string
}

// reminder says when to look at a notice.
type reminder struct {
	due time.Time // by this process's steady clock
	// seen is how many attempts the ledger had when the reminder was made, notSeen if nobody has looked. If there are as
	// many when it is due, nobody else has made the attempt that was due.
	seen int
}

const notSeen = -1

// outbox remembers when to look at which notice. It proves nothing: all of it can be lost.
type outbox struct {
	mu      sync.Mutex
	waiting map[string]map[noticeKey]reminder // by endpoint
	sending map[string]map[noticeKey]bool     // by endpoint; true where this process opened the review meanwhile
	flying  int                               // all of sending
	ended   map[noticeKey]bool                // by the ledger
	woken   chan struct{}                     // has room for one
}

func newOutbox() *outbox {
	return &outbox{
		waiting: map[string]map[noticeKey]reminder{}, sending: map[string]map[noticeKey]bool{}, ended: map[noticeKey]bool{},
		woken: make(chan struct{}, 1),
	}
}

// opened adds a notice of a review that this process has just opened, so that it is the one to tell of it. A look can have found the
// review before, and taken it for another's.
func (o *outbox) opened(k noticeKey, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, waits := o.waiting[k.endpoint][k]
	_, flies := o.sending[k.endpoint][k]
	switch {
	case flies:
		o.sending[k.endpoint][k] = true
	case !o.ended[k] && (waits || len(o.waiting[k.endpoint]) < maxNotices):
		o.add(k, reminder{due: now})
	}
}

// found adds a notice that a look has found, unless it is known.
func (o *outbox) found(k noticeKey, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, waits := o.waiting[k.endpoint][k]
	_, flies := o.sending[k.endpoint][k]
	if !waits && !flies && !o.ended[k] && len(o.waiting[k.endpoint]) < maxNotices {
		o.add(k, reminder{due: now, seen: notSeen})
	}
}

// add sets a reminder; o.mu is held.
func (o *outbox) add(k noticeKey, r reminder) {
	if o.waiting[k.endpoint] == nil {
		o.waiting[k.endpoint] = map[noticeKey]reminder{}
	}
	o.waiting[k.endpoint][k] = r
	o.wake()
}

func (o *outbox) wake() {
	select {
	case o.woken <- struct{}{}:
	default:
	}
}

// take returns what is due, the longest due of each endpoint first, as far as there is room for deliveries; and when the next reminder
// is due for which there is room now, zero for none. Each notice that it returns must be given to done.
func (o *outbox) take(now time.Time) (due map[noticeKey]reminder, next time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	due = map[noticeKey]reminder{}
	for endpoint := range o.waiting {
		// Where there is no room, whoever ends wakes.
		for o.flying < maxDeliveries && len(o.sending[endpoint]) < maxEndpointWorkers {
			k, r, ok := earliest(o.waiting[endpoint])
			if ok && r.due.After(now) && (next.IsZero() || r.due.Before(next)) {
				next = r.due
			}
			if !ok || r.due.After(now) {
				break
			}
			due[k] = r
			o.send(k)
		}
	}
	return due, next
}

// earliest is the reminder that is due first.
func earliest(list map[noticeKey]reminder) (first noticeKey, r reminder, ok bool) {
	for k, x := range list {
		if !ok || x.due.Before(r.due) {
			first, r, ok = k, x, true
		}
	}
	return first, r, ok
}

// send moves a notice from those that wait to those under way; o.mu is held.
func (o *outbox) send(k noticeKey) {
	delete(o.waiting[k.endpoint], k)
	if len(o.waiting[k.endpoint]) == 0 {
		delete(o.waiting, k.endpoint)
	}
	if o.sending[k.endpoint] == nil {
		o.sending[k.endpoint] = map[noticeKey]bool{}
	}
	o.sending[k.endpoint][k] = false
	o.flying++
}

// sequel is what becomes of a notice after it was looked at: another reminder, nothing any more (ended), or nothing for now.
type sequel struct {
	again *reminder
	ended bool
}

// done takes a notice back.
func (o *outbox) done(k noticeKey, f sequel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	mine := o.sending[k.endpoint][k]
	delete(o.sending[k.endpoint], k)
	if len(o.sending[k.endpoint]) == 0 {
		delete(o.sending, k.endpoint)
	}
	o.flying--
	if f.ended {
		o.ended[k] = true
	}
	switch {
	case f.again != nil && f.again.seen == 0 && mine:
		o.add(k, reminder{due: time.Now()})
	case f.again != nil:
		o.add(k, *f.again)
	}
	o.wake()
}

// forget drops what is known of notices that are not open any more.
func (o *outbox) forget(open map[noticeKey]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k := range o.ended {
		if !open[k] {
			delete(o.ended, k)
		}
	}
}

// after is the reminder that follows the n-th attempt, by whoever made it.
func after(now time.Time, n int, more time.Duration) reminder {
	pause := time.Duration(0)
	if n > 0 {
		pause = noticePauses[min(n, len(noticePauses))-1]
	}
	return reminder{due: now.Add(jitter(max(pause, more))), seen: n}
}

// jitter spreads what many would do at one moment: it makes a pause longer by up to a fifth.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/5+1)
}
