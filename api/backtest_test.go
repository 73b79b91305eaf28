package api

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
)

const denyingDraft = "version: 1\ntools:\n  - name: payments.refund\n    rules: [{if: \"true\", then: deny, why: Never.}]\n"

func TestBacktest(t *testing.T) {
	h := newHouse(t)
	e := *doneEffect()
	e.Tool, e.Arguments = "payments.refund", json.RawMessage(`{"order_id":"A-1","amount":20}`)
	h.guard.effect, h.guard.list = e, []guard.Effect{e}
	// A reviewer sees all effects of the tenant, and drafts for an admin.
	b, err := h.client(h.rev).Backtest(t.Context(), client.BacktestQuestion{Policies: denyingDraft, Tool: "payments.refund"})
	if err != nil {
		t.Fatal(err)
	}
	if b.Calls != 1 || b.More || b.After.Denied != 1 || b.Counts["denied"] != 1 || len(b.Findings) != 1 {
		t.Fatalf("answered %+v", b)
	}
	if f := b.Findings[0]; f.Kind != "denied" || f.Effect != e.ID || f.Why != "Never." {
		t.Errorf("found %+v", f)
	}
	if q := h.guard.queries[0]; q.Tool != "payments.refund" {
		t.Errorf("asked for %+v", q)
	}
}

// TestBacktestHoldsVerdictsAgainstADraft holds that what a reviewer has decided is a part of the answer.
func TestBacktestHoldsVerdictsAgainstADraft(t *testing.T) {
	h := newHouse(t)
	e := *doneEffect()
	e.Tool, e.Arguments, e.State, e.Related = "payments.refund", json.RawMessage(`{"order_id":"A-1","amount":20}`), guard.Refused, "ef_0"
	h.guard.effect, h.guard.list = e, []guard.Effect{e}
	h.guard.history = []guard.Event{{Kind: guard.EventHeld, Code: guard.CodeNear}, {Kind: guard.EventRejected, Code: guard.CodeSame}}
	for draft, want := range map[string]client.BacktestVerdicts{
		denyingDraft: {Same: 1, Findings: []client.BacktestVerdict{}}, // it says nothing about likeness
		"version: 1\ntools:\n  - {name: payments.refund, kind: read}\n": {Same: 1, Broken: 1, Findings: []client.BacktestVerdict{{
			Label: "same", Tool: e.Tool, Effect: e.ID, Earlier: "ef_0", Before: "merged", After: "apart", Deciding: []string{},
			Sentence: "The arguments are equal; the scope, the effect type or what was done in between decides.",
		}}},
	} {
		b, err := h.client(h.admin).Backtest(t.Context(), client.BacktestQuestion{Policies: draft})
		if err != nil {
			t.Fatal(err)
		}
		if b.OK != (want.Broken == 0) || !reflect.DeepEqual(b.Verdicts, want) {
			t.Errorf("%q: ok is %v, %+v", draft, b.OK, b.Verdicts)
		}
	}
}

func TestBacktestRefuses(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct{ draft, key, want string }{
		"an agent":       {denyingDraft, h.agent, "403"},
		"no draft":       {" ", h.admin, "is empty"},
		"a broken draft": {"version: 1\ntols: []\n", h.admin, `draft:2:1: unknown key "tols"`},
	} {
		_, err := h.client(c.key).Backtest(t.Context(), client.BacktestQuestion{Policies: c.draft})
		p, ok := errors.AsType[*client.Problem](err)
		if !ok || !strings.Contains(p.Detail, c.want) && c.want != "403" || c.want == "403" && p.Status != 403 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
