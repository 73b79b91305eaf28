package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func TestPoliciesOfTheLedgerAreWrittenAndListed(t *testing.T) {
	h := newHouse(t)
	c := h.client(h.admin)
	for _, tool := range []string{"pay", "github__*", "a/b%c d", "ä"} {
		v, err := c.EditPolicy(t.Context(), tool, client.PolicyEdit{Text: "version: 1\n", Reason: "why", Onto: 4})
		if err != nil || v.Number != 12 || v.Tool != tool || v.Author != "ada" || v.Onto != 4 || !v.InForce {
			t.Errorf("%q: %+v %v", tool, v, err)
		}
		if list, err := c.PolicyVersions(t.Context(), tool); err != nil || len(list) != 1 || list[0].Tool != tool || list[0].Diff == "" {
			t.Errorf("%q: %+v %v", tool, list, err)
		}
		if _, err = c.DeletePolicy(t.Context(), tool, 12, "no more"); err != nil {
			t.Error(err)
		}
		if e := h.guard.edits[len(h.guard.edits)-1]; e != (guard.PolicyEdit{Tool: tool, Reason: "no more", Onto: 12}) {
			t.Errorf("deleted %+v", e)
		}
	}
	before := len(h.guard.edits)
	h.problem(http.StatusBadRequest, "invalid", http.MethodDelete, "/v1/policies/pay?reason=x", h.admin, "")
	h.problem(http.StatusBadRequest, "invalid", http.MethodDelete, "/v1/policies/pay?onto=1&force=1", h.admin, "")
	h.problem(http.StatusBadRequest, "invalid", http.MethodPut, "/v1/policies/pay", h.admin, `{"text":"","reason":"x"}`, "Content-Type", "application/json")
	for _, key := range []string{h.agent, h.rev} {
		h.problem(http.StatusForbidden, "forbidden", http.MethodPut, "/v1/policies/pay", key, `{"text":"x","reason":"x"}`, "Content-Type", "application/json")
		h.problem(http.StatusForbidden, "forbidden", http.MethodGet, "/v1/policies/pay/versions", key, "")
		h.problem(http.StatusForbidden, "forbidden", http.MethodDelete, "/v1/policies/pay?onto=1&reason=x", key, "")
	}
	if len(h.guard.edits) != before {
		t.Errorf("refused requests have written: %+v", h.guard.edits[before:])
	}
}

func TestADefectivePolicyIsAProblemWithPlaces(t *testing.T) {
	h := newHouse(t)
	_, defect := policy.Parse("draft", []byte("version: 1\ntools:\n  - name: pay\n    windw: 3h\n"))
	h.guard.err = &guard.Error{Code: guard.CodeInvalid, Op: "policy", Field: "/text", Message: "the policy cannot be used", Err: defect}
	p := h.problem(http.StatusBadRequest, "invalid", http.MethodPut, "/v1/policies/pay", h.admin, `{"text":"x","reason":"x"}`, "Content-Type", "application/json")
	if len(p.Problems) != 1 || p.Problems[0].Line != 4 || p.Problems[0].Column != 5 || !strings.Contains(p.Problems[0].Message, "windw") || p.Problems[0].Remedy == "" {
		t.Errorf("%+v", p)
	}
	_, text := newHouse(t, func(c *Config) { c.Policies = rules{policy.Empty(), defect} }).send(http.MethodGet, "/readyz", "", "")
	if !strings.Contains(string(text), "degraded") {
		t.Errorf("%s", text)
	}
	h = newHouse(t, func(c *Config) {
		set, _ := policy.Empty().Overlay([]policy.Kept{{Pattern: "pay", Versions: []policy.Version{{Number: 3, Text: []byte("no")}}}})
		c.Policies = rules{set, defect}
	})
	list, err := h.client(h.rev).Policies(t.Context())
	if err != nil || len(list.Problems) != 1 || len(list.Policies) != 1 || !list.Policies[0].Refused {
		t.Errorf("%+v %v", list, err)
	}
}
