package guard

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// opened puts the review of an effect into the outbox, if it has one of which somebody is to be told. It is called wherever a review
// may just have been opened, and costs nothing elsewhere.
func (g *Guard) opened(e *Effect) {
	if g.notifier == nil || e.Review == "" {
		return
	}
	for _, endpoint := range g.ruleOf(e).Approvals.Notify {
		g.outbox.opened(noticeKey{e.Tenant, e.ID, e.Fence, e.Review, endpoint}, time.Now())
	}
}

// tellEndpoints delivers what is in the outbox until ctx ends, and then gives the deliveries under way a moment to end.
func (g *Guard) tellEndpoints(ctx context.Context) {
	if g.notifier == nil {
		return
	}
	var flying sync.WaitGroup
	defer flying.Wait()
	flying.Go(func() { g.lookAtReviews(ctx) })
	for ctx.Err() == nil {
		due, next := g.outbox.take(time.Now())
		for k, r := range due {
			flying.Go(func() { g.outbox.done(k, g.tell(ctx, k, r)) })
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-g.outbox.woken:
		case <-timer:
		case <-ctx.Done():
		}
	}
}

// lookAtReviews looks for what nobody was told of, from time to time until ctx ends.
func (g *Guard) lookAtReviews(ctx context.Context) {
	for ctx.Err() == nil {
		if err := g.lookForUntold(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "the open reviews could not be looked through for endpoints that are still to be told; it will be tried again", "error", err)
		}
		select {
		case <-time.After(jitter(noticeLook)):
		case <-ctx.Done():
		}
	}
}

// lookForUntold puts all open reviews into the outbox of which an endpoint is to be told and, as far as this process knows, was not.
// What other replicas have opened is among them, and what was left behind by a process that died.
func (g *Guard) lookForUntold(ctx context.Context) error {
	open := map[noticeKey]bool{}
	set := g.policies.Current()
	if len(set.Endpoints()) == 0 {
		g.outbox.forget(open)
		return nil
	}
	tenants, err := g.tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		q := Query{Tenant: tenant, Review: true, Limit: maxPage}
		for more := true; more; {
			page, err := g.store.List(ctx, q)
			if err != nil {
				return err
			}
			for i := range page {
				e := &page[i]
				for _, endpoint := range set.Match(e.Tool).Approvals.Notify {
					k := noticeKey{e.Tenant, e.ID, e.Fence, e.Review, endpoint}
					open[k] = true
					g.outbox.found(k, time.Now())
				}
				q.Before = e.ID
			}
			more = len(page) == q.Limit
		}
	}
	g.outbox.forget(open)
	return nil
}

// tenants are all who can have effects: a call comes with a credential, and credentials are kept when they are revoked.
func (g *Guard) tenants(ctx context.Context) ([]string, error) {
	keys, err := g.credentials.ListCredentials(ctx)
	if err != nil {
		return nil, err
	}
	list := []string{DevTenant}
	for i := range keys {
		list = append(list, keys[i].Principal.Tenant)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// tell makes the attempt that a reminder is about, if it is still due.
func (g *Guard) tell(ctx context.Context, k noticeKey, r reminder) sequel {
	later := sequel{again: &reminder{due: time.Now().Add(jitter(noticeLook)), seen: r.seen}}
	e, err := g.store.Get(ctx, k.tenant, k.effect)
	if CodeOf(err) == CodeNotFound || CodeOf(err) == CodeCorrupt {
		return sequel{ended: true}
	}
	if err != nil {
		return later
	}
	set := g.policies.Current()
	rule, endpoint := set.Match(e.Tool), set.Endpoint(k.endpoint)
	if e.Review != k.code || e.Fence != k.fence || endpoint == nil || !slices.Contains(rule.Approvals.Notify, k.endpoint) {
		return sequel{} // somebody decided, or the policy names the endpoint no more
	}
	events, err := g.store.Events(ctx, k.tenant, k.effect)
	if err != nil {
		return later
	}
	record := deliveriesOf(events, k)
	if record.ended {
		return sequel{ended: true}
	}
	if record.attempts != r.seen {
		next := after(time.Now(), record.attempts, 0)
		if !g.sole {
			next.due = next.due.Add(noticeGrace + rand.N(noticeGrace)) // whoever opened the review, or made the last attempt, goes first
		}
		return sequel{again: &next}
	}
	began := time.Now()
	d, cut := g.deliver(ctx, endpoint, g.notice(&k, &e, events, rule, endpoint))
	if cut {
		return sequel{} // the next start makes the attempt again
	}
	return g.delivered(ctx, k, record.attempts+1, d, time.Since(began))
}

// deliver makes one attempt. It outlives ctx by a moment; cut reports that it was ended because the process ends.
func (g *Guard) deliver(ctx context.Context, to *policy.Endpoint, n Notice) (d Delivery, cut bool) {
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeTimeout)
	defer cancel()
	farewell := make(chan *time.Timer, 1)
	stop := context.AfterFunc(ctx, func() { farewell <- time.AfterFunc(noticeFarewell, cancel) })
	d = g.notifier.Deliver(attempt, to, n)
	if !stop() {
		(<-farewell).Stop()
		return d, !d.Done
	}
	return d, false
}

// delivered writes down how the n-th attempt ended, and says what follows.
func (g *Guard) delivered(ctx context.Context, k noticeKey, n int, d Delivery, took time.Duration) sequel {
	note := k.note(n, d)
	if o, ok := g.observe.(NoticeObserver); ok {
		o.Notified(k.endpoint, note.Code, took)
	}
	recorded := g.noteDelivery(ctx, note)
	switch note.Code {
	case CodeNotified:
		return sequel{ended: true}
	case CodeNotifyFailed:
		g.log.WarnContext(ctx, "an endpoint is not told of a review any more", "endpoint", k.endpoint, "effect", k.effect, "attempts", n, "why", d.Detail)
		return sequel{ended: true}
	}
	g.log.InfoContext(ctx, "an endpoint could not be told of a review and will be tried again", "endpoint", k.endpoint, "effect", k.effect, "attempt", n, "why", d.Detail)
	next := after(time.Now(), n, min(d.After, noticeMaxAfter))
	if !recorded {
		next.seen = n - 1
	}
	return sequel{again: &next}
}

// noteDelivery tells the ledger, again and again for as long as outcomes are recorded. If it cannot be told, the endpoint may be told
// twice.
func (g *Guard) noteDelivery(ctx context.Context, n Note) bool {
	patience := time.Now().Add(g.times.Record)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
		err := g.store.Note(write, []Note{n})
		cancel()
		if err == nil || CodeOf(err) == CodeUncertain {
			g.hub.publish(n.Tenant, n.ID)
			return true
		}
		if ctx.Err() != nil || time.Now().After(patience) {
			g.log.WarnContext(ctx, "the delivery log could not be written, so an endpoint may be told twice", "effect", n.ID, "code", n.Code, "error", err)
			return false
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}
