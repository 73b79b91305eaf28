package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Lockstep makes random operations on a driver and on Reference side by side, with one clock, and compares each answer
// and at the end all effects and events. Requests are drawn from few keys, digests and effects, so that they meet.
// The flags -rapid.checks and -rapid.seed say how many sequences are tried and which.
func Lockstep(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := NewClock()
		p := &pair{T: rt, clock: clock, driver: open(t, clock), reference: NewReference(clock.Now)}
		defer p.driver.Close()
		rt.Repeat(map[string]func(*rapid.T){
			"claim":  p.claim,
			"do":     p.do,
			"again":  p.again,
			"next":   p.next,
			"extend": p.extend,
			"settle": p.settle,
			"decide": p.decide,
			"note":   p.note,
			"sweep":  p.sweep,
			"time":   p.time,
			"lookup": p.lookup,
			"rivals": p.rivals,
			"enter":  p.enter,
			"list":   p.list,
			"prune":  p.prune,
			"tally":  p.tally,
		})
		p.compareAll()
	})
}

// moves of the clock: within a lease, over it, over an expiry, over a window, and back.
var moves = []time.Duration{time.Second, Lease, Expiry, Window, -time.Minute}

// pair is two stores that are told the same.
type pair struct {
	*rapid.T
	clock     *Clock
	driver    guard.Store
	reference guard.Store
	book      int64 // highest number in the book
	ids       []string
	calls     map[string]guard.ClaimRequest // by the id of the effect they made
}

// key returns one of four keys of a tenant, of which two each are of one call in two scopes.
func (p *pair) key(tenant string, n int64) fingerprint.Digest {
	whose := 10 * int64(len(tenant))
	return ScopeKey(whose+n/2, whose+n%2)
}

// call draws a request. Its ids are drawn last, so that they differ while all else may be equal.
func (p *pair) call(rt *rapid.T) guard.ClaimRequest {
	digit := rapid.Int64Range(0, 3)
	r := NewCall(tenant)
	if rapid.IntRange(0, 9).Draw(rt, "tenant") == 0 {
		r = NewCall(other)
	}
	r.Effect.Key = p.key(r.Effect.Tenant, digit.Draw(rt, "key"))
	r.CheckScope = rapid.IntRange(0, 3).Draw(rt, "check scope") == 0
	r.Effect.About = rapid.SampledFrom([]string{"", "order A-1", "order b-2"}).Draw(rt, "about")
	if n := digit.Draw(rt, "identity"); n > 0 {
		r.Effect.Identity, r.CheckIdentity = Digest("identity", n), rapid.Bool().Draw(rt, "check identity")
	}
	if n := digit.Draw(rt, "caller key"); n > 2 {
		r.Effect.CallerKey = Digest("caller", digit.Draw(rt, "which caller key"))
	}
	if n := digit.Draw(rt, "near"); n > 0 {
		r.Effect.Near, r.CheckNear = Digest("near", n), rapid.Bool().Draw(rt, "check near")
	}
	if n := digit.Draw(rt, "resource"); n > 0 {
		r.Effect.Resource = Digest("resource", n/2)
	}
	r.Effect.Window = rapid.SampledFrom([]time.Duration{0, time.Minute, Window}).Draw(rt, "window")
	switch rapid.IntRange(0, 5).Draw(rt, "as") {
	case 0:
		return Denied(r)
	case 1, 2:
		return Parked(r)
	}
	return r
}

// seen draws an effect that exists, as the reference shows it.
func (p *pair) seen(rt *rapid.T) (guard.Effect, bool) {
	if len(p.ids) == 0 {
		return guard.Effect{}, false
	}
	id := rapid.SampledFrom(p.ids).Draw(rt, "effect")
	e, err := p.reference.Get(rt.Context(), p.calls[id].Effect.Tenant, id)
	if err != nil {
		rt.Fatal(err)
	}
	return e, true
}

// time moves the clock and lets both stores see it before and after, because one that goes back is judged by what was seen.
func (p *pair) time(rt *rapid.T) {
	p.look(rt)
	p.clock.Move(rapid.SampledFrom(moves).Draw(rt, "time"))
	p.look(rt)
}

func (p *pair) look(rt *rapid.T) {
	a, aerr := p.driver.Lookup(rt.Context(), Digest("nobody", 0))
	b, berr := p.reference.Lookup(rt.Context(), Digest("nobody", 0))
	p.equalErrors(rt, aerr, berr)
	if !a.Now.Equal(b.Now) {
		rt.Fatalf("it is %v; by the reference %v", a.Now, b.Now)
	}
}

func (p *pair) claim(rt *rapid.T) { p.request(rt, p.call(rt)) }

// do claims and settles at once, so that there are effects that are done one after the other.
func (p *pair) do(rt *rapid.T) {
	r := p.call(rt)
	p.request(rt, r)
	e, err := p.reference.Lookup(rt.Context(), r.Effect.Key)
	if err != nil {
		rt.Fatal(err)
	}
	if e.Effect != nil && e.Effect.State == guard.Pending {
		p.outcome(rt, Outcome(*e.Effect, guard.Done))
	}
	p.clock.Move(time.Second)
	p.look(rt)
}

func (p *pair) again(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		r := Again(p.calls[e.ID], e)
		if rapid.Bool().Draw(rt, "without bytes") {
			r.Effect.Arguments, r.Effect.CallID = nil, ""
		}
		r.Prior.Fence -= int64(rapid.IntRange(0, 5).Draw(rt, "stale") / 5)
		p.request(rt, r)
	}
}

func (p *pair) next(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		r := Next(p.calls[e.ID], e)
		r.Order = rapid.Bool().Draw(rt, "order")
		p.request(rt, r)
	}
}

// knowing gives a request what its caller knows: the book, other keys of the call, its rivals, or not all of it; and limits.
func (p *pair) knowing(rt *rapid.T, r *guard.ClaimRequest) {
	r.Book = max(0, p.book-int64(rapid.IntRange(0, 9).Draw(rt, "old book")/9))
	r.Aliases = nil
	for range rapid.IntRange(0, 4).Draw(rt, "aliases") - 2 {
		r.Aliases = append(r.Aliases, p.key(r.Effect.Tenant, rapid.Int64Range(0, 3).Draw(rt, "alias")))
	}
	r.Seen = nil
	for _, k := range kinds {
		rivals, err := p.reference.Rivals(rt.Context(), r.Effect.Tenant, k.relation, k.digest(*r), r.Effect.Key)
		if err != nil {
			rt.Fatal(err)
		}
		for _, e := range rivals {
			if known := rapid.IntRange(0, 5).Draw(rt, "seen"); known > 0 {
				r.Seen = append(r.Seen, guard.Prior{ID: e.ID, Fence: e.Fence - int64(known/5)})
			}
		}
	}
	r.Limits = nil
	for range rapid.IntRange(0, 3).Draw(rt, "limits") / 2 {
		limit := count(rapid.Int64Range(0, 1).Draw(rt, "limit"), rapid.Int64Range(1, 3).Draw(rt, "max"))
		limit.Period = rapid.SampledFrom([]time.Duration{time.Minute, Window}).Draw(rt, "period")
		r.Limits = append(r.Limits, limit)
	}
}

func (p *pair) request(rt *rapid.T, r guard.ClaimRequest) {
	p.knowing(rt, &r)
	a, aerr := p.driver.Claim(rt.Context(), r)
	b, berr := p.reference.Claim(rt.Context(), r)
	p.equalErrors(rt, aerr, berr)
	if a.Won != b.Won || a.Relation != b.Relation || a.Superseded != b.Superseded || a.Limit != b.Limit || a.Left != b.Left || !a.Now.Equal(b.Now) {
		rt.Fatalf("claim: %v %q %q %d %d %v; the reference: %v %q %q %d %d %v",
			a.Won, a.Relation, a.Superseded, a.Limit, a.Left, a.Now, b.Won, b.Relation, b.Superseded, b.Limit, b.Left, b.Now)
	}
	p.equal(rt, a.Effect, b.Effect)
	if b.Won && !r.Again {
		p.ids = append(p.ids, b.Effect.ID)
		if p.calls == nil {
			p.calls = map[string]guard.ClaimRequest{}
		}
		r.Prior, r.Order = nil, false
		p.calls[b.Effect.ID] = r
	}
}

func (p *pair) extend(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		ttl := rapid.SampledFrom([]time.Duration{0, time.Second, Lease, Window}).Draw(rt, "ttl")
		a, aerr := p.driver.Extend(rt.Context(), e.ID, e.Fence, ttl)
		b, berr := p.reference.Extend(rt.Context(), e.ID, e.Fence, ttl)
		p.equalErrors(rt, aerr, berr)
		if !a.Equal(b) {
			rt.Fatalf("extend: %v; the reference: %v", a, b)
		}
	}
}

func (p *pair) settle(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		s := Outcome(e, rapid.SampledFrom(outcomes).Draw(rt, "outcome"))
		s.Fence -= int64(rapid.IntRange(0, 5).Draw(rt, "stale") / 5)
		s.Review = guard.Code(rapid.SampledFrom([]string{"", "look"}).Draw(rt, "review"))
		if rapid.Bool().Draw(rt, "without claim") {
			s.Claim = ""
		}
		p.outcome(rt, s)
	}
}

func (p *pair) outcome(rt *rapid.T, s guard.Settlement) {
	a, aerr := p.driver.Settle(rt.Context(), s)
	b, berr := p.reference.Settle(rt.Context(), s)
	p.equalErrors(rt, aerr, berr)
	p.equal(rt, a, b)
}

func (p *pair) decide(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		c := rapid.SampledFrom(decisions).Draw(rt, "decision")
		d := Verdict(e, c.By, c.To)
		d.Fence -= int64(rapid.IntRange(0, 5).Draw(rt, "stale") / 5)
		if rapid.IntRange(0, 3).Draw(rt, "edited") == 0 {
			d.Arguments = []byte(`{"order_id":"A-2"}`)
		}
		a, aerr := p.driver.Decide(rt.Context(), d)
		b, berr := p.reference.Decide(rt.Context(), d)
		p.equalErrors(rt, aerr, berr)
		p.equal(rt, a, b)
	}
}

func (p *pair) note(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		n := guard.Note{Tenant: e.Tenant, ID: e.ID, Code: "repeat", Count: 1, Review: guard.Code(rapid.SampledFrom([]string{"", "doubt"}).Draw(rt, "review"))}
		notes := []guard.Note{n, {Tenant: e.Tenant, ID: "nobody"}, n}
		p.equalErrors(rt, p.driver.Note(rt.Context(), notes), p.reference.Note(rt.Context(), notes))
	}
}

func (p *pair) sweep(rt *rapid.T) {
	// A limit of all: which of two that are due at the same moment comes first is not promised.
	a, aerr := p.driver.Sweep(rt.Context(), 1000)
	b, berr := p.reference.Sweep(rt.Context(), 1000)
	p.equalErrors(rt, aerr, berr)
	byID := func(x, y guard.Effect) int { return strings.Compare(x.ID, y.ID) }
	slices.SortFunc(a, byID)
	slices.SortFunc(b, byID)
	p.equalLists(rt, a, b)
}

func (p *pair) lookup(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		p.lookupAt(rt, e.Key)
	}
}

func (p *pair) lookupAt(rt *rapid.T, key fingerprint.Digest) {
	a, aerr := p.driver.Lookup(rt.Context(), key)
	b, berr := p.reference.Lookup(rt.Context(), key)
	p.equalErrors(rt, aerr, berr)
	if !a.Now.Equal(b.Now) || a.Superseded != b.Superseded {
		rt.Fatalf("lookup at %v, superseded by %q; the reference at %v, by %q", a.Now, a.Superseded, b.Now, b.Superseded)
	}
	p.equal(rt, *a.Effect, *b.Effect)
}

func (p *pair) list(rt *rapid.T) {
	q := guard.Query{Tenant: tenant, Review: rapid.Bool().Draw(rt, "review"), Limit: rapid.IntRange(0, 3).Draw(rt, "limit")}
	if rapid.Bool().Draw(rt, "by state") {
		q.States = []guard.State{rapid.SampledFrom(guard.States).Draw(rt, "state")}
	}
	if rapid.Bool().Draw(rt, "by text") {
		q.Text = rapid.SampledFrom([]string{"ORDER", "a-1"}).Draw(rt, "text")
	}
	if rapid.Bool().Draw(rt, "by time") {
		q.From = p.clock.Now().Add(-rapid.SampledFrom(moves).Draw(rt, "from"))
	}
	if e, ok := p.seen(rt); ok && rapid.Bool().Draw(rt, "before") {
		q.Before = e.ID
	}
	a, aerr := p.driver.List(rt.Context(), q)
	b, berr := p.reference.List(rt.Context(), q)
	p.equalErrors(rt, aerr, berr)
	p.equalLists(rt, a, b)
}

// compareAll compares all that was recorded.
func (p *pair) compareAll() {
	for _, id := range p.ids {
		tenant := p.calls[id].Effect.Tenant
		a, aerr := p.driver.Get(p.Context(), tenant, id)
		b, berr := p.reference.Get(p.Context(), tenant, id)
		p.equalErrors(p.T, aerr, berr)
		p.equal(p.T, a, b)
		p.lookupAt(p.T, b.Key)
		for _, k := range kinds {
			p.rivalsOf(p.T, k, guard.ClaimRequest{Effect: b})
		}
		events, err := p.driver.Events(p.Context(), tenant, id)
		if err != nil {
			p.Fatal(err)
		}
		if faults := guard.Audit(a, events); len(faults) > 0 {
			p.Fatalf("effect %s: %s", id, strings.Join(faults, " ")) // equal heads of sound chains are equal events
		}
	}
	a, aerr := p.driver.Walk(p.Context(), "", 1000)
	b, berr := p.reference.Walk(p.Context(), "", 1000)
	p.equalErrors(p.T, aerr, berr)
	p.equalLists(p.T, a, b)
}

func (p *pair) equal(rt *rapid.T, a, b guard.Effect) {
	if d := Difference(a, asKept(p.driver, a, b)); d != "" {
		rt.Fatalf("the effect and the reference's differ: %s", d)
	}
}

func (p *pair) equalLists(rt *rapid.T, a, b []guard.Effect) {
	if len(a) != len(b) {
		rt.Fatalf("%d effects; the reference has %d", len(a), len(b))
	}
	for i := range a {
		p.equal(rt, a[i], b[i])
	}
}

func (p *pair) equalErrors(rt *rapid.T, a, b error) {
	if guard.CodeOf(a) != guard.CodeOf(b) {
		rt.Fatalf("error %v; the reference: %v", a, b)
	}
}
