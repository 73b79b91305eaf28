package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

const keptText = "version: 1\ntools:\n  - name: pay.kept\n    mode: warn # <b>watched</b>\n"

// editorHouse has a policy in the ledger, and an admin who looks at it.
func editorHouse(t *testing.T, f *fake, key string) *house {
	t.Helper()
	files := dayRules(t).set
	set, laid := files.Overlay([]policy.Kept{{Pattern: "pay.kept", Versions: []policy.Version{{Number: 8, Text: []byte(keptText)}}}})
	if laid[0].Err != nil {
		t.Fatal(laid[0].Err)
	}
	f.versions = []guard.PolicyVersion{
		{Number: 8, Tool: "pay.kept", Text: keptText, Author: "ada", Reason: "Watch first.", At: time.Now(), Onto: 5, InForce: true,
			Diff: "--- pay.kept@5\n+++ pay.kept@8\n@@ -1 +1 @@\n-    mode: off\n+    mode: warn # <b>watched</b>\n"},
		{Number: 5, Tool: "pay.kept", Text: "version: 1\ntools:\n  - name: pay.kept\n    mode: off\n", Author: "ada", Reason: "Begin.", At: time.Now()},
	}
	h := newHouse(t, f, func(c *Config) { c.Policies = rules{set: set} }).signIn(key)
	f.files = files
	return h
}

func TestAnAdminEditsAPolicyOfTheLedger(t *testing.T) {
	f := newFake()
	h := editorHouse(t, f, adasKey)
	body := h.page("/policies/pay.kept")
	contains(t, body, "ledger:pay.kept@8:3", "mode: warn # &lt;b&gt;watched&lt;/b&gt;", `name="onto" value="8"`, "Save and bring into force", "Watch first.", "<del>-    mode: off</del>", "Version 5", `href="/policies/pay.kept?version=5#h-draft"`)
	lacks(t, body, "<b>watched", "It is written in a file")
	contains(t, h.page("/policies/pay.kept?version=5"), "mode: off\n</textarea>", "Back to version 5.", `<details id="workbench" open>`)
	contains(t, h.page("/policies"), "ledger:pay.kept@8:3", "</time> by ada", "Write a policy")
	if resp, _ := h.get("/policies?tool=a/b"); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/policies/a%2Fb" {
		t.Errorf("a new policy: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}

	contains(t, h.page("/policies/pay.kept?saved=8"), "Version 8 is in force on all servers.")
	lacks(t, h.page("/policies/pay.kept?saved=7"), "on all servers.")
	form := url.Values{"do": {"save"}, "draft": {keptText}, "onto": {"8"}, "reason": {" Enough seen. "}}
	if resp, _ := h.post("/policies/pay.kept", form); resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/policies/pay.kept?saved=9" {
		t.Errorf("saved: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if len(f.edits) != 1 || f.edits[0] != (guard.PolicyEdit{Tool: "pay.kept", Text: keptText, Reason: "Enough seen.", Onto: 8}) {
		t.Errorf("%+v", f.edits)
	}
	form.Set("do", "delete")
	h.post("/policies/pay.kept", form)
	if e := f.edits[1]; e.Text != "" || e.Onto != 8 {
		t.Errorf("deleted with %+v", e)
	}
	form.Set("do", "check")
	h.post("/policies/pay.kept", form)
	form.Del("do") // as the page does while one types
	h.post("/policies/pay.kept", form)
	if len(f.edits) != 2 {
		t.Error("a check has written")
	}
}

func TestWhatIsRefusedStaysInTheEditor(t *testing.T) {
	f := newFake()
	h := editorHouse(t, f, adasKey)
	f.refusal = &guard.Error{Code: guard.CodeConflict, Message: "another version has been written since: 9 stands and not 8"}
	f.overtaken = []guard.PolicyVersion{{Number: 9, Tool: "pay.kept", Text: keptText + "    window: 168h\n", Author: "grace", Reason: "Orders <b>wait.", At: time.Now()}}
	_, body := h.post("/policies/pay.kept", url.Values{"do": {"save"}, "draft": {keptText + "    window: 3h\n"}, "onto": {"8"}, "reason": {"Mine."}})
	contains(t, body, "Not saved: another version", "window: 3h", `value="Mine."`, `<details id="workbench" open>`, `name="onto" value="9"`)
	contains(t, body, "Version 9 by <bdi>grace</bdi>", "Orders &lt;b&gt;wait.", "<del>-    window: 168h</del>", "<ins>+    window: 3h</ins>")
	_, body = h.post("/policies/pay.kept", url.Values{"do": {"save"}, "draft": {"version: 1\ntools: [{name: pay.other}]"}, "reason": {"x"}})
	contains(t, body, "The draft is about pay.other")
	_, body = h.post("/policies/pay.kept", url.Values{"do": {"save"}, "draft": {" "}, "reason": {"x"}})
	contains(t, body, "The draft is empty.")
	if len(f.edits) != 1 {
		t.Errorf("%+v", f.edits)
	}
}

// The page says what a draft changes, and where, before anybody saves it.
func TestADraftIsHeldAgainstWhatStands(t *testing.T) {
	h := editorHouse(t, newFake(), adasKey)
	lacks(t, h.page("/policies/pay.kept"), "What it changes")
	_, body := h.post("/policies/pay.kept", url.Values{"draft": {strings.Replace(keptText, "warn", "enforce", 1) + "\n\n"}})
	_, changes, _ := strings.Cut(body, "What it changes")
	changes, _, _ = strings.Cut(changes, "</pre>")
	contains(t, changes, `<span class="muted">line 1</span>`, "<del>-    mode: warn # &lt;b&gt;watched&lt;/b&gt;</del>", "<ins>+    mode: enforce # &lt;b&gt;watched&lt;/b&gt;</ins>")
	if n := strings.Count(changes, "<ins>"); n != 1 {
		t.Errorf("%d lines are new:\n%s", n, changes)
	}
	lacks(t, h.page("/policies/no.policy.yet"), "What it changes")
}

func TestAPartOfADiffSaysWhereItBegins(t *testing.T) {
	for line, want := range map[string]string{
		"@@ -27,3 +28,4 @@": "line 28", "@@ -1 +1 @@": "line 1", "@@ -0,0 +1,5 @@": "line 1", `\ No newline at end of file`: `\ No newline at end of file`,
	} {
		if got := diffLines("--- a\n+++ b\n" + line + "\n"); len(got) != 1 || got[0] != (diffLine{"@", want}) {
			t.Errorf("%s is shown as %+v", line, got)
		}
	}
}

func TestWhoMayNotEditSeesNoVersions(t *testing.T) {
	f := newFake()
	h := editorHouse(t, f, ritasKey)
	body := h.page("/policies/pay.kept")
	contains(t, body, "ledger:pay.kept@8:3", "The admins of this installation change it.")
	lacks(t, body, "Watch first.", "Save and bring", "# &lt;b")
	body = editorHouse(t, newFake(), adasKey).page("/policies/payments.refund")
	contains(t, body, "It is written in a file")
	lacks(t, body, "Save and bring", "Watch first.")
}

const defectiveText = "version: 1\ntools:\n  - name: [pay\n"

// defective are policies of which the ledger's one cannot be used.
func defective() *policy.Set {
	set, _ := policy.Empty().Overlay([]policy.Kept{{Pattern: "pay", Versions: []policy.Version{{Number: 3, Text: []byte(defectiveText)}}}})
	return set
}

func TestARefusedPolicySaysWhy(t *testing.T) {
	f := newFake()
	f.versions = []guard.PolicyVersion{{Number: 3, Tool: "pay", Text: defectiveText, Author: "ada", Reason: "Typed in haste."}}
	h := newHouse(t, f, func(c *Config) { c.Policies = rules{set: defective()} }).signIn(adasKey)
	f.files = policy.Empty()
	body := h.page("/policies/pay")
	contains(t, body, "calls of its tools are refused", "ledger:pay@3:3:11", "not valid YAML", "unusable", "name: [pay\n</textarea>", `data-line="3"`)
	lacks(t, body, "kind: write")
	contains(t, h.page("/policies"), "/policies/pay", "unusable")
}
