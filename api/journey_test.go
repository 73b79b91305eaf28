package api

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
	"github.com/onceguard/onceguard/policy"
)

// wholeHouse is a house with a real guard over the reference ledger, which keeps the keys too.
func wholeHouse(t *testing.T, policies string) *house {
	store := storetest.NewReference(nil)
	g, err := guard.New(guard.Config{
		Store: store, Policies: policy.Fixed(policyOf(t, policies)), Forward: noForwarder{}, Key: make([]byte, 32),
		Times: guard.Times{Settle: time.Nanosecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *Config) { c.Guard, c.Credentials = g, store })
	for token, p := range map[*string]guard.Principal{
		&h.agent: {Tenant: "acme", Subject: "bot", Role: guard.RoleAgent},
		&h.rev:   {Tenant: "acme", Subject: "rita", Role: guard.RoleReviewer},
		&h.admin: {Tenant: "other", Subject: "ada", Role: guard.RoleAdmin},
	} {
		key, c, err := NewKey(p, "test")
		if err == nil {
			err = store.AddCredential(t.Context(), c)
		}
		if err != nil {
			t.Fatal(err)
		}
		*token = key
	}
	return h
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A call that the agent runs itself, from the proposal to a replay in another spelling, with all that can be read on the way.
func TestJourneyOfACallersCall(t *testing.T) {
	h := wholeHouse(t, "version: 1\ntools:\n  - name: mail.send\n    arguments:\n      amount: {role: material, kind: number}\n")
	agent, ctx := h.client(h.agent), t.Context()
	call := client.Call{Tool: "mail.send", Arguments: json.RawMessage(`{"to":"ana@example.com","amount":1.0}`), Run: "r1", CallID: "c1"}
	a := must[client.Answer](t)(agent.Call(ctx, call))
	if a.Decision != client.Proceed || a.Lease == nil || a.Effect.State != "pending" {
		t.Fatalf("got %+v", a)
	}
	id, fence := a.Effect.ID, a.Lease.Fence
	if l := must[client.Lease](t)(agent.Heartbeat(ctx, id, fence)); l.ExpiresAt.Before(a.Lease.ExpiresAt) {
		t.Errorf("the lease became shorter: %v", l)
	}
	call.Wait = -1
	if again := must[client.Answer](t)(agent.Call(ctx, call)); again.Decision != client.Pending || again.RetryAfterMS == 0 {
		t.Errorf("an equal call under way: %+v", again)
	}
	if e := must[client.Effect](t)(agent.Outcome(ctx, id, client.Outcome{Fence: fence, Status: "done", Result: json.RawMessage(`{"message_id":12345678901234567890}`)})); e.State != "done" {
		t.Errorf("after the report: %+v", e)
	}
	call.Arguments = json.RawMessage(`{"amount":1e0,"to":"ana@example.com"}`)
	r := must[client.Answer](t)(agent.Call(ctx, call))
	if r.Decision != client.Replayed || !r.Replayed || string(r.Result) != `{"message_id":12345678901234567890}` || r.Effect.ID != id {
		t.Errorf("the replay is %+v", r)
	}
	if p := must[client.Page](t)(agent.Effects(ctx, client.Filter{Tool: "mail.send"})); len(p.Effects) != 1 || p.Effects[0].ID != id {
		t.Errorf("the list is %+v", p)
	}
	if e := must[[]client.Event](t)(agent.Events(ctx, id)); len(e) < 2 || e[0].Kind != "claimed" || e[1].To != "done" {
		t.Errorf("the history is %+v", e)
	}
	other := h.client(h.admin)
	for name, try := range map[string]func() error{
		"effect": func() error { _, err := other.Effect(ctx, id); return err },
		"events": func() error { _, err := other.Events(ctx, id); return err },
		"outcome": func() error {
			_, err := other.Outcome(ctx, id, client.Outcome{Fence: fence, Status: "done"})
			return err
		},
		"heartbeat": func() error { _, err := other.Heartbeat(ctx, id, fence); return err },
		"review":    func() error { _, err := other.Review(ctx, guard.ReviewID(id)); return err },
		"decide": func() error {
			_, err := other.Decide(ctx, guard.ReviewID(id), client.Verdict{Decision: "reject", Fence: 1})
			return err
		},
		"resolve": func() error {
			_, err := other.Resolve(ctx, id, client.Resolution{Outcome: "happened", Fence: 1})
			return err
		},
	} {
		if p, ok := errors.AsType[*client.Problem](try()); !ok || p.Code != "not_found" || p.Effect != nil {
			t.Errorf("%s of another tenant: %+v", name, p)
		}
	}
	if p := must[client.Page](t)(other.Effects(ctx, client.Filter{})); len(p.Effects) != 0 {
		t.Errorf("another tenant lists %+v", p)
	}
}

// A held call, decided by another person, and an unknown one, settled by hand.
func TestJourneyOfReviews(t *testing.T) {
	h := wholeHouse(t, "version: 1\ntools:\n  - name: pay\n    rules:\n      - {if: \"args.amount > 500.0\", then: hold, why: \"above 500\"}\n")
	agent, rita, ctx := h.client(h.agent), h.client(h.rev), t.Context()
	call := client.Call{Tool: "pay", Arguments: json.RawMessage(`{"amount": 900}`), Run: "r1", Wait: -1}
	a := must[client.Answer](t)(agent.Call(ctx, call))
	if a.Decision != client.Blocked || a.Effect.State != "held" || a.ReviewURL == "" || !a.IsError {
		t.Fatalf("got %+v", a)
	}
	q := must[client.Queue](t)(rita.Reviews(ctx, 0, ""))
	if len(q.Reviews) != 1 || q.Reviews[0].Effect != a.Effect.ID || q.Reviews[0].Reason != "above 500" {
		t.Fatalf("the queue is %+v", q)
	}
	r := q.Reviews[0]
	_, err := rita.Decide(ctx, r.ID, client.Verdict{Decision: "approve", Fence: r.Fence, Digest: "00" + r.Digest[2:], Reason: "fine"})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != 409 || p.Effect == nil {
		t.Errorf("a decision on other arguments: %v", err)
	}
	if e := must[client.Effect](t)(rita.Decide(ctx, r.ID, client.Verdict{Decision: "approve", Fence: r.Fence, Digest: r.Digest, Reason: "fine"})); e.State != "approved" {
		t.Errorf("after the approval: %+v", e)
	}
	a = must[client.Answer](t)(agent.Call(ctx, call))
	if a.Decision != client.Proceed {
		t.Fatalf("an approved call: %+v", a)
	}
	must[client.Effect](t)(agent.Outcome(ctx, a.Effect.ID, client.Outcome{Fence: a.Lease.Fence, Status: "unknown", Error: "no answer"}))
	if b := must[client.Answer](t)(agent.Call(ctx, call)); b.Decision != client.Blocked || b.Explanation.Code != "unknown" {
		t.Errorf("an equal call while unknown: %+v", b)
	}
	r = must[client.Review](t)(rita.Review(ctx, guard.ReviewID(a.Effect.ID)))
	if len(r.Choices) != 3 {
		t.Errorf("choices %v", r.Choices)
	}
	e := must[client.Effect](t)(rita.Resolve(ctx, a.Effect.ID, client.Resolution{Outcome: "happened", Fence: r.Fence, Reason: "seen", Result: json.RawMessage(`{"id":7}`)}))
	if e.State != "done" {
		t.Errorf("after the resolution: %+v", e)
	}
	if b := must[client.Answer](t)(agent.Call(ctx, call)); b.Decision != client.Replayed || string(b.Result) != `{"id":7}` {
		t.Errorf("an equal call after it: %+v", b)
	}
	must[client.Policies](t)(rita.Policies(ctx))
	f := must[client.Fingerprint](t)(agent.Fingerprint(ctx, client.Question{Tool: "pay", Arguments: json.RawMessage(`{"amount":900}`), Run: "r1",
		Other: &client.Other{Arguments: json.RawMessage(`{"amount":900.00}`)}}))
	if f.Comparison == nil || !f.Comparison.Same || f.Recorded == nil || f.Recorded.ID != e.ID {
		t.Errorf("the fingerprint is %+v", f)
	}
}

// Of many equal calls at once one may run, and each answer is a decision.
func TestEqualCallsAtOnce(t *testing.T) {
	h := wholeHouse(t, "version: 1\n")
	c := client.New(h.srv.URL, h.agent, nil)
	var proceed, pending int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			a, err := c.Call(t.Context(), client.Call{Tool: "x", Arguments: json.RawMessage(`{"a":1}`), Wait: -1})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case a.Decision == client.Proceed:
				proceed++
			case a.Decision == client.Pending:
				pending++
			}
		})
	}
	all.Wait()
	if proceed != 1 || pending != 31 {
		t.Errorf("%d may run, %d wait", proceed, pending)
	}
}
