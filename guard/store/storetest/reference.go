package storetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Reference is a guard.Store and guard.Credentials in memory: a mutex, a list of effects in the order of their creation, and
// their events. It looks everything up by going through the list, and is as durable as the process. It is made to be read as
// the specification and to stand in for a ledger in tests.
type Reference struct {
	mu          sync.Mutex
	clock       func() time.Time
	last        time.Time
	effects     []*guard.Effect
	events      map[string][]guard.Event // by the effect's id
	book        []guard.Entry
	uses        []use
	tallies     []guard.Tally
	credentials []guard.Credential
	closed      bool
}

var (
	_ guard.Store       = (*Reference)(nil)
	_ guard.Credentials = (*Reference)(nil)
)

// NewReference returns an empty ledger with a clock, which is time.Now for nil.
func NewReference(now func() time.Time) *Reference {
	if now == nil {
		now = time.Now
	}
	return &Reference{clock: now, events: map[string][]guard.Event{}}
}

// admit begins each method: it takes the mutex and refuses what comes too late.
func (s *Reference) admit(ctx context.Context) error {
	s.mu.Lock()
	switch {
	case s.closed:
		return refusal(guard.CodeUnavailable, "the ledger is closed", nil)
	case ctx.Err() != nil:
		return &guard.Error{Code: guard.CodeUnavailable, Message: "the caller has left", Err: ctx.Err()}
	}
	return nil
}

// now returns the time in whole microseconds, and never an earlier one than before.
func (s *Reference) now() time.Time {
	if now := s.clock().UTC().Truncate(time.Microsecond); now.After(s.last) {
		s.last = now
	}
	return s.last
}

// at returns the time for a change to an effect, which is never before its last one.
func (s *Reference) at(e *guard.Effect) time.Time {
	if now := s.now(); now.After(e.Updated) {
		return now
	}
	return e.Updated
}

func (s *Reference) find(match func(*guard.Effect) bool) *guard.Effect {
	for _, e := range slices.Backward(s.effects) {
		if match(e) {
			return e
		}
	}
	return nil
}

func (s *Reference) byID(id string) *guard.Effect {
	return s.find(func(e *guard.Effect) bool { return e.ID == id })
}

// append records an event and the state to which it took the effect, and so ends each change.
func (s *Reference) append(e *guard.Effect, from guard.State, ev guard.Event) {
	e.Updated = s.at(e)
	if ev.Kind.Raises() {
		e.Fence++
	}
	if ev.Kind != guard.EventNoted {
		e.Since = e.Updated
	}
	ev.Effect, ev.Seq, ev.At, ev.From, ev.To, ev.Fence = e.ID, e.Events+1, e.Updated, from, e.State, e.Fence
	ev.Arguments, ev.Result = slices.Clone(ev.Arguments), cloneResult(ev.Result)
	ev.Hash = ev.Seal(e.Head)
	e.Events, e.Head = ev.Seq, ev.Hash
	s.events[e.ID] = append(s.events[e.ID], ev)
}

// until ends what the effect waited for and starts what its state waits for now, d from now.
func (s *Reference) until(e *guard.Effect, d time.Duration) {
	end := s.at(e).Add(d.Truncate(time.Microsecond))
	e.LeaseUntil, e.ExpiresAt, e.WindowUntil = time.Time{}, time.Time{}, time.Time{}
	switch e.State {
	case guard.Pending:
		e.LeaseUntil = end
	case guard.Held, guard.Approved:
		e.ExpiresAt = end
	case guard.Done, guard.Failed:
		e.WindowUntil = end
	}
}

// over tells whether a moment has come.
func (s *Reference) over(e *guard.Effect, moment time.Time) bool { return !s.at(e).Before(moment) }

func clone(e *guard.Effect) guard.Effect {
	c := *e
	c.Arguments, c.Result = slices.Clone(e.Arguments), cloneResult(e.Result)
	return c
}

func cloneResult(r *guard.Result) *guard.Result {
	if r == nil {
		return nil
	}
	c := *r
	c.Body = slices.Clone(r.Body)
	return &c
}

func refusal(code guard.ErrorCode, message string, e *guard.Effect) error {
	err := &guard.Error{Code: code, Message: message}
	if e != nil {
		c := clone(e)
		err.Effect = &c
	}
	return err
}

// Lookup implements guard.Store.
func (s *Reference) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Found{}, err
	}
	e := s.find(func(e *guard.Effect) bool { return e.Key == key })
	if e == nil {
		return guard.Found{Now: s.now()}, nil
	}
	c := clone(e)
	return guard.Found{Effect: &c, Now: s.at(e), Superseded: s.superseded(e)}, nil
}

// Get implements guard.Store.
func (s *Reference) Get(ctx context.Context, tenant, id string) (guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return guard.Effect{}, err
	}
	e := s.byID(id)
	if e == nil || e.Tenant != tenant {
		return guard.Effect{}, refusal(guard.CodeNotFound, "there is no such effect", nil)
	}
	return clone(e), nil
}

// List implements guard.Store.
func (s *Reference) List(ctx context.Context, q guard.Query) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	older := q.Before == ""
	if e := s.byID(q.Before); !older && (e == nil || e.Tenant != q.Tenant) {
		return nil, refusal(guard.CodeNotFound, "there is no such effect", nil)
	}
	var page []guard.Effect
	for _, e := range slices.Backward(s.effects) {
		if older && matches(e, &q) && len(page) < q.Limit {
			page = append(page, bare(e))
		}
		older = older || e.ID == q.Before
	}
	return page, nil
}

func matches(e *guard.Effect, q *guard.Query) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return e.Tenant == q.Tenant && is(q.Subject, e.Subject) && is(q.Tool, e.Tool) && is(q.Run, e.Run) && is(q.Agent, e.Agent) &&
		is(string(q.Execute), string(e.Execute)) && (len(q.States) == 0 || slices.Contains(q.States, e.State)) &&
		(!q.Review || e.Review != "") && strings.Contains(lower(e.About), lower(q.Text)) &&
		!e.Created.Before(q.From) && (q.Until.IsZero() || e.Created.Before(q.Until))
}

// lower turns the capital letters of ASCII into small ones, and leaves all other bytes.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// bare copies an effect without its bytes.
func bare(e *guard.Effect) guard.Effect {
	c := *e
	c.Arguments, c.Result = nil, nil
	return c
}

// Walk implements guard.Store.
func (s *Reference) Walk(ctx context.Context, after string, limit int) ([]guard.Effect, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	first := 0
	if after != "" {
		first = 1 + slices.IndexFunc(s.effects, func(e *guard.Effect) bool { return e.ID == after })
		if first == 0 {
			return nil, refusal(guard.CodeNotFound, "there is no such effect", nil)
		}
	}
	var found []guard.Effect
	for _, e := range s.effects[first:min(len(s.effects), first+max(limit, 0))] {
		found = append(found, bare(e))
	}
	return found, nil
}

// Events implements guard.Store.
func (s *Reference) Events(ctx context.Context, tenant, id string) ([]guard.Event, error) {
	defer s.mu.Unlock()
	if err := s.admit(ctx); err != nil {
		return nil, err
	}
	e := s.byID(id)
	if e == nil || e.Tenant != tenant {
		return nil, refusal(guard.CodeNotFound, "there is no such effect", nil)
	}
	events := slices.Clone(s.events[id])
	for i := range events {
		events[i].Arguments, events[i].Result = slices.Clone(events[i].Arguments), cloneResult(events[i].Result)
	}
	return events, nil
}

// Ping implements guard.Store.
func (s *Reference) Ping(ctx context.Context) error {
	defer s.mu.Unlock()
	return s.admit(ctx)
}

// Close implements guard.Store.
func (s *Reference) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
