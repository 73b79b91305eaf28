package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// trial asks to judge two refunds, by the draft where it is not "".
func trial(draft string) url.Values {
	if draft == "" {
		draft = refundDraft("", "")
	}
	return url.Values{"earlier": {`{"order_id":"A-1","amount":25}`}, "now": {`{"order_id":"A-1","amount":900}`}, "do": {"try"}, "draft": {draft}}
}

// refundDraft is the policy of refunds as the editor begins with it, with one text in place of another.
func refundDraft(old, new string) string {
	text, _, _ := strings.Cut(dayPolicies, "  - name: mail.send")
	return strings.Replace(text, old, new, 1)
}

func TestTwoCallsAreJudgedByThePolicyInForce(t *testing.T) {
	f := newFake()
	f.shown = guard.Explained{Canonical: `{"order_id":"A-1","amount":900}`, Verdict: guard.Verdict{Relation: guard.SameIdentity, Sentence: "Another refund of A-1."}}
	h := policyHouse(t, f)
	calls := trial("")
	calls.Set("draft", draftOf("payments.refund", h.web.policies.Current().Match("payments.refund"))+"\n")
	_, body := h.post("/policies/payments.refund", calls)
	contains(t, body, "Judged by <strong>the policy in force</strong>, <code>payments.yaml:3</code>", "Two effects on the same thing", "Another refund of A-1.",
		"The policy says: hold.", "<strong>held</strong>", "Refunds above 500 need a person.")
	lacks(t, body, `<details id="workbench" open>`, "<strong>the draft</strong>")
	f.shown.Canonical = `{"order_id":5}`
	_, body = h.post("/policies/payments.refund", calls)
	contains(t, body, "turned back")
	f.err = &guard.Error{Code: guard.CodeInvalid, Field: "/other/arguments", Message: "is no JSON"}
	_, body = h.post("/policies/payments.refund", calls)
	contains(t, body, "The earlier call cannot be judged for its arguments: is no JSON.")
}

func TestTwoCallsAreJudgedByTheDraft(t *testing.T) {
	f := newFake()
	f.shown = guard.Explained{Canonical: `{"order_id":"A-1","amount":900}`, Verdict: guard.Verdict{Relation: guard.SameIdentity, Sentence: "Another refund of A-1."}}
	h := policyHouse(t, f)
	_, body := h.post("/policies/payments.refund", trial(refundDraft("same_identity: hold", "same_identity: block")))
	contains(t, body, "Judged by <strong>the draft</strong>", "The policy says: block.", "same_identity: block}\n", `<details id="workbench" open>`,
		"Under the policy in force: two effects on the same thing. The policy says: hold. The later call by itself: held.")
	if under := f.under[len(f.under)-1]; under == h.web.policies.Current() || under.Match("payments.refund").On.SameIdentity != "block" {
		t.Error("the calls were not judged by the draft")
	}
	_, body = h.post("/policies/payments.refund", trial(refundDraft("then: hold", "then: deny")))
	contains(t, body, "The later call by itself: <strong>denied</strong>", "<code>draft:16</code>", "The later call by itself: held.")
	_, body = h.post("/policies/payments.refund", trial(refundDraft("window: 72h", "window: 48h")))
	contains(t, body, "Judged by <strong>the draft</strong>", "The policy in force says the same.")
	_, body = h.post("/policies/payments.refund", trial(refundDraft("    window: 72h", "    window: 72h\n    mode: warn")))
	contains(t, body, "It only warns, so both are sent.")
	_, body = h.post("/policies/payments.refund", trial("version: 1\ntools: [{name: payments.refund, kind: read}]\n"))
	contains(t, body, "calls of this tool are not recorded", "<strong>let through</strong>")
}

func TestCallsThatNobodyCanJudge(t *testing.T) {
	f := newFake()
	f.err = &guard.Error{Code: guard.CodeInvalid, Field: "/run", Message: "must be named"}
	h := policyHouse(t, f)
	_, body := h.post("/policies/payments.refund", trial(refundDraft("window: 72h", "window: 48h")))
	if n := strings.Count(body, "The later call cannot be judged for its run: must be named."); n != 1 {
		t.Errorf("that it cannot be judged is said %d times", n)
	}
}

// Conditions see what an agent would send beside the arguments, and the time.
func TestATrialHasAllThatConditionsSee(t *testing.T) {
	f := newFake()
	f.shown = guard.Explained{Canonical: `{}`}
	h := policyHouse(t, f)
	calls := trial("version: 1\ntools:\n  - name: mail.send\n    rules: [{if: \"agent == 'intern' && run == 'r1' && 'night' in labels && labels.env == 'prod' && now.getFullYear() > 2020\", then: deny}]\n")
	for field, value := range map[string]string{"now-agent": " intern", "now-run": "r1", "now-labels": "night, env = prod,,"} {
		calls.Set(field, value)
	}
	_, body := h.post("/policies/mail.send", calls)
	contains(t, body, "The later call by itself: <strong>denied</strong>", `name="now-labels" value="night, env = prod,,"`, `name="now-agent" value="intern"`)
	calls.Set("now-labels", "")
	_, body = h.post("/policies/mail.send", calls)
	contains(t, body, "The later call by itself: <strong>allowed</strong>")
}

// A draft that cannot be loaded judges nothing, and what is in force does not judge in its stead.
func TestADraftThatCannotBeLoadedJudgesNothing(t *testing.T) {
	f := newFake()
	f.shown = guard.Explained{Canonical: `{}`, Verdict: guard.Verdict{Relation: guard.SameEffect}}
	h := policyHouse(t, f)
	_, body := h.post("/policies/payments.refund", trial(refundDraft("window: 72h", "windw: 72h")))
	_, verdict, _ := strings.Cut(body, `id="verdict"`)
	contains(t, verdict, "The draft cannot be loaded, so it judges nothing.", `data-line="13" data-column="5"`, "unknown key", "did you mean")
	lacks(t, verdict, "The same effect", "Judged by")
	_, body = h.post("/policies/payments.refund", trial("version: 1\ntools: [{name: another}]\n"))
	contains(t, body, "The draft does not name this tool, so it judges none of its calls.")
	lacks(t, body, "The same effect")
}

// A version that cannot be used, and was not touched in the editor, is another text than what is in force.
func TestAnUnusableVersionIsADraft(t *testing.T) {
	f := newFake()
	h := editorHouse(t, f, adasKey)
	f.versions[0].Text, f.versions[0].InForce = keptText+"    windw: 3h\n", false
	_, body := h.post("/policies/pay.kept", trial(f.versions[0].Text))
	contains(t, body, "The draft cannot be loaded, so it judges nothing.")
}

func TestCallsOfARefusedToolAreNotJudged(t *testing.T) {
	h := newHouse(t, newFake(), func(c *Config) { c.Policies = rules{set: defective()} }).signIn(ritasKey)
	body := h.page("/policies/pay")
	draft := draftOf("pay", h.web.policies.Current().Match("pay"))
	contains(t, body, "It can be loaded.")
	resp, body := h.post("/policies/pay", trial(draft))
	if resp.StatusCode != http.StatusOK {
		t.Errorf("answers %d", resp.StatusCode)
	}
	contains(t, body, "so calls of this tool are refused.")
	_, body = h.post("/policies/pay", trial(strings.TrimSpace(draft)+"\n    window: 3h\n"))
	contains(t, body, "Judged by <strong>the draft</strong>", "Under the policy in force: No version of the policy can be used")
}

// A review brings its call, and the one that stood in its way, to the draft that it speaks for.
func TestASuggestedDraftJudgesTheCallsOfItsReview(t *testing.T) {
	near, earlier := held("ef_2", `{"to":["ann@example.com"],"body":"Hello"}`), held("ef_1", `{"to":["ann@example.com"],"body":"Hello!"}`)
	near.Tool, earlier.Tool, near.Review, near.Related = "mail.send", "mail.send", guard.CodeNear, "ef_1"
	f := newFake(near, earlier)
	f.shown = guard.Explained{Canonical: `{}`, Verdict: guard.Verdict{Relation: guard.NearEffect}}
	contains(t, policyHouse(t, f).page("/policies/mail.send?suggest=ef_2"), "Judged by <strong>the draft</strong>", "Different in wording only", "The policy says: confirm.",
		"Under the policy in force: different in wording only. The policy says: hold.")
}
