package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/policy"
)

// testWorld is a guard with an empty ledger, a clock that stands still and an upstream that answers as it is told.
type testWorld struct {
	guard  *guard.Guard
	ledger *sqlite.Store
	folder string
	clock  *stagedClock
	tools  *toldUpstream
}

func newTestWorld(ctx context.Context, set *policy.Set, now time.Time) (*testWorld, error) {
	folder, err := os.MkdirTemp("", "onceguard-test-")
	if err != nil {
		return nil, err
	}
	w := &testWorld{folder: folder, clock: &stagedClock{now: now}, tools: &toldUpstream{}}
	if w.ledger, err = sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{Now: w.clock.Now, Readers: 1}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	w.guard, err = guard.New(guard.Config{
		Store: w.ledger, Policies: policy.Fixed(set), Forward: w.tools, Key: make([]byte, fingerprint.MinKey), Now: w.clock.Now,
	})
	if err != nil {
		return nil, errors.Join(err, w.close(ctx))
	}
	return w, nil
}

// close waits for sends that a decision has started, and forgets everything.
func (w *testWorld) close(ctx context.Context) error {
	var err error
	if w.guard != nil {
		err = w.guard.Drain(ctx)
	}
	return errors.Join(err, w.ledger.Close(), os.RemoveAll(w.folder))
}

// toldUpstream answers every send as it was told last.
type toldUpstream struct {
	mu   sync.Mutex
	next testOutcome
}

func (u *toldUpstream) tell(o testOutcome) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.next = o
}

// Send implements guard.Forwarder. Nothing leaves the process.
func (u *toldUpstream) Send(context.Context, guard.Attempt) guard.Outcome {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.next.sent()
}

// sent is the outcome of a send. A status means what it means to a guard that really sends.
func (o testOutcome) sent() guard.Outcome {
	out := guard.Outcome{State: guard.State(o.word), Code: guard.CodeUpstreamDone, Sent: true}
	status := o.status
	switch out.State {
	case "", guard.Done:
		out.State = guard.Done
	case guard.Failed:
		out.Code, status = guard.CodeUpstreamRefused, 422
	case guard.Unknown:
		return guard.Outcome{State: guard.Unknown, Code: guard.CodeUpstreamLost, Sent: true, Detail: "The connection broke."}
	}
	if o.status != 0 {
		out.State, out.Code = stateOf(o.status)
	}
	if status == 0 {
		status = 200
	}
	body := []byte(o.body)
	if body == nil {
		body = []byte("{}")
	}
	out.Result = &guard.Result{Status: status, ContentType: "application/json", Body: body, IsError: out.State != guard.Done, Source: guard.FromUpstream}
	return out
}

// stateOf says what a status proves, as the guard's design has it.
func stateOf(status int) (guard.State, guard.Code) {
	switch status {
	case 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429:
		return guard.Failed, guard.CodeUpstreamRefused
	}
	if status/100 == 2 {
		return guard.Done, guard.CodeUpstreamDone
	}
	return guard.Unknown, guard.CodeUpstreamStatus
}

// carryOut reports what a tool that the caller runs came to.
func (w *testWorld) carryOut(ctx context.Context, p guard.Principal, a *guard.Answer, o testOutcome) error {
	switch o.word {
	case "none":
		return nil
	case "lapse":
		w.clock.move(a.Lease.Expires.Sub(w.clock.Now()) + time.Second)
		_, err := w.ledger.Sweep(ctx, 100)
		return err
	}
	if o.status != 0 {
		return errors.New("an answer with a status comes from an upstream, and the policy of this tool names none; write a word such as done")
	}
	state := guard.State(o.word)
	if state == "" {
		state = guard.Done
	}
	e, err := w.guard.Report(ctx, p, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: state, Result: json.RawMessage("{}")})
	if err == nil {
		a.Effect = &e
	}
	return err
}
