package guard

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// shipment is a claimed effect, ready to be sent.
type shipment struct {
	rule    *policy.Rule
	tool    string
	args    fingerprint.Value // of a read; else those of the effect
	trace   string            // traceparent for the upstream, "" for none
	effect  Effect            // the zero Effect for a read
	started time.Time         // before the claim was asked for; its monotonic reading bounds the send
}

// landing is how a flight ended. recorded is false when the ledger could not be told.
type landing struct {
	effect   Effect
	outcome  Outcome
	recorded bool
}

// launch sends in the background and records the outcome, whoever waits for it or not.
func (g *Guard) launch(sh shipment, release func()) <-chan landing {
	done := make(chan landing, 1)
	go func() {
		defer release()
		out := g.attempt(context.Background(), sh)
		e, recorded := g.record(sh.effect, g.settlement(sh, out))
		g.outcome(&e)
		g.hub.publish(sh.effect.Tenant, sh.effect.ID)
		g.opened(&e)
		done <- landing{e, out, recorded}
	}()
	return done
}

// attempt sends once and says what that proved, in the light of the policy's outcome conditions. It never panics.
func (g *Guard) attempt(ctx context.Context, sh shipment) (out Outcome) {
	began, sending := time.Now(), false
	defer func() {
		if r := recover(); r != nil {
			g.log.Error("a send panicked", "tool", sh.tool, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			out = Outcome{State: Failed, Code: CodeNotSent, Detail: "The guard met a defect of its own before anything was sent."}
			if sending {
				out = Outcome{State: Unknown, Code: CodeUpstreamLost, Sent: true, Detail: "The guard met a defect of its own while it sent the call."}
			}
		}
		g.observe.Attempted(sh.tool, out.State, out.Code, time.Since(began))
	}()
	// The stopwatch was started before the claim was asked for, so a holder that was paused here does not send on a
	// lease that may be over.
	if time.Since(sh.started) > g.times.SendGrace/2 {
		return Outcome{State: Failed, Code: CodeNotSent, Detail: "The claim took too long, so the call was not sent."}
	}
	up := sh.rule.Upstream.HTTP
	req, err := sh.render()
	if err != nil {
		return Outcome{State: Failed, Code: CodeNotSent, Detail: "The request could not be made: " + err.Error() + "."}
	}
	ctx, cancel := context.WithTimeout(ctx, up.Timeout)
	defer cancel()
	if sh.trace != "" {
		req.Header["Traceparent"] = []string{sh.trace}
	}
	sending = true
	out = g.forward.Send(ctx, Attempt{
		Effect: sh.effect.ID, Tool: sh.tool, Method: req.Method, URL: req.URL, Header: req.Header, Body: req.Body,
		Private: up.Private, Timeout: up.Timeout, Reuse: up.Reuse,
	})
	return sh.classify(out)
}

// render makes the request from the recorded bytes, which are the ones that came, were shown and were approved.
func (sh *shipment) render() (policy.Request, error) {
	if sh.effect.ID != "" {
		args, err := decodeArguments(sh.effect.Arguments)
		if err != nil {
			return policy.Request{}, err
		}
		sh.args = args
	}
	return sh.rule.Upstream.HTTP.Render(sh.args, downstreamKey(&sh.effect))
}

// classify lets the policy's conditions override what a complete answer means.
func (sh *shipment) classify(out Outcome) Outcome {
	if out.Result == nil {
		return out
	}
	state, why := sh.rule.Classify(context.Background(), policy.Evidence{
		Status: out.Result.Status, Header: out.Header, Body: out.Result.Body, Args: sh.args,
	})
	if state == "" || State(state) == out.State {
		return out
	}
	out.State, out.Code = State(state), CodeByPolicy
	if out.Detail = why; out.Detail == "" {
		out.Detail = "The policy's outcome conditions say so."
	}
	out.Result.IsError = out.State != Done
	return out
}

// downstreamKey is the idempotency key for the upstream: the same for every send whose predecessor may have been
// applied, and a new one after a definite failure, because some upstreams repeat a recorded failure under its key.
func downstreamKey(e *Effect) string {
	if e.Failures == 0 {
		return e.ID
	}
	return fmt.Sprintf("%s-%d", e.ID, e.Failures)
}

func (g *Guard) settlement(sh shipment, out Outcome) Settlement {
	s := Settlement{
		Tenant: sh.effect.Tenant, ID: sh.effect.ID, Fence: sh.effect.Fence, Claim: sh.effect.Claim,
		State: out.State, Code: out.Code, Reason: out.Detail, Result: out.Result, Actor: Actor{Kind: "guard"}, Seal: seals(sh.rule),
	}
	s.judge(&sh.effect)
	return s
}

// judge says what the outcome of one attempt means for the effect, and whether it needs a person. A failure of this
// attempt says nothing about an earlier one that may have been applied: the effect stays unknown.
func (s *Settlement) judge(e *Effect) {
	if s.State == Failed && e.Doubtful() {
		s.State = Unknown
	}
	switch s.State {
	case Unknown:
		s.Review = CodeUnknown
	case Partial:
		s.Review = CodePartial
	}
}

// record tells the ledger the outcome, again and again until it is there or the guard's patience ends. Settling is
// idempotent. If somebody decided meanwhile, the outcome is kept as evidence.
func (g *Guard) record(e Effect, s Settlement) (Effect, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), g.times.Record)
	defer cancel()
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		settled, err := g.settleOnce(ctx, s)
		switch CodeOf(err) {
		case "":
			return settled, true
		case CodeStaleFence, CodeConflict, CodeNotFound:
			return g.contradict(ctx, e, s, err), true
		}
		g.log.Warn("an outcome is not recorded yet", "effect", s.ID, "state", s.State, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			g.log.Error("an outcome could not be recorded; the effect becomes unknown when its lease ends", "effect", s.ID, "state", s.State, "code", s.Code)
			e.State, e.Code = Unknown, CodeNotRecorded
			return e, false
		}
	}
}

func (g *Guard) settleOnce(ctx context.Context, s Settlement) (Effect, error) {
	ctx, cancel := context.WithTimeout(ctx, g.times.Write)
	defer cancel()
	return g.store.Settle(ctx, s)
}

// awaitFlight waits for the outcome as long as the caller does. The flight goes on in any case.
func (r *proposal) awaitFlight(ctx context.Context, s situation, done <-chan landing) Answer {
	timer := time.NewTimer(max(time.Until(r.deadline), 0))
	defer timer.Stop()
	select {
	case l := <-done:
		return r.answerFlight(l)
	case <-timer.C:
	case <-ctx.Done(): // the caller left, or the server shuts down; the call was sent all the same
	}
	return r.answerSent(s)
}
