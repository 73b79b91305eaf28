package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMayDecide(t *testing.T) {
	rule := layered(t).Match("payments.refund")
	for name, c := range map[string]struct {
		who  Reviewer
		want bool
	}{
		"fits":          {Reviewer{"ann", []string{"reviewer", "finance"}}, true},
		"another role":  {Reviewer{"ann", []string{"agent", "finance"}}, false},
		"no role":       {Reviewer{"ann", nil}, false},
		"not finance":   {Reviewer{"ann", []string{"admin"}}, false},
		"their own":     {Reviewer{"bob", []string{"admin", "finance"}}, false},
		"second of two": {Reviewer{"cleo", []string{"finance", "reviewer"}}, true},
	} {
		got, err := rule.MayDecide(t.Context(), c.who, Facts{Subject: "bob", Args: arguments(t, `{}`)})
		if got != c.want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if ok, err := oneTool(t).MayDecide(t.Context(), Reviewer{}, Facts{}); !ok || err != nil {
		t.Errorf("without approvals: %v, %v", ok, err)
	}
}

func TestUnreadableApprovalLetsNobodyDecide(t *testing.T) {
	rule := oneTool(t, `approvals: {when: "args.amount < 5 || reviewer.subject == 'ann'"}`)
	ok, err := rule.MayDecide(t.Context(), Reviewer{Subject: "bob"}, Facts{Args: arguments(t, `{"amount": "private"}`)})
	if ok || err == nil || !strings.Contains(err.Error(), "p.yaml:4") || strings.Contains(err.Error(), "private") {
		t.Errorf("got %v, %v", ok, err)
	}
	rule = oneTool(t, `approvals: {when: "history.count < 5"}`)
	if ok, err := rule.MayDecide(t.Context(), Reviewer{}, Facts{}); ok || err == nil || !rule.NeedsHistory() {
		t.Errorf("without history: %v, %v", ok, err)
	}
	if ok, err := rule.MayDecide(t.Context(), Reviewer{}, Facts{History: &History{Count: 4}}); !ok || err != nil {
		t.Errorf("with history: %v, %v", ok, err)
	}
}

// hold and approvals.expires say the same thing; what a tool says itself goes before what it inherits.
func TestExpiryOfHeldCalls(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"defaults: {hold: 1h}\ntools: [{name: t, approvals: {expires: 2h}}]":                 2 * time.Hour,
		"defaults: {approvals: {expires: 2h}}\ntools: [{name: t, hold: 1h}]":                 time.Hour,
		"defaults: {approvals: {expires: 2h}, hold: 1h}\ntools: [{name: t}]":                 2 * time.Hour,
		"defaults: {hold: 1h}\ntools: [{name: t, approvals: {people: 2}}]":                   time.Hour,
		"defaults: {approvals: {people: 2, expires: 2h}}\ntools: [{name: t, approvals: {}}]": 2 * time.Hour,
	} {
		if got := mustParse(t, "version: 1\n"+text).Match("t").Hold; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	set := layered(t)
	everybody, finance := set.Endpoint("everybody"), set.Endpoint("finance")
	if everybody.Kind != StandardWebhooks || everybody.URL() != "https://hooks.example/held" || everybody.Secret() != signingSecret ||
		!slices.Equal(everybody.Arguments, []string{"order_id", "amount"}) || everybody.Private {
		t.Errorf("got %v", everybody)
	}
	if finance.Kind != Slack || finance.URL() != "https://hooks.example/"+secretToken || finance.Secret() != "" || finance.Arguments != nil {
		t.Errorf("got %v", finance)
	}
	if list := set.Endpoints(); len(list) != 2 || list[0] != everybody || set.Endpoint("nobody") != nil {
		t.Errorf("got %v", list)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{*everybody, everybody, *finance, finance} {
			if shown := fmt.Sprintf(verb, value); strings.Contains(shown, "hooks.example") || strings.Contains(shown, signingSecret) {
				t.Errorf("%s of %T shows a secret: %s", verb, value, shown)
			}
		}
	}
	if shown := logged(everybody) + logged(*finance) + asJSON(t, everybody) + asJSON(t, finance); strings.Contains(shown, "hooks.example") || strings.Contains(shown, signingSecret) {
		t.Error("a log or JSON shows a secret")
	}
}
