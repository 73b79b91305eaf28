package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/policy"
)

func TestADraftIsCheckedAndNamesEachPlace(t *testing.T) {
	h := policyHouse(t, newFake())
	_, body := h.post("/policies/mail.send", url.Values{"draft": {"version: 1\r\ntools:\r\n  - name: mail.send\r\n    windw: 3h\r\n"}})
	contains(t, body, `data-line="4" data-column="5"`, "3\n<b>4</b>\n5\n", "unknown key", "did you mean", "windw: 3h", `<details id="workbench" open>`)
	_, body = h.post("/policies/mail.send", url.Values{"draft": {"version: 1\ntools: [{name: other}]"}})
	contains(t, body, "It does not name this tool.")
	_, body = h.post("/policies/mail.send", url.Values{"draft": {"</textarea><script>alert(1)</script>"}})
	contains(t, body, "&lt;/textarea&gt;")
	if resp, _ := h.post("/policies/mail.send", url.Values{"draft": {strings.Repeat("#", maxDraft+1)}}); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a draft that is too long answers %d", resp.StatusCode)
	}
}

// What the files say beside the tool holds for a draft of it.
func TestADraftStandsAmongTheOtherPolicies(t *testing.T) {
	const files = "version: 1\ntools:\n  - name: pay.refund\n    approvals: {notify: [finance]}\n" +
		"notify:\n  finance: {url: \"https://example.com/hook\", secret: \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}\n"
	set, err := policy.Parse("pay.yaml", []byte(files))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{ritasKey, adasKey} {
		h := newHouse(t, newFake(), func(c *Config) { c.Policies = rules{set: set} }).signIn(key)
		body := h.page("/policies/pay.refund")
		contains(t, body, "notify: [finance]", "It can be loaded.", "write it at <code>pay.yaml:3</code>, in place of what stands there.")
		for _, tool := range []string{"pay.refund", "pay.charge"} {
			draft := url.Values{"draft": {"version: 1\ntools:\n  - name: " + tool + "\n    approvals: {notify: [finance]}\n"}}
			_, body = h.post("/policies/"+tool, draft)
			contains(t, body, "It can be loaded.")
			draft.Set("draft", strings.Replace(draft.Get("draft"), "finance", "finanse", 1))
			_, body = h.post("/policies/"+tool, draft)
			contains(t, body, `data-line="4" data-column="26"`, "did you mean")
		}
	}
}

// Who may write into the ledger drafts a policy of the one tool where a glob in a file holds for it; others draft the glob.
func TestADraftOfAToolThatAGlobNames(t *testing.T) {
	r := dayRules(t)
	for key, name := range map[string]string{adasKey: "crm.update", ritasKey: "crm.*"} {
		h := newHouse(t, newFake(), func(c *Config) { c.Policies = r }).signIn(key)
		body := h.page("/policies/crm.update")
		contains(t, body, "  - name: "+yamlKey(name)+"\n    mode: &#34;off&#34;", "It can be loaded.")
		if own := strings.Contains(body, "a policy of this tool alone"); own != (key == adasKey) {
			t.Errorf("%s: that a policy can be saved is said: %v", key, own)
		}
	}
}

func TestADraftSaysThatAHeaderIsLeftOut(t *testing.T) {
	const files = "version: 1\ntools:\n  - name: pay\n    upstream: {http: {url: \"https://example.com/\", headers: {X-Team: blue}}}\n"
	set, err := policy.Parse("pay.yaml", []byte(files))
	if err != nil {
		t.Fatal(err)
	}
	draft := draftOf("pay", set.Match("pay"))
	if !strings.Contains(draft, "Keep what it has there.") || strings.Contains(draft, "blue") {
		t.Error(draft)
	}
}
