package web

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// dayPolicies are the policies of the tests that look at whole pages.
const dayPolicies = `version: 1
tools:
  - name: payments.refund
    effect: refund
    upstream: {http: {url: "https://pay.example.com/v1/refunds", headers: {Authorization: "Bearer ${env:PAY_TOKEN}"}}}
    schema: {type: object, required: [order_id, amount], properties: {order_id: {type: string}, amount: {type: [number, string]}, currency: {type: string}, reason: {type: string}}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: currency}
      currency: {role: material, kind: enum}
      reason: {role: commentary}
    scope: [run]
    window: 72h
    on: {same_identity: hold}
    rules:
      - {if: "double(args.amount) > 500.0", then: hold, why: "Refunds above 500 need a person."}
  - name: mail.send
    mode: warn
    arguments:
      to: {role: identity, kind: set of email}
      body: {kind: text}
    on: {near: hold}
  - name: mail.search
    kind: read
  - name: tickets.*
    arguments: {ticket: {role: identity}, comment: {role: commentary}}
  - name: crm.*
    mode: off
`

func dayRules(t *testing.T) rules {
	t.Helper()
	t.Setenv("PAY_TOKEN", "secret")
	set, err := policy.Parse("payments.yaml", []byte(dayPolicies))
	if err != nil {
		t.Fatal(err)
	}
	return rules{set: set}
}

// dayScreens are the pages beside the reviews: with a believable day, with nothing, and with too much of everything.
func dayScreens(t *testing.T) []screen {
	t.Helper()
	in := func(r rules, g *fake) *house { return newHouse(t, g, func(c *Config) { c.Policies = r }) }
	normal := dayRules(t)
	broken := normal
	_, broken.err = policy.Parse("policies/payments.yaml", []byte("version: 1\ntools:\n  - name: payments.refund\n    windw: 3h\n    on: {done: reply}\n"))
	busy, empty, extreme := in(normal, day(t, normal)), newHouse(t, newFake()), in(broken, extremeDay(t))
	// The page is the answer to a form, so it is asked for with the effect that fills it.
	return []screen{
		{name: "effects", house: busy, path: "/effects"}, {name: "effects-empty", house: empty, path: "/effects"},
		{name: "effects-none", house: busy, path: "/effects?state=partial&state=refused&agent=nobody&within=7d"},
		{name: "effects-extreme", house: extreme, path: "/effects"},
		{name: "effect", house: busy, path: "/effects/ef_39"}, {name: "effect-near", house: busy, path: "/effects/ef_40"},
		{name: "effect-extreme", house: extreme, path: "/effects/ef_20"},
		{name: "policies", house: busy, path: "/policies"}, {name: "policies-empty", house: empty, path: "/policies"},
		{name: "policies-broken", house: extreme, path: "/policies"},
		{name: "policy", house: busy, path: "/policies/payments.refund"}, {name: "policy-suggest", house: busy, path: "/policies/mail.send?suggest=ef_40"},
		{name: "policy-unknown", house: busy, path: "/policies/git.push?suggest=ef_29"},
		{name: "overview", house: busy, path: "/overview", key: adasKey}, {name: "overview-reviewer", house: busy, path: "/overview?over=7d"},
		{name: "overview-empty", house: empty, path: "/overview"}, {name: "overview-extreme", house: extreme, path: "/overview?over=30d", key: adasKey},
	}
}

// day is the queue of believable, with all that came before it and what was counted.
func day(t *testing.T, r rules) *fake {
	t.Helper()
	f := believable()
	now := time.Now()
	for i := range 40 {
		e := held(fmt.Sprintf("ef_1%02d", 99-i), fmt.Sprintf(`{"order_id":"A-%d","amount":%d.50,"currency":"EUR"}`, 1040-i, 10+i))
		e.ID = fmt.Sprintf("ef_0%02d", 99-i)
		e.State, e.Code, e.Review, e.Reason, e.Attempts = guard.Done, guard.CodeUpstreamDone, "", "", 1
		e.Run, e.Created = fmt.Sprintf("ticket-%d", 4700-i), now.Add(-time.Duration(120+17*i)*time.Minute)
		switch i % 13 {
		case 4:
			e.State, e.Code, e.Attempts = guard.Failed, guard.CodeUpstreamRefused, 2
		case 7:
			e.State, e.Code, e.Attempts = guard.Refused, guard.CodeRejected, 0
		case 0:
			e.State, e.Code = guard.Pending, guard.CodeForwarded
		}
		e.Since, e.Updated, e.ExpiresAt = e.Created, e.Created, time.Time{}
		f.effects = append(f.effects, e)
	}
	for i := range f.effects {
		setAbout(r, &f.effects[i])
	}
	if near, err := f.Effect(t.Context(), guard.Principal{Tenant: "acme"}, "ef_40"); err == nil {
		first, _ := f.Effect(t.Context(), guard.Principal{Tenant: "acme"}, "ef_10")
		before, _ := terms(r, &first)
		after, _ := terms(r, &near)
		c := fingerprint.Compare(before, after)
		f.shown = guard.Explained{Terms: after, Other: before, Comparison: &c, Canonical: string(near.Arguments), Verdict: guard.Verdict{
			Relation: guard.NearEffect, Sentence: fingerprint.Sentence("mail.send", before, after, fingerprint.Nearness{Score: 0.87, Argument: "body"})}}
	}
	f.tallies = dayTallies(now)
	f.stops = []guard.Switched{
		{Switch: guard.Switch{Kind: guard.SwitchAgent, Name: "intern-bot", Off: true, Reason: "It closed tickets of other teams."}, By: "ada", At: now.Add(-50 * time.Minute)},
		{Switch: guard.Switch{Kind: guard.SwitchTool, Name: "crm.*"}, By: "ada", At: now.Add(-26 * time.Hour)},
	}
	return f
}

func setAbout(r rules, e *guard.Effect) {
	list, err := terms(r, e)
	if err != nil {
		return
	}
	var parts []string
	for _, t := range list {
		if t.Role == fingerprint.Identity || strings.HasPrefix(t.Normal, "money ") {
			value, _ := plain(t.Raw)
			parts = append(parts, t.Argument+"="+value)
		}
	}
	e.About = strings.Join(parts, ", ")
	if len(e.About) > guard.MaxAbout {
		e.About = e.About[:guard.MaxAbout]
	}
}

// dayTallies are what was counted over a month, more by day than by night.
func dayTallies(now time.Time) []guard.Tally {
	var list []guard.Tally
	end := now.UTC().Truncate(guard.TallyBucket)
	for at := end.Add(-30 * 24 * time.Hour); !at.After(end); at = at.Add(30 * time.Minute) {
		wave := 1 + math.Sin(float64(at.Hour()-8)/24*2*math.Pi)
		add := func(tool, kind string, code guard.Code, n float64) {
			if n >= 1 {
				list = append(list, guard.Tally{Tenant: "acme", Start: at, Tool: tool, Kind: kind, Code: code, Count: int64(n)})
			}
		}
		add("payments.refund", string(guard.AnswerForwarded), guard.CodeForwarded, wave*6)
		add("payments.refund", string(guard.AnswerReplayed), guard.CodeReplayed, wave*2)
		add("mail.send", string(guard.AnswerForwarded), guard.CodeForwarded, wave*9)
		add("mail.send", string(guard.AnswerReplayed), guard.CodeReplayed, wave*3)
		add("mail.send", string(guard.AnswerBlocked), guard.CodeNear, wave*0.7)
		add("tickets.close", string(guard.AnswerProceed), guard.CodeProceed, wave*4)
		add("git.push", string(guard.AnswerBlocked), guard.CodeHeld, wave*0.6)
		if at.Hour() == 14 && at.Minute() == 0 {
			add("payments.refund", guard.TallyOutcome, guard.Code(guard.Unknown), 2)
			add("payments.refund", string(guard.AnswerBlocked), guard.CodeUnknown, 5)
			add("payments.refund", guard.TallyOutcome, guard.Code(guard.Done), 40)
		}
	}
	return list
}

// extremeDay has hostile names, long texts and large numbers.
func extremeDay(t *testing.T) *fake {
	t.Helper()
	f := believable()
	long := strings.Repeat("agent-with-a-very-long-name-", 12)
	for i := range 60 {
		e := held(fmt.Sprintf("ef_1%02d", 99-i), `{}`)
		e.ID = fmt.Sprintf("ef_0%02d", 99-i)
		e.Tool, e.Agent, e.Run = fmt.Sprintf(`<script>alert(%d)</script>.`, i)+strings.Repeat("x", 20*(i%9)), long[:1+i*5], "run\u202e"+long[:i]
		e.About = strings.Repeat("order_id=\u202eA-17, path=/very/long/", 1+i%5)
		e.State = guard.States[i%len(guard.States)]
		f.effects = append(f.effects, e)
		f.tallies = append(f.tallies, guard.Tally{Tenant: "acme", Start: time.Now().Add(-time.Duration(i) * time.Hour), Tool: e.Tool, Kind: string(guard.AnswerForwarded), Code: guard.CodeForwarded, Count: int64(math.Pow(1.4, float64(i)))})
	}
	f.stops = []guard.Switched{{Switch: guard.Switch{Kind: guard.SwitchTool, Name: `"><img src=x onerror=alert(1)>`, Off: true, Reason: long + "\u200b"}, By: "ada\u202e", At: time.Now()}}
	f.err = nil
	return f
}
