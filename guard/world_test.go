package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
	"github.com/onceguard/onceguard/policy"
)

// policies of the world in which these tests happen.
const policies = `
version: 1
tools:
  - name: pay.refund
    upstream: {http: {url: "http://upstream.test/refunds", timeout: 5s, reuse: 9s, idempotency_header: Idempotency-Key, network: private}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: EUR}
      reason: {role: commentary}
    rules:
      - {if: "args.order_id == 'big'", then: hold, why: "Big orders need a person."}
      - {if: "args.order_id == 'forbidden'", then: deny, why: "This order is closed."}
  - name: pay.once
    upstream: {http: {url: "http://upstream.test/once", timeout: 5s, network: private}}
    arguments: {order_id: {role: identity, kind: id}}
    on: {same_identity: hold, done: block, failed: block, pending: block}
  - name: pay.keyed
    keys: trusted
    upstream: {http: {url: "http://upstream.test/keyed", timeout: 5s, network: private}}
  - name: pay.certified
    idempotent: true
    on: {unknown: retry}
    upstream: {http: {url: "http://upstream.test/certified", timeout: 5s, idempotency_header: Idempotency-Key, network: private}}
  - name: pay.shared
    share: tenant
    scope: [run]
    on: {other_scope: replay}
    upstream: {http: {url: "http://upstream.test/shared", timeout: 5s, network: private}}
  - name: pay.parts
    upstream: {http: {url: "http://upstream.test/parts", timeout: 5s, network: private}}
    partial_when: "status == 207"
  - name: shell.run
    lease: 30s
  - name: pay.get
    kind: read
    upstream: {http: {url: "http://upstream.test/get", method: GET, timeout: 5s, network: private}}
`

var (
	alice = guard.Principal{Tenant: "acme", Subject: "alice", Role: guard.RoleAgent}
	bob   = guard.Principal{Tenant: "acme", Subject: "bob", Role: guard.RoleAgent}
	eve   = guard.Principal{Tenant: "other", Subject: "alice", Role: guard.RoleAgent}
	rita  = guard.Principal{Tenant: "acme", Subject: "rita", Role: guard.RoleReviewer}
)

// operators is the tenant whose admins write policies.
const operators = "operators"

// upstream is a scripted forwarder that counts what it executed.
type upstream struct {
	mu       sync.Mutex
	attempts []guard.Attempt
	answer   func(ctx context.Context, n int, a guard.Attempt) guard.Outcome
}

func (u *upstream) Send(ctx context.Context, a guard.Attempt) guard.Outcome {
	u.mu.Lock()
	u.attempts = append(u.attempts, a)
	n, answer := len(u.attempts), u.answer
	u.mu.Unlock()
	if answer == nil {
		answer = func(context.Context, int, guard.Attempt) guard.Outcome { return ok(n) }
	}
	return answer(ctx, n, a)
}

func (u *upstream) sent() []guard.Attempt {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.attempts
}

// script answers the n-th attempt with the n-th outcome, and later ones like ok.
func (u *upstream) script(outcomes ...guard.Outcome) {
	u.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
		if n <= len(outcomes) {
			return outcomes[n-1]
		}
		return ok(n)
	}
}

func ok(n int) guard.Outcome {
	return guard.Outcome{State: guard.Done, Code: guard.CodeUpstreamDone, Sent: true, Result: &guard.Result{
		Status: 200, ContentType: "application/json", Body: fmt.Appendf(nil, `{"execution":%d}`, n), Source: guard.FromUpstream,
	}}
}

var (
	lost    = guard.Outcome{State: guard.Unknown, Code: guard.CodeUpstreamLost, Sent: true, Detail: "The connection broke."}
	refused = guard.Outcome{State: guard.Failed, Code: guard.CodeUpstreamRefused, Sent: true, Detail: "The upstream answered 422.", Result: &guard.Result{
		Status: 422, ContentType: "application/json", Body: []byte(`{"error":"no such order"}`), IsError: true, Source: guard.FromUpstream,
	}}
)

// world is a guard with everything around it, in a bubble of virtual time.
type world struct {
	*guard.Guard
	t     *testing.T
	up    *upstream
	store *storetest.Faulty
	rules atomic.Pointer[policy.Set]
	// similarity scores wordings in the guards that open makes; nil for what the rules say.
	similarity fingerprint.Similarity
	// notifier is told of reviews by the guards that open makes; nil for nobody.
	notifier guard.Notifier
	// fail deals out faults to the store's writes; nil for none.
	fail atomic.Pointer[func(verb string) storetest.Fault]
}

// inWorld runs a story under the policies above. The sweeper runs along, and at the end the whole ledger is checked.
func inWorld(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	underPolicies(t, policies, story)
}

// underPolicies runs a story under other policies.
func underPolicies(t *testing.T, text string, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { newWorld(t, text).live(t, story) })
}

// live runs a story, and checks the ledger at its end.
func (w *world) live(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	swept := make(chan error, 1)
	go func() { swept <- w.Run(ctx) }()
	story(t, w)
	if err := w.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
	stop()
	if err := <-swept; err != nil {
		t.Errorf("run: %v", err)
	}
	storetest.Check(t, w.store, alice.Tenant)
	if err := w.store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// sent is an upstream that takes our key, as a line of a policy.
const sent = `upstream: {http: {url: "http://upstream.test/x", timeout: 5s, idempotency_header: Idempotency-Key, network: private}}`

// tool is a policy of one tool, made of lines.
func tool(name string, lines ...string) string {
	return "  - name: " + name + "\n    " + strings.Join(lines, "\n    ") + "\n"
}

// file is a policy file.
func file(tools ...string) string { return "version: 1\ntools:\n" + strings.Join(tools, "") }

// Current makes the world the guard's policies.
func (w *world) Current() *policy.Set { return w.rules.Load() }

// edit changes the policies, as a reload does.
func (w *world) edit(text string) {
	w.t.Helper()
	set, err := policy.Parse("world.yaml", []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	w.rules.Store(set)
}

func newWorld(t *testing.T, text string) *world {
	t.Helper()
	w := &world{t: t, up: &upstream{}}
	w.edit(text)
	w.store = &storetest.Faulty{Store: storetest.NewReference(time.Now), Fail: func(verb string) storetest.Fault {
		if fail := w.fail.Load(); fail != nil {
			return (*fail)(verb)
		}
		return storetest.None
	}}
	w.open()
	return w
}

// open makes the guard of the world.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.Guard, err = guard.New(guard.Config{
		Store: w.store, Policies: w, Forward: w.up, Key: []byte(strings.Repeat("k", 32)),
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Similarity: w.similarity,
		Operators: operators, Notify: w.notifier, Credentials: keysOf{alice.Tenant, eve.Tenant}, ReviewURL: "https://guard.example/review/",
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// keysOf are tenants that have keys.
type keysOf []string

func (k keysOf) ListCredentials(context.Context) ([]guard.Credential, error) {
	var list []guard.Credential
	for _, tenant := range k {
		list = append(list, guard.Credential{Principal: guard.Principal{Tenant: tenant}})
	}
	return list, nil
}

// replica is another guard on the same ledger and upstream, with policies of its own.
func (w *world) replica(text string) *world {
	w.t.Helper()
	r := &world{t: w.t, up: w.up, store: w.store, similarity: w.similarity}
	r.edit(text)
	r.open()
	return r
}

func call(tool, arguments string) guard.Call {
	return guard.Call{Tool: tool, Arguments: []byte(arguments), Run: "run-1"}
}

// refund is the call that most stories begin with.
var refund = call("pay.refund", `{"order_id":"A-1","amount":25}`)

func (w *world) do(p guard.Principal, c guard.Call) guard.Answer {
	w.t.Helper()
	a, err := w.Do(w.t.Context(), p, c)
	if err != nil {
		w.t.Fatalf("%s: %v", c.Tool, err)
	}
	return a
}

// start makes a call in the background and lets it come as far as it can.
func (w *world) start(p guard.Principal, c guard.Call) {
	go func() {
		if _, err := w.Do(w.t.Context(), p, c); err != nil {
			w.t.Errorf("%s: %v", c.Tool, err)
		}
	}()
	synctest.Wait()
}

// expect makes a call and holds its answer against kind and code.
func (w *world) expect(p guard.Principal, c guard.Call, kind guard.AnswerKind, code guard.Code) guard.Answer {
	w.t.Helper()
	a := w.do(p, c)
	if a.Kind != kind || a.Explanation.Code != code {
		w.t.Fatalf("%s %s: got %s %s (%s), want %s %s", c.Tool, c.Arguments, a.Kind, a.Explanation.Code, a.Explanation.Message, kind, code)
	}
	return a
}

func (w *world) executions(n int) {
	w.t.Helper()
	if got := len(w.up.sent()); got != n {
		w.t.Fatalf("the upstream was called %d times, want %d", got, n)
	}
}

// decide records rita's decision on an effect as it stands.
func (w *world) decide(id string, c guard.Choice) (guard.Effect, error) {
	w.t.Helper()
	e, err := w.Effect(w.t.Context(), rita, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Decide(w.t.Context(), rita, guard.Judgement{Effect: id, Choice: c, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: "looked"})
}

func (w *world) mustDecide(id string, c guard.Choice) guard.Effect {
	w.t.Helper()
	e, err := w.decide(id, c)
	if err != nil {
		w.t.Fatalf("%s: %v", c, err)
	}
	synctest.Wait()
	return e
}

func (w *world) state(id string) guard.Effect {
	w.t.Helper()
	e, err := w.Effect(w.t.Context(), rita, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func expectError(t *testing.T, err error, code guard.ErrorCode) {
	t.Helper()
	if guard.CodeOf(err) != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}

// until lets virtual time pass.
func until(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
