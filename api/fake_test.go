package api

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// fake is a guard that answers as it was told and remembers what it was asked.
type fake struct {
	answer  guard.Answer
	effect  guard.Effect
	list    []guard.Effect
	history []guard.Event
	lease   guard.Lease
	shown   guard.Explained
	err     error
	ready   error
	before  func(context.Context) // runs inside Do
	changed []string              // what Changes tells
	stay    bool                  // Changes goes on after that
	counted []guard.Tally

	mu        sync.Mutex
	calls     []guard.Call
	by        []guard.Principal
	reports   []guard.Report
	judged    []guard.Judgement
	queries   []guard.Query
	otherCall *guard.Call
	span      [2]time.Time // asked of Tallies
	switches  []guard.Switched
	edits     []guard.PolicyEdit
}

func (f *fake) Do(ctx context.Context, p guard.Principal, c guard.Call) (guard.Answer, error) {
	if f.before != nil {
		f.before(ctx)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.by = append(f.calls, c), append(f.by, p)
	a := f.answer
	if a.Explanation.Code == "" {
		a.Explanation.Code = guard.Code(a.Kind)
	}
	return a, f.err
}

func (f *fake) asked() []guard.Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *fake) Report(_ context.Context, _ guard.Principal, r guard.Report) (guard.Effect, error) {
	f.reports = append(f.reports, r)
	return f.effect, f.err
}

func (f *fake) Heartbeat(context.Context, guard.Principal, string, int64) (guard.Lease, error) {
	return f.lease, f.err
}

func (f *fake) Decide(_ context.Context, _ guard.Principal, j guard.Judgement) (guard.Effect, error) {
	f.judged = append(f.judged, j)
	return f.effect, f.err
}

func (f *fake) Effect(context.Context, guard.Principal, string) (guard.Effect, error) {
	return f.effect, f.err
}

func (f *fake) Effects(_ context.Context, _ guard.Principal, q guard.Query) ([]guard.Effect, error) {
	f.queries = append(f.queries, q)
	return f.list[:min(len(f.list), q.Limit)], f.err
}

func (f *fake) Events(context.Context, guard.Principal, string) ([]guard.Event, error) {
	return f.history, f.err
}

func (f *fake) Fingerprint(_ context.Context, _ guard.Principal, c guard.Call, o *guard.Call) (guard.Explained, error) {
	for _, given := range []*guard.Call{&c, o} {
		if given != nil && !bytes.ContainsAny(given.Arguments[:1], `{"`) {
			return guard.Explained{}, &guard.Error{Code: guard.CodeInvalid, Field: "/arguments", Message: "must be a JSON object"}
		}
	}
	f.calls, f.otherCall = append(f.calls, c), o
	return f.shown, f.err
}

func (f *fake) Changes(ctx context.Context, _ guard.Principal) (<-chan string, error) {
	ids := make(chan string)
	go func() {
		defer close(ids)
		for _, id := range f.changed {
			select {
			case ids <- id:
			case <-ctx.Done():
				return
			}
		}
		if f.stay {
			<-ctx.Done()
		}
	}()
	return ids, f.err
}

func (f *fake) Tallies(_ context.Context, _ guard.Principal, from, until time.Time) ([]guard.Tally, error) {
	f.span = [2]time.Time{from, until}
	return f.counted, f.err
}

func (f *fake) Switch(_ context.Context, p guard.Principal, s guard.Switch) (guard.Switched, error) {
	f.switches = append(f.switches, guard.Switched{Switch: s, By: p.Subject, At: born})
	return f.switches[len(f.switches)-1], f.err
}

func (f *fake) Endorsements(context.Context, guard.Principal, string) ([]guard.Endorsement, int, error) {
	return nil, 1, nil
}

func (f *fake) Switches(context.Context, guard.Principal) ([]guard.Switched, error) {
	return f.switches, f.err
}

func (f *fake) EditPolicy(_ context.Context, p guard.Principal, e guard.PolicyEdit) (guard.PolicyVersion, error) {
	f.edits = append(f.edits, e)
	return guard.PolicyVersion{Number: 12, Tool: e.Tool, Text: e.Text, Author: p.Subject, Reason: e.Reason, At: born, Onto: e.Onto, InForce: true, Digest: "d@12"}, f.err
}

func (f *fake) PolicyVersions(_ context.Context, _ guard.Principal, tool string) ([]guard.PolicyVersion, error) {
	return []guard.PolicyVersion{{Number: 12, Tool: tool, At: born, Onto: 7, Diff: "--- a\n"}}, f.err
}

func (f *fake) Ready(context.Context) error { return f.ready }

// keyring is credentials in memory that counts looks.
type keyring struct {
	mu    sync.Mutex
	keys  map[[32]byte]guard.Credential
	looks int
	err   error
}

func newKeyring() *keyring { return &keyring{keys: map[[32]byte]guard.Credential{}} }

// add makes a key and returns its token.
func (k *keyring) add(p guard.Principal) (token string, hash [32]byte) {
	token, c, err := NewKey(p, "test")
	if err != nil {
		panic(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[c.Hash] = c
	return token, c.Hash
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

// fakeReplay is a fake that remembers nothing, for benchmarks.
type fakeReplay struct {
	fake
	answer guard.Answer
}

func (f *fakeReplay) Do(context.Context, guard.Principal, guard.Call) (guard.Answer, error) {
	return f.answer, nil
}
