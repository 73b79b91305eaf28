package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// lastWeek are refunds on record, newest first, each with its order and amount.
func lastWeek(refunds ...string) []guard.Effect {
	var list []guard.Effect
	for i, r := range refunds {
		order, amount, _ := strings.Cut(r, " ")
		e := held(fmt.Sprintf("ef_%03d", 999-i), fmt.Sprintf(`{"order_id":%q,"amount":%s,"currency":"EUR"}`, order, amount))
		e.State, e.Review, e.About = guard.Done, "", "order_id="+order
		e.Created = time.Now().Add(-time.Duration(i+1) * time.Hour)
		list = append(list, e)
	}
	return list
}

// backtestForm asks for a backtest of the refund policy of dayPolicies with one text in place of another.
func backtestForm(old, new string) url.Values {
	draft, _, _ := strings.Cut(strings.Replace(dayPolicies, old, new, 1), "  - name: mail.send")
	return url.Values{"do": {"backtest"}, "draft": {draft}}
}

func TestADraftIsBacktestedBeforeItIsSaved(t *testing.T) {
	f := newFake(lastWeek("A-3 200", "A-2 300", "A-1 20", "A-1 10")...)
	old := held("ef_001", `{"order_id":"Z","amount":400}`)
	old.Created = time.Now().Add(-8 * 24 * time.Hour)
	search := held("ef_002", `{}`)
	search.Tool, search.Created = "tickets.close", time.Now().Add(-9*time.Hour)
	f.effects = append(f.effects, search, old)
	h := policyHouse(t, f)

	_, body := h.post("/policies/payments.refund", backtestForm("> 500.0", "> 100.0"))
	contains(t, body, `Of 4 calls of the last 7 days <a href="#held">2</a> would now be held`, `<a class="tool" href="/effects/ef_999">`, "order_id=A-3",
		`<span class="cost">300.00 EUR</span>`, "500.00 EUR in all", "Refunds above 500 need a person.", "Left out: 1 call of tools that the draft does not touch.", `<details id="workbench" open>`)
	lacks(t, body, "ef_001", "ef_002")
	if strings.Index(body, "ef_998") > strings.Index(body, "ef_999") {
		t.Error("the dearest finding is not the first")
	}

	_, body = h.post("/policies/payments.refund", backtestForm("amount: {role: material, kind: money, currency: currency}", "amount: {role: commentary}"))
	contains(t, body, "would now be answered for an earlier effect", `<a href="/effects/ef_996">an earlier effect`, "decided by <code>amount</code>")

	_, body = h.post("/policies/payments.refund", backtestForm("    window: 72h\n", "    limits: [{count: 2, per: 24h, then: deny, why: \"Enough.\"}]\n"))
	contains(t, body, "would now be denied", "The limit at <code>draft:", "had no room for 2 calls.", "Enough.")

	_, body = h.post("/policies/payments.refund", backtestForm("window: 72h", "window: 48h"))
	contains(t, body, "None of 4 calls of the last 7 days would end otherwise.")
	if len(f.edits) > 0 || len(f.judged) > 0 {
		t.Error("a backtest has written something")
	}
}

func TestABacktestSaysWhyItHasNothingToTell(t *testing.T) {
	h := policyHouse(t, newFake())
	_, body := h.post("/policies/payments.refund", backtestForm("> 500.0", "> 100.0"))
	contains(t, body, "The ledger has no call of the last 7 days")
	_, body = h.post("/policies/payments.refund", backtestForm("window", "windw"))
	contains(t, body, "The draft cannot be loaded, so there is nothing to compare.")
	_, body = h.post("/policies/mail.send", backtestForm("window", "window"))
	contains(t, body, "The draft does not name this tool")
	for range cap(h.web.backtests) {
		h.web.backtests <- struct{}{}
	}
	_, body = h.post("/policies/payments.refund", backtestForm("window", "window"))
	contains(t, body, "Other backtests are under way")
}

func TestABacktestTellsWhatReviewersHaveDecided(t *testing.T) {
	mail := func(id, body string) guard.Effect {
		e := held(id, fmt.Sprintf(`{"to":["ann@example.com"],"body":%q}`, body))
		e.Tool, e.State, e.Review, e.Created = "mail.send", guard.Done, "", time.Now().Add(-time.Hour)
		return e
	}
	first := mail("ef_1", "Hello Ann, your refund of 25.00 EUR is on its way and will arrive within five working days.")
	again := mail("ef_2", "Hello Ann, your refund of 25.00 EUR is on the way, it will arrive within 5 working days. Sorry for the trouble!")
	again.Related, first.Created = "ef_1", time.Now().Add(-9*24*time.Hour) // so that only its pair is looked at
	older := mail("ef_3", "The parcel with the spare part left our house today.")
	older.Created = time.Now().Add(-2 * time.Hour)
	f := newFake(again, older, first)
	f.events["ef_2"] = []guard.Event{{Kind: guard.EventHeld, Code: guard.CodeNear}, {Kind: guard.EventApproved}}
	h := policyHouse(t, f)
	draft := "version: 1\ntools:\n  - name: mail.send\n    window: 30d\n    arguments: {to: {role: identity, kind: set of email}, body: {kind: text}}\n    on: {near: replay}\n"
	_, body := h.post("/policies/mail.send", url.Values{"do": {"backtest"}, "draft": {draft}})
	contains(t, body, "None of 2 calls of the last 7 days would end otherwise.", `<a href="#reviewers">1</a> would be judged otherwise than a reviewer did.`,
		"A reviewer let both run; the draft takes them for one.", `<a href="/effects/ef_1">an earlier effect`, `"/effects/ef_2"`)
	lacks(t, body, "/effects/ef_3")
	_, body = h.post("/policies/mail.send", url.Values{"do": {"backtest"}, "draft": {strings.Replace(draft, "replay", "allow", 1)}})
	contains(t, body, "the policies in force do not: 1.")
	lacks(t, body, "than a reviewer did")
}

// What is left out is said.
func TestABacktestHasBounds(t *testing.T) {
	f := newFake(lastWeek("A-4 900", "A-3 900", "A-2 900", "A-1 900")...)
	h := policyHouse(t, f)
	rita := guard.Principal{Tenant: "acme", Subject: "rita", Role: guard.RoleReviewer}
	draft, err := policy.Parse(draftName, []byte(dayPolicies[:strings.Index(dayPolicies, "    rules:")]))
	if err != nil {
		t.Fatal(err)
	}
	few, soon := inPage, inPage
	few.calls = 3
	v, err := h.web.backtest(t.Context(), rita, draft, few)
	if err != nil || v.Calls != "3 calls" || !v.Since.Equal(f.effects[2].Created) || len(v.Changes) != 1 || v.Changes[0].Kind != string(guard.BacktestReleased) {
		t.Errorf("of many calls: %+v, %v", v, err)
	}
	soon.time = 0
	v, err = h.web.backtest(t.Context(), rita, draft, soon)
	if err != nil || v.Calls != "0 calls" || !strings.Contains(strings.Join(v.Notes, " "), "the newest 4 calls were not compared") {
		t.Errorf("without time: %+v, %v", v, err)
	}
}

// A draft is compared on calls of other tools, too, where these share effects or limits with it.
func TestABacktestReadsWhatTheDraftConcerns(t *testing.T) {
	const shared = `version: 1
tools:
  - {name: rest.refund, effect: refund, arguments: {order: {role: identity}}}
  - {name: mcp.refund, effect: refund, arguments: {order: {role: identity}}}
  - {name: file.write, resource: "file:{path}", arguments: {path: {role: identity}}}
  - {name: file.remove, resource: "file:{path}", arguments: {path: {role: identity}}}
  - {name: crm.*, kind: read}
`
	parse := func(text string) *policy.Set {
		set, err := policy.Parse("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	base := parse(shared)
	same, err := base.Draft([]byte("version: 1\ntools: [{name: crm.*, kind: read}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if concerned := concerns(base, same); !concerned("crm.x") || concerned("file.write") {
		t.Error("of a draft that changes nothing the calls of its own tools are read, and no others")
	}
	for _, c := range []struct{ old, new, want, not string }{
		{"{name: rest.refund, effect: refund,", "{name: rest.refund, effect: refund, window: 1h,", "rest.refund mcp.refund", "file.write crm.x other"},
		{"{name: file.write,", "{name: file.write, window: 1h,", "file.write file.remove", "rest.refund crm.x other"},
		{"{name: crm.*, kind: read}", "{name: crm.*}", "crm.x", "rest.refund other"},
		{"{name: crm.*, kind: read}", "{name: new.*}", "crm.x new.one", "rest.refund other"},
	} {
		concerned := concerns(parse(shared), parse(strings.Replace(shared, c.old, c.new, 1)))
		for _, tool := range strings.Fields(c.want) {
			if !concerned(tool) {
				t.Errorf("%s: calls of %s are left out", c.new, tool)
			}
		}
		for _, tool := range strings.Fields(c.not) {
			if concerned(tool) {
				t.Errorf("%s: calls of %s are read", c.new, tool)
			}
		}
	}
}

func TestHostileTextIsInertInABacktest(t *testing.T) {
	for _, text := range hostile {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		a, z := held("ef_2", fmt.Sprintf(`{"to":["a@example.com"],"body":%s}`, quoted)), held("ef_1", `{"to":["a@example.com"],"body":"quite another text"}`)
		for _, e := range []*guard.Effect{&a, &z} {
			e.Tool, e.About, e.Created = "mail.send", text, time.Now().Add(-time.Hour)
		}
		h := policyHouse(t, newFake(a, z))
		draft := "version: 1\ntools:\n  - name: mail.send\n    arguments: {to: {role: identity, kind: set of email}, body: {role: commentary}}\n"
		_, body := h.post("/policies/mail.send", url.Values{"do": {"backtest"}, "draft": {draft}})
		contains(t, body, "would now be answered for an earlier effect")
		inert(t, body)
		if t.Failed() {
			t.Fatalf("with %q", text)
		}
	}
}
