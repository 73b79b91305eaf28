package guard_test

import (
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
)

// tellingFiles are policy files with an endpoint, defaults, and a tool that uses both.
const tellingFiles = `version: 1
defaults: {window: 48h}
notify:
  finance: {url: "https://example.com/hook", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
tools:
  - name: refund
    approvals: {notify: [finance]}
  - name: ship
`

// What the files declare for all tools can be used in a version that the ledger keeps, and in a draft of a file.
func TestADraftUsesTheEndpointsOfTheFiles(t *testing.T) {
	underPolicies(t, tellingFiles, func(t *testing.T, w *world) {
		kept := file(tool("pay", "approvals: {notify: [finance]}"))
		set, err := w.CheckPolicy(t.Context(), guard.PolicyEdit{Tool: "pay", Text: kept})
		if err != nil || len(set.Match("pay").Approvals.Notify) != 1 {
			t.Fatalf("checked: %v", err)
		}
		if v := w.write("pay", kept, 0); !v.InForce {
			t.Errorf("saved: %+v", v)
		}
		set, err = w.CheckFile(t.Context(), file(tool("refund", "scope: [run]", "approvals: {notify: [finance]}")))
		if err != nil {
			t.Fatal(err)
		}
		if r := set.Match("refund"); r.Source != "draft:3" || len(r.Approvals.Notify) != 1 || r.Window.Hours() != 48 {
			t.Errorf("the draft is %+v", r)
		}
		if r := set.Match("pay"); r.Kept == 0 || set.Match("ship").Unknown {
			t.Errorf("the other policies are not beside the draft: %+v", r)
		}
		if w.Policies().Current().Match("refund").Scope != nil {
			t.Error("a check has changed what is in force")
		}
	})
}

func TestWhatIsWrongWithADraftOfAFile(t *testing.T) {
	underPolicies(t, tellingFiles, func(t *testing.T, w *world) {
		for text, says := range map[string]string{
			file(tool("refund", "approvals: {notify: [finanse]}")): `draft:4:26: approvals.notify names "finanse"`,
			file(tool("refund", "windw: 3h")):                      `draft:4:5: unknown key "windw"`,
			"":                                                     "the file holds no policy",
		} {
			_, err := w.CheckFile(t.Context(), text)
			if guard.CodeOf(err) != guard.CodeInvalid || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v, want %s", text, err, says)
			}
		}
		// A draft in place of a tool of the ledger is what holds, as a file would.
		w.write("pay", file(tool("pay", "mode: warn")), 0)
		set, err := w.CheckFile(t.Context(), file(tool("pay", `mode: "off"`)))
		if err != nil || set.Match("pay").Mode != "off" {
			t.Errorf("%v", err)
		}
		// What the draft says of all tools may spoil a version that stands.
		w.write("slow", file(tool("slow", "hold: 3h")), 0)
		_, err = w.CheckFile(t.Context(), "version: 1\ngroups: [{apply_to: [\"slow*\"], on: {unknown: retry}}]\ntools:\n"+
			tool(`"slow*"`, "idempotent: true", `upstream: {http: {url: "https://example.com/", idempotency_header: Key}}`))
		if guard.CodeOf(err) != guard.CodeInvalid || !strings.Contains(err.Error(), `the policy of "slow" could no longer be used`) {
			t.Errorf("a version that cannot stand beside the draft: %v", err)
		}
	})
}

// A draft judges calls before it is in force, and the policies in force go on to judge as before.
func TestADraftJudgesCalls(t *testing.T) {
	underPolicies(t, file(tool("pay", "arguments: {to: {role: identity}}")), func(t *testing.T, w *world) {
		now, earlier := call("pay", `{"to":"ann","why":"rent"}`), call("pay", `{"to":"ann","why":"the rent"}`)
		draft, err := w.CheckFile(t.Context(), file(tool("pay", "arguments: {to: {role: identity}, why: {role: commentary}}")))
		if err != nil {
			t.Fatal(err)
		}
		x, err := w.FingerprintUnder(t.Context(), alice, draft, now, &earlier)
		if err != nil || x.Verdict.Relation != guard.SameEffect || !x.Comparison.Same || x.Source != "draft:3" || x.Recorded != nil {
			t.Errorf("under the draft: %+v, %v", x, err)
		}
		x, err = w.Fingerprint(t.Context(), alice, now, &earlier)
		if err != nil || x.Verdict.Relation != guard.SameIdentity || x.Comparison.Same {
			t.Errorf("in force: %+v, %v", x, err)
		}
		earlier.Arguments = []byte(`{"to":`)
		_, err = w.FingerprintUnder(t.Context(), alice, draft, now, &earlier)
		expectField(t, err, "/other/arguments")
		_, err = w.FingerprintUnder(t.Context(), alice, draft, earlier, nil)
		expectField(t, err, "/arguments")
	})
}

// expectField fails unless an error is the caller's and names the part of the request.
func expectField(t *testing.T, err error, field string) {
	t.Helper()
	e, ok := err.(*guard.Error)
	if !ok || e.Code != guard.CodeInvalid || !strings.HasPrefix(e.Field, field) {
		t.Errorf("%v is not about %s", err, field)
	}
}
