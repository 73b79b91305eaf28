package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sqlite"
)

// The people and agents of the demo.
var (
	demoSupport  = guard.Principal{Tenant: demoTenant, Subject: "support", Agent: "support-bot", Role: guard.RoleAgent}
	demoTriage   = guard.Principal{Tenant: demoTenant, Subject: "operations", Agent: "triage-bot", Role: guard.RoleAgent}
	demoSales    = guard.Principal{Tenant: demoTenant, Subject: "sales", Agent: "crm-bot", Role: guard.RoleAgent}
	demoPlatform = guard.Principal{Tenant: demoTenant, Subject: "platform", Agent: "deploy-bot", Role: guard.RoleAgent}
	demoReviewer = guard.Principal{Tenant: demoTenant, Subject: "dana", Role: guard.RoleReviewer}
	demoAdmin    = guard.Principal{Tenant: demoTenant, Subject: "ada", Role: guard.RoleAdmin}
)

const demoTenant = "demo"

// day fills the demo's ledger with the 24 hours before it, so that the dashboard has something to show. Only the clock and the tools
// are staged: each effect is made by a guard, under the policies of the demo, and counted by it.
type day struct {
	ctx      context.Context
	store    *sqlite.Store
	policies guard.Policies
	key      []byte
	clock    *stagedClock
	guard    *guard.Guard // of the present scene
	kept     map[string]string
	err      error // the first; nothing is played after it
}

// scene is what happens at one time.
type scene struct {
	ago  time.Duration
	play func(*day)
}

// playDay fills the ledger in a folder, which nobody may have open.
func playDay(ctx context.Context, folder string, key []byte, policies guard.Policies) (err error) {
	d := &day{ctx: ctx, policies: policies, key: key, clock: &stagedClock{step: 37 * time.Millisecond}, kept: map[string]string{}}
	began := time.Now()
	scenes := append(dayTraffic(), dayScenes...)
	slices.SortStableFunc(scenes, func(a, b scene) int { return cmp.Compare(b.ago, a.ago) })
	d.clock.set(began.Add(-scenes[0].ago))
	d.store, err = sqlite.Open(ctx, filepath.Join(folder, "ledger.db"), sqlite.Options{Exclusive: true, Now: d.clock.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.store.Close()) }()
	for _, s := range scenes {
		d.clock.set(began.Add(-s.ago))
		d.stage(s)
		if d.err != nil {
			return fmt.Errorf("the day before the demo, %s ago: %w", s.ago, d.err)
		}
	}
	return nil
}

// stage plays a scene with a guard of its own, which writes down at the end what it has counted.
func (d *day) stage(s scene) {
	d.guard, d.err = guard.New(guard.Config{Store: d.store, Policies: d.policies, Forward: stagedTools{}, Key: d.key})
	if d.err != nil {
		return
	}
	_, err := d.store.Sweep(d.ctx, 100)
	d.note(err)
	s.play(d)
	d.note(d.guard.Drain(d.ctx))
}

func (d *day) note(err error) {
	if d.err == nil {
		d.err = err
	}
}

// call makes a call. An agent that may run the tool reports at once that it is done.
func (d *day) call(who guard.Principal, run, tool, arguments string, change ...func(*guard.Call)) guard.Answer {
	if d.err != nil {
		return guard.Answer{}
	}
	c := guard.Call{Tool: tool, Arguments: json.RawMessage(arguments), Run: run}
	for _, f := range change {
		f(&c)
	}
	a, err := d.guard.Do(d.ctx, who, c)
	d.note(err)
	if err == nil && a.Kind == guard.AnswerProceed && c.CallID != leftOpen {
		state, result := guard.Done, `{"ok": true}`
		if c.CallID == halfDone {
			state, result = guard.Partial, `{"done": 2, "of": 3}`
		}
		d.clock.move(700 * time.Millisecond)
		_, err = d.guard.Report(d.ctx, who, guard.Report{Effect: a.Effect.ID, Fence: a.Lease.Fence, State: state, Result: json.RawMessage(result)})
		d.note(err)
	}
	return a
}

// Calls that their agents do not report as done.
const (
	leftOpen = "left-open"
	halfDone = "half-done"
)

func id(callID string) func(*guard.Call) { return func(c *guard.Call) { c.CallID = callID } }

// keep remembers the effect of an answer under a name.
func (d *day) keep(name string, a guard.Answer) {
	if a.Effect != nil {
		d.kept[name] = a.Effect.ID
	}
}

// decide lets the reviewer decide on an effect that was kept.
func (d *day) decide(name string, c guard.Choice, reason, result string) {
	if d.err != nil {
		return
	}
	e, err := d.guard.Effect(d.ctx, demoReviewer, d.kept[name])
	if err != nil {
		d.note(fmt.Errorf("%s: %w", name, err))
		return
	}
	j := guard.Judgement{Effect: e.ID, Choice: c, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: reason}
	if result != "" {
		j.Result = json.RawMessage(result)
	}
	_, err = d.guard.Decide(d.ctx, demoReviewer, j)
	d.note(err)
}

// refusedOrders begin the orders that the staged payment service knows nothing of.
const refusedOrders = "X-"

// stagedTools answers as the sample tools would, without a network.
type stagedTools struct{}

// Send implements guard.Forwarder.
func (stagedTools) Send(_ context.Context, a guard.Attempt) guard.Outcome {
	body := string(a.Body)
	switch {
	case strings.Contains(body, lossy):
		return guard.Outcome{State: guard.Unknown, Code: guard.CodeUpstreamLost, Sent: true, Detail: "The connection broke before an answer came."}
	case strings.Contains(body, `"`+refusedOrders):
		return guard.Outcome{State: guard.Failed, Code: guard.CodeUpstreamRefused, Sent: true, Detail: "The tool answered with status 422.",
			Result: &guard.Result{Status: 422, ContentType: "application/json", Body: []byte(`{"error": "there is no such order"}`), IsError: true, Source: guard.FromUpstream}}
	}
	return guard.Outcome{State: guard.Done, Code: guard.CodeUpstreamDone, Sent: true,
		Result: &guard.Result{Status: 200, ContentType: "application/json", Body: []byte(`{"state": "accepted"}`), Source: guard.FromUpstream}}
}
