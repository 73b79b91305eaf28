package web

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// fake is a guard with effects in memory, which remembers what was decided.
type fake struct {
	mu       sync.Mutex
	effects  []guard.Effect // newest first
	events   map[string][]guard.Event
	shown    guard.Explained
	err      error // of every read
	decide   func(guard.Judgement) (guard.Effect, error)
	judged   []guard.Judgement
	tallies  []guard.Tally
	stops    []guard.Switched
	by       []guard.Principal
	changes  chan string
	previews []guard.Preview
	// who has approved, of how many
	agreed    []guard.Endorsement
	people    int
	versions  []guard.PolicyVersion // of every policy
	edits     []guard.PolicyEdit
	refusal   error                 // of edits
	files     *policy.Set           // the policies beside a draft
	under     []*policy.Set         // by which calls were judged
	overtaken []guard.PolicyVersion // that are there once an edit was refused
}

func newFake(effects ...guard.Effect) *fake {
	return &fake{effects: effects, events: map[string][]guard.Event{}, changes: make(chan string)}
}

func (f *fake) Effect(_ context.Context, p guard.Principal, id string) (guard.Effect, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return guard.Effect{}, f.err
	}
	for _, e := range f.effects {
		if e.ID == id && e.Tenant == p.Tenant {
			return e, nil
		}
	}
	return guard.Effect{}, &guard.Error{Code: guard.CodeNotFound, Message: "no such effect"}
}

func (f *fake) Effects(_ context.Context, p guard.Principal, q guard.Query) ([]guard.Effect, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	var list []guard.Effect
	for _, e := range f.effects {
		if e.Tenant != p.Tenant || q.Review && e.Review == "" || q.Before != "" && e.ID >= q.Before || len(list) == q.Limit {
			continue
		}
		if len(q.States) > 0 && !slices.Contains(q.States, e.State) || q.Tool != "" && q.Tool != e.Tool {
			continue
		}
		if !strings.Contains(e.About, q.Text) || q.Agent != "" && q.Agent != e.Agent || q.Run != "" && q.Run != e.Run || e.Created.Before(q.From) {
			continue
		}
		if !q.Until.IsZero() && !e.Created.Before(q.Until) {
			continue
		}
		e.Arguments, e.Result = nil, nil // as the stores do
		list = append(list, e)
	}
	return list, nil
}

func (f *fake) Events(_ context.Context, p guard.Principal, id string) ([]guard.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events[id], f.err
}

func (f *fake) Fingerprint(context.Context, guard.Principal, guard.Call, *guard.Call) (guard.Explained, error) {
	return f.shown, f.err
}

func (f *fake) FingerprintUnder(_ context.Context, _ guard.Principal, set *policy.Set, _ guard.Call, _ *guard.Call) (guard.Explained, error) {
	f.under = append(f.under, set)
	return f.shown, f.err
}

func (f *fake) Decide(_ context.Context, p guard.Principal, j guard.Judgement) (guard.Effect, error) {
	f.mu.Lock()
	f.judged, f.by = append(f.judged, j), append(f.by, p)
	decide := f.decide
	f.mu.Unlock()
	if decide != nil {
		return decide(j)
	}
	return guard.Effect{ID: j.Effect}, nil
}

func (f *fake) Changes(ctx context.Context, _ guard.Principal) (<-chan string, error) {
	out := make(chan string)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-f.changes:
				select {
				case out <- id:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

func (f *fake) Preview(_ context.Context, _ guard.Principal, id string) ([]guard.Preview, error) {
	return f.previews, f.err
}

func (f *fake) Tallies(_ context.Context, _ guard.Principal, from, until time.Time) ([]guard.Tally, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.tallies), func(t guard.Tally) bool { return t.Start.Before(from) || !t.Start.Before(until) }), f.err
}

func (f *fake) Endorsements(context.Context, guard.Principal, string) ([]guard.Endorsement, int, error) {
	return f.agreed, max(1, f.people), nil
}

func (f *fake) Switches(context.Context, guard.Principal) ([]guard.Switched, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.stops), f.err
}

func (f *fake) Switch(_ context.Context, p guard.Principal, s guard.Switch) (guard.Switched, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := guard.Switched{Switch: s, By: p.Subject, At: time.Now()}
	f.stops = append(slices.DeleteFunc(f.stops, func(old guard.Switched) bool { return old.Kind == s.Kind && old.Name == s.Name }), now)
	return now, f.err
}

func (f *fake) MayEditPolicies(p guard.Principal) bool { return p.Role == guard.RoleAdmin }

func (f *fake) PolicyChanged(tool string) (guard.PolicyChange, bool) {
	if len(f.versions) == 0 {
		return guard.PolicyChange{}, false
	}
	v := f.versions[0]
	return guard.PolicyChange{Number: v.Number, Author: v.Author, At: v.At}, true
}

func (f *fake) PolicyVersions(context.Context, guard.Principal, string) ([]guard.PolicyVersion, error) {
	return f.versions, f.err
}

func (f *fake) EditPolicy(_ context.Context, _ guard.Principal, e guard.PolicyEdit) (guard.PolicyVersion, error) {
	f.edits = append(f.edits, e)
	if f.refusal != nil {
		f.versions, f.overtaken = append(f.overtaken, f.versions...), nil
	}
	return guard.PolicyVersion{Number: 9}, f.refusal
}

func (f *fake) CheckPolicy(_ context.Context, e guard.PolicyEdit) (*policy.Set, error) {
	set, laid := f.files.Overlay([]policy.Kept{{Pattern: e.Tool, Versions: []policy.Version{{Text: []byte(e.Text)}}}})
	switch l := laid[0]; {
	case l.Files:
		return nil, &guard.Error{Code: guard.CodeConflict, Message: "a file defines this tool"}
	case l.Err != nil:
		return nil, &guard.Error{Code: guard.CodeInvalid, Field: "/text", Err: l.Err}
	}
	return set, nil
}

func (f *fake) CheckFile(_ context.Context, text string) (*policy.Set, error) {
	set, err := f.files.Draft([]byte(text))
	if err != nil {
		return nil, &guard.Error{Code: guard.CodeInvalid, Field: "/text", Err: err}
	}
	return set, nil
}

func (f *fake) Ready(context.Context) error { return nil }

// keyring is credentials in memory.
type keyring struct {
	mu    sync.Mutex
	keys  map[[32]byte]guard.Credential
	looks int
	err   error
}

func (k *keyring) revoke(hash [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.keys[hash]
	c.Revoked = time.Now()
	k.keys[hash] = c
}

func (k *keyring) FindCredential(_ context.Context, hash [32]byte) (guard.Credential, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looks++
	if k.err != nil {
		return guard.Credential{}, k.err
	}
	c, ok := k.keys[hash]
	if !ok {
		return c, &guard.Error{Code: guard.CodeNotFound}
	}
	return c, nil
}

func (k *keyring) AddCredential(context.Context, guard.Credential) error { return nil }
func (k *keyring) ListCredentials(context.Context) ([]guard.Credential, error) {
	return nil, nil
}
func (k *keyring) RevokeCredential(context.Context, string) error { return nil }

// rules are fixed policies with an optional refused reload.
type rules struct {
	set *policy.Set
	err error
}

func (r rules) Current() *policy.Set { return r.set }
func (r rules) LastError() error     { return r.err }
