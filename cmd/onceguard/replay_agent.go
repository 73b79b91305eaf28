package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

// standing is what an agent knows of an intent.
type standing int

const (
	unsent  standing = iota
	untold           // it got no answer, or one that says that nobody knows
	carried          // it was carried out
	failed           // the tool refused it and changed nothing
	refused          // the guard's own no: a rule, a person, a malformed call
)

// tried is what one try of an agent brought.
type tried struct {
	standing standing
	decision string // of the guard; "" where there is none
	code     string
	matched  *client.Matched
	because  []string
	differs  []client.Difference
	fault    error // the guard gave no decision although it should have
}

// toolUser is how simulated agents run a tool.
type toolUser interface {
	// use makes one try. The error ends the replay.
	use(ctx context.Context, c recordedCall, text string) (tried, error)
}

// bareUser runs tools without a guard.
type bareUser struct {
	upstream *simulation
	http     *http.Client
	numbers  map[string]int
}

func (u *bareUser) use(ctx context.Context, c recordedCall, text string) (tried, error) {
	status, _, err := u.upstream.send(ctx, u.http, u.numbers[c.Tool], text)
	switch {
	case ctx.Err() != nil:
		return tried{}, ctx.Err()
	case err != nil:
		return tried{standing: untold}, nil
	case status == http.StatusOK:
		return tried{standing: carried}, nil
	}
	return tried{standing: failed}, nil
}

// guardedUser asks a guard. Where the guard leaves the tool to the caller, it runs it and reports the outcome.
type guardedUser struct {
	bareUser
	guard   *client.Client
	execute string // "" for what the policy says
	runs    string // put before the name of every run
}

func (u *guardedUser) use(ctx context.Context, c recordedCall, text string) (tried, error) {
	// The text travels as a JSON string, as models' providers send it, so that its spelling arrives unchanged.
	quoted, err := json.Marshal(text)
	if err != nil {
		return tried{}, err
	}
	call := client.Call{Tool: c.Tool, Arguments: quoted, Run: u.runs + c.Run, Execute: u.execute}
	a, err := u.guard.Call(ctx, call)
	if x := a.Explanation; err == nil && x.Code == string(guard.CodeOtherScope) && x.Confirm != nil {
		// Each recorded run had a world of its own, so its agent means what an equal call in another run has done there.
		call.Confirm = &client.Confirm{Token: x.Confirm.Token, Reason: "The recorded run had a world of its own."}
		a, err = u.guard.Call(ctx, call)
	}
	if ctx.Err() != nil {
		return tried{}, ctx.Err()
	}
	if p, ok := errors.AsType[*client.Problem](err); ok && (p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden) {
		return tried{}, fmt.Errorf("the guard does not accept the key, so nothing can be replayed: %s; name an agent's key with --key", p.Detail)
	}
	if err != nil {
		return undecided(err), nil
	}
	if a.Decision == client.Proceed {
		return u.proceed(ctx, c, text, a)
	}
	x := a.Explanation
	return tried{standing: standingOf(a), decision: a.Decision, code: x.Code, matched: x.Matched, because: x.SameBecause, differs: x.Differs}, nil
}

// undecided reads an error of the API. One that blames the call is an answer; any other is a fault.
func undecided(err error) tried {
	p, ok := errors.AsType[*client.Problem](err)
	switch {
	case !ok:
		return tried{standing: untold, code: "no_answer", fault: err}
	case p.Status < 500 && p.Status != http.StatusUnauthorized && p.Status != http.StatusForbidden && p.Status != http.StatusTooManyRequests:
		return tried{standing: refused, code: p.Code}
	}
	return tried{standing: untold, code: p.Code, fault: err}
}

// standingOf reads what an answer tells the agent.
func standingOf(a client.Answer) standing {
	state := ""
	if a.Effect != nil {
		state = a.Effect.State
	}
	switch {
	case a.Decision == client.Forwarded && a.Effect == nil && a.IsError: // a read that failed
		return failed
	case a.Decision == client.Forwarded && (a.Effect == nil || state == "done"), a.Decision == client.Replayed && state == "done":
		return carried
	case state == "failed":
		return failed
	case state == "held", state == "refused", a.Effect == nil:
		return refused
	}
	return untold
}

// proceed runs the tool under the lease of the answer.
func (u *guardedUser) proceed(ctx context.Context, c recordedCall, text string, a client.Answer) (tried, error) {
	status, body, sendErr := u.upstream.send(ctx, u.http, u.numbers[c.Tool], text)
	if ctx.Err() != nil {
		return tried{}, ctx.Err()
	}
	r := tried{standing: carried, decision: a.Decision, code: a.Explanation.Code}
	if a.Effect == nil { // a read: nothing is recorded
		return r, nil
	}
	o := client.Outcome{Fence: a.Lease.Fence, Status: "done"}
	switch {
	case sendErr != nil:
		r.standing, o.Status, o.Error = untold, "unknown", "The connection to the tool was lost before it answered."
	case status != http.StatusOK:
		r.standing, o.Status, o.IsError, o.Error = failed, "failed", true, "The tool refused the call."
	}
	if sendErr == nil {
		result, err := json.Marshal(body)
		if err != nil {
			return tried{}, err
		}
		o.Result = result
	}
	if _, err := u.guard.Outcome(ctx, a.Effect.ID, o); err != nil {
		r.fault = err
	}
	return r, nil
}
