package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/onceguard/onceguard/api/client"
)

// step is one part of the demo's story, as it went.
type step struct {
	Title      string     `json:"title"`
	Why        string     `json:"why"` // what the reader should see in it
	Calls      []toldCall `json:"calls"`
	Counted    string     `json:"counted"`    // what the sample tools count
	Executions int        `json:"executions"` // how often
	AsTold     bool       `json:"as_told"`
	Faults     []string   `json:"faults"` // what went otherwise
}

// toldCall is one request of the story and its answer.
type toldCall struct {
	Who       string         `json:"who"`            // "agent" or "reviewer"
	Action    string         `json:"action"`         // "calls", "confirms" or "approves"
	Times     int            `json:"times,omitzero"` // how many equal calls at once; 0 for one
	Tool      string         `json:"tool"`
	Arguments string         `json:"arguments"`
	Answer    *client.Answer `json:"answer,omitzero"`
	Decisions map[string]int `json:"decisions,omitzero"` // of equal calls at once
}

// story plays the demo against a running guard.
type story struct {
	agent    *client.Client
	reviewer *client.Client
	tools    *sampleTools
	told     func(*step) // called when a step is over
	steps    []*step
}

const storyRun = "ticket-4711"

// tell plays all steps. It reports whether all went as told.
func (s *story) tell(ctx context.Context) bool {
	for _, part := range []func(context.Context, *step){s.first, s.respelled, s.lost, s.held, s.together, s.reworded} {
		t := &step{Faults: []string{}}
		part(ctx, t)
		t.AsTold = len(t.Faults) == 0
		s.steps = append(s.steps, t)
		s.told(t)
		if !t.AsTold {
			return false // the next steps build on this one
		}
	}
	return true
}

func (s *story) first(ctx context.Context, t *step) {
	t.Title = "A refund"
	t.Why = "A new effect: the guard writes down that it may be sent, sends it once, and records the outcome."
	a := s.call(ctx, t, "payments.refund", `{"order_id": "A-1001", "amount": 25, "currency": "EUR", "reason": "arrived broken"}`)
	t.expect(a, client.Forwarded, "forwarded", "done")
	s.count(t, "refund of A-1001", 1)
}

func (s *story) respelled(ctx context.Context, t *step) {
	t.Title = "The same refund in other words"
	t.Why = "The agent lost its thread and asks again. The text is another and the effect is the same: nothing is sent, and the agent gets the first result."
	a := s.call(ctx, t, "payments.refund", `{"reason": "customer asked twice", "amount": "25.00", "order_id": " A-1001 "}`)
	t.expect(a, client.Replayed, "replayed", "done")
	s.count(t, "refund of A-1001", 1)
}

func (s *story) lost(ctx context.Context, t *step) {
	t.Title = "A reply is lost"
	t.Why = "The service pays and the line drops before it can say so. A blind retry would pay twice, so the guard blocks it and tells the model what to do instead."
	refund := `{"order_id": "` + lossy + `7", "amount": 40, "currency": "EUR"}`
	a := s.call(ctx, t, "payments.refund", refund)
	t.expect(a, client.Forwarded, "upstream_lost", "unknown")
	a = s.call(ctx, t, "payments.refund", refund)
	t.expect(a, client.Blocked, "unknown", "unknown")
	s.count(t, "refund of "+lossy+"7", 1)
}

func (s *story) held(ctx context.Context, t *step) {
	t.Title = "A rule wants a person"
	t.Why = "The policy holds refunds above 500. A reviewer approves exactly these bytes, the guard sends them, and the agent's next equal call gets the result."
	refund := `{"order_id": "A-1002", "amount": 900, "currency": "EUR", "reason": "whole order returned"}`
	a := s.call(ctx, t, "payments.refund", refund)
	t.expect(a, client.Blocked, "held", "held")
	s.approve(ctx, t, a)
	a = s.call(ctx, t, "payments.refund", refund)
	t.expect(a, client.Replayed, "replayed", "done")
	s.count(t, "refund of A-1002", 1)
}

// together sends equal calls at the same moment, as agents with parallel tool calls do.
func (s *story) together(ctx context.Context, t *step) {
	const times = 20
	t.Title = "Equal calls at once"
	t.Why = "Parallel agents send one mail twenty times at the same moment. One call is sent; the others wait for it and get its result."
	tool, arguments := "mail.send", `{"to": ["ann@example.com", "bob@example.com"], "subject": "Your refund", "body": "It is on its way."}`
	answers := make([]client.Answer, times)
	errs := make([]error, times)
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() { answers[i], errs[i] = s.ask(ctx, tool, arguments) })
	}
	all.Wait()
	told := toldCall{Who: "agent", Action: "calls", Times: times, Tool: tool, Arguments: arguments, Decisions: map[string]int{}}
	for i := range times {
		if errs[i] != nil {
			t.fault("a call got no decision: %v", errs[i])
			continue
		}
		told.Decisions[answers[i].Decision]++
		if told.Answer == nil || answers[i].Decision == client.Replayed {
			told.Answer = &answers[i]
		}
		if string(answers[i].Result) != string(answers[0].Result) || len(answers[i].Result) == 0 {
			t.fault("one call got another result than the rest: %s", answers[i].Result)
		}
	}
	t.Calls = append(t.Calls, told)
	if told.Decisions[client.Forwarded] != 1 || told.Decisions[client.Replayed] != times-1 {
		t.fault("the decisions were %v, expected one forwarded and %d replayed", told.Decisions, times-1)
	}
	s.count(t, "message of Your refund", 1)
}

// reworded sends the mail of the step before in other words, and then declares that it is meant.
func (s *story) reworded(ctx context.Context, t *step) {
	t.Title = "The same mail in other words"
	t.Why = "The wording is another, and only the wording. The guard merges nothing by likeness: it asks back, and the agent may declare once, with a reason, that one more is meant."
	tool, arguments := "mail.send", `{"to": ["bob@example.com", "ann@example.com"], "subject": "Your refund", "body": "It is now on its way!"}`
	a := s.call(ctx, t, tool, arguments)
	t.expect(a, client.Blocked, "near", "done")
	s.count(t, "message of Your refund", 1)
	if a.Explanation.Confirm == nil {
		t.fault("the answer offers no token")
		return
	}
	c := call(tool, arguments)
	c.Confirm = &client.Confirm{Token: a.Explanation.Confirm.Token, Reason: "Ann asked for it once more."}
	confirmed, err := s.agent.Call(ctx, c)
	if err != nil {
		t.fault("the confirmed call got no decision: %v", err)
	}
	t.Calls = append(t.Calls, toldCall{Who: "agent", Action: "confirms", Tool: tool, Arguments: arguments, Answer: &confirmed})
	t.expect(&confirmed, client.Forwarded, "forwarded", "done")
	s.count(t, "message of Your refund", 2)
}

// ask sends a call as models' providers write it: the arguments are a JSON text in a string, so that each byte arrives.
func (s *story) ask(ctx context.Context, tool, arguments string) (client.Answer, error) {
	return s.agent.Call(ctx, call(tool, arguments))
}

func call(tool, arguments string) client.Call {
	quoted, err := json.Marshal(arguments)
	if err != nil {
		panic("a string has no JSON: " + err.Error())
	}
	return client.Call{Tool: tool, Arguments: quoted, Run: storyRun}
}

// call makes one call of the agent and writes it down.
func (s *story) call(ctx context.Context, t *step, tool, arguments string) *client.Answer {
	a, err := s.ask(ctx, tool, arguments)
	if err != nil {
		t.fault("the call got no decision: %v", err)
	}
	t.Calls = append(t.Calls, toldCall{Who: "agent", Action: "calls", Tool: tool, Arguments: arguments, Answer: &a})
	return &a
}

// approve lets the reviewer find the held call in the queue and approve what it shows.
func (s *story) approve(ctx context.Context, t *step, held *client.Answer) {
	if held.Effect == nil {
		return // the step has gone wrong already
	}
	queue, err := s.reviewer.Reviews(ctx, 0, "")
	if err != nil {
		t.fault("the reviewer could not read the queue: %v", err)
		return
	}
	for _, r := range queue.Reviews {
		if r.Effect != held.Effect.ID {
			continue
		}
		t.Calls = append(t.Calls, toldCall{Who: "reviewer", Tool: r.Tool, Arguments: string(r.Arguments), Action: "approves"})
		if _, err := s.reviewer.Decide(ctx, r.ID, client.Verdict{Decision: "approve", Fence: r.Fence, Digest: r.Digest, Reason: "The parcel is back."}); err != nil {
			t.fault("the approval was refused: %v", err)
		}
		return
	}
	t.fault("the held call is not in the reviewer's queue")
}

// expect holds an answer against the story.
func (t *step) expect(a *client.Answer, decision, code, state string) {
	got := ""
	if a.Effect != nil {
		got = a.Effect.State
	}
	if a.Decision != decision || a.Explanation.Code != code || got != state {
		t.fault("the answer was %s, %s, %s; expected %s, %s, %s", a.Decision, a.Explanation.Code, got, decision, code, state)
	}
}

// count asks the tools themselves how often they did it.
func (s *story) count(t *step, what string, expected int) {
	t.Counted, t.Executions = what, s.tools.times(what)
	if t.Executions != expected {
		t.fault("the tools carried out the %s %d times, expected %d", what, t.Executions, expected)
	}
}

func (t *step) fault(format string, args ...any) {
	t.Faults = append(t.Faults, fmt.Sprintf(format, args...))
}
