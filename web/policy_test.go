package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func policyHouse(t *testing.T, f *fake) *house {
	r := dayRules(t)
	return newHouse(t, f, func(c *Config) { c.Policies = r }).signIn(ritasKey)
}

func TestPoliciesAreListedWithTheirPlaces(t *testing.T) {
	body := policyHouse(t, newFake()).page("/policies")
	contains(t, body, `href="/policies/payments.refund"`, "payments.yaml:3", "POST https://pay.example.com/v1/refunds", "72h", `class="mode warn"`, `href="/policies/crm.%2A"`)
	lacks(t, body, "secret")
}

func TestOnePolicyShowsWhereEachLineComesFrom(t *testing.T) {
	h := policyHouse(t, newFake())
	body := h.page("/policies/payments.refund")
	contains(t, body, "order_id: {role: identity, kind: id}", "payments.yaml:8", "Bearer ${env:PAY_TOKEN}", "done: replay", "built in", "It can be loaded.")
	lacks(t, body, "secret")
	contains(t, h.page("/policies/crm.%2A"), "crm.*", `class="mode off"`)
	contains(t, h.page("/policies/crm.update"), "policy <bdi>crm.*</bdi>")
	contains(t, h.page("/policies/nobody%2Fknows%3Cb%3E"), "nobody/knows&lt;b&gt;", "Tools that no policy names are guarded")
	if resp, _ := h.get("/policies/" + strings.Repeat("x", guard.MaxToolName+1)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a name that is too long answers %d", resp.StatusCode)
	}
}

// What a page gives as a draft must be a policy that can be loaded and says the same.
func TestDraftsSayWhatIsInForce(t *testing.T) {
	r := dayRules(t)
	long, err := policy.Parse("long.yaml", []byte(`version: 1
tools:
  - name: "odd:*name"
    effect: "true"
    redact: ["a b"]
    arguments: {"a b": {role: identity}, "null": {kind: text}, on: {kind: bool}, "5": {role: commentary}}
    scope: [run, "label:x"]
    rules:
      - if: |
          args.amount > 500 &&
          agent != 'x'
        then: hold
        why: "`+strings.Repeat("Why: 'so' # and. ", 12)+`"
    upstream: {http: {url: "https://example.com/{on}", headers: {X-Token: "${env:PAY_TOKEN}"}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range append(r.set.Rules(), long.Rules()...) {
		set, err := policy.Parse(draftName, []byte(draftOf(rule.Pattern, rule)))
		if err != nil {
			t.Errorf("%s: %v", rule.Pattern, err)
			continue
		}
		if got := set.Rules()[0]; got.Digest != rule.Digest {
			t.Errorf("%s: the draft is another policy:\n%s", rule.Pattern, draftOf(rule.Pattern, rule))
		}
	}
}

func TestAReviewSuggestsARule(t *testing.T) {
	near := held("ef_1", `{"to":"ann@example.com","body":"Hello"}`)
	near.Tool, near.Review = "mail.send", guard.CodeNear
	wild := held("ef_2", `{"a b":1,"on":2,"null":3,"</textarea>":4}`)
	wild.Tool = "unheard.of"
	h := policyHouse(t, newFake(near, wild))
	contains(t, h.page("/policies/mail.send?suggest=ef_1"), "near: confirm", "may declare that one more is meant", "ann@example.com", "It can be loaded.", `<details id="workbench" open>`)
	body := h.page("/policies/unheard.of?suggest=ef_2")
	contains(t, body, "name: unheard.of", "It can be loaded.", "&#34;null&#34;:", "&lt;/textarea&gt;")
	if resp, _ := h.get("/policies/mail.send?suggest=ef_9"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an effect that is not there answers %d", resp.StatusCode)
	}
}

func TestYAMLValuesAreOneLineWhereTheyAreShort(t *testing.T) {
	for value, want := range map[string]string{
		`"replay"`: "replay", `"24h"`: "24h", `true`: "true", `"true"`: `"true"`, `["run","label:x"]`: `[run, "label:x"]`,
		`{"role":"identity","kind":"id"}`: "{role: identity, kind: id}", `"${env:A}: b"`: `"${env:A}: b"`,
	} {
		if got := strings.Join(yamlValue([]byte(value)), "\n"); got != want {
			t.Errorf("%s is written %q, want %q", value, got, want)
		}
	}
	long := yamlValue([]byte(`{"type":"object","properties":{"a":{"type":"string","description":"` + strings.Repeat("x", 80) + `"}}}`))
	if len(long) < 4 || long[0] != "" || long[1] != "type: object" {
		t.Errorf("a long value is written %q", long)
	}
}
