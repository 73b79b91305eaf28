package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

func mustParse(t testing.TB, text string) *Set {
	t.Helper()
	set, err := Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// oneTool is the rule of a tool "t" with the given lines.
func oneTool(t testing.TB, lines ...string) *Rule {
	t.Helper()
	return oneToolSet(t, lines...).Match("t")
}

func oneToolSet(t testing.TB, lines ...string) *Set {
	t.Helper()
	return mustParse(t, "version: 1\ntools:\n  - name: t\n    "+strings.Join(lines, "\n    ")+"\n")
}

func arguments(t testing.TB, text string) fingerprint.Value {
	t.Helper()
	v, err := fingerprint.Decode([]byte(text), fingerprint.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWorkingPolicySaysWhatItSays(t *testing.T) {
	t.Setenv("POLICY_TEST_TOKEN", secretToken)
	set, err := Load("testdata/working_refunds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := *set.Match("payments.refund")
	want := Rule{
		Pattern: "payments.refund", Source: "working_refunds.yaml:8", Digest: got.Digest, Effect: "refund", Kind: Write,
		Upstream: got.Upstream, Arguments: got.Arguments, Scope: []string{"run", "label:ticket"},
		Window: 72 * time.Hour, Lease: 2 * time.Minute, Hold: 7 * 24 * time.Hour,
		On:   On{Pending: Block, Done: Replay, Failed: Retry, Partial: Hold, Unknown: Retry, SameIdentity: Hold, OtherScope: Hold, Near: Confirm},
		Near: Near{Same: 0.95, Near: 0.5, Opposites: [][]string{{"credit", "debit"}}}, Occurrence: Occurrence{Label: "part"}, resource: got.resource,
		Share: ShareTenant, Keys: KeysTrusted, Idempotent: true, Attempts: 4,
		Mode: ModeEnforce, Approvals: Approvals{People: 1}, Annotations: defaultAnnotations(), lines: got.lines,
		schema: got.schema, conditions: got.conditions, reads: got.reads, outcomes: got.outcomes, wordings: got.wordings,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(got.Digest) != 32 || len(got.conditions) != 3 || len(got.outcomes) != 4 || got.Upstream.HTTP.Timeout != 10*time.Second || !got.Upstream.HTTP.Private {
		t.Errorf("got %+v", got)
	}
	read := set.Match("github__list_issues")
	if read.Kind != Read || read.Effect != "github__list_issues" || read.Unknown {
		t.Errorf("got %+v", read)
	}
}

func TestDefaultsOfTheLanguage(t *testing.T) {
	got := *mustParse(t, "version: 1\ntools: [{name: t}]").Match("t")
	want := Rule{
		Pattern: "t", Source: "p.yaml:2", Digest: got.Digest, Effect: "t", Kind: Write, Arguments: got.Arguments,
		Window: 24 * time.Hour, Lease: 5 * time.Minute, Hold: 24 * time.Hour,
		On: On{Pending: Wait, Done: Replay, Failed: Retry, Partial: Hold, Unknown: Hold, SameIdentity: Allow, OtherScope: Confirm, Near: Hold}, Near: defaultNear(),
		Share: ShareSubject, Keys: KeysHint, wordings: builtinWordings,
		Mode: ModeEnforce, Approvals: Approvals{People: 1}, Annotations: defaultAnnotations(), lines: got.lines,
	}
	if !reflect.DeepEqual(got, want) || got.Arguments == nil {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestScopeTenantIsNotTheDefault(t *testing.T) {
	if got := oneTool(t, "scope: [tenant]").Scope; !slices.Equal(got, []string{ScopeTenant}) {
		t.Errorf("scope %q", got)
	}
	if got := oneTool(t).Scope; got != nil {
		t.Errorf("scope %q", got)
	}
}

func TestRetryOfUnknownIsBoundedByDefault(t *testing.T) {
	rule := oneTool(t, "idempotent: true", "on: {unknown: retry}", `upstream: {http: {url: "https://a.example/x", idempotency_header: K}}`)
	if rule.Attempts != 3 {
		t.Errorf("attempts %d", rule.Attempts)
	}
	if rule := oneTool(t); rule.Attempts != 0 {
		t.Errorf("attempts %d", rule.Attempts)
	}
}

func TestUnknownTools(t *testing.T) {
	for choice, want := range map[string]struct {
		kind   Kind
		action Action
	}{"guard": {Write, ActAllow}, "deny": {Write, ActDeny}, "pass": {Read, ActAllow}} {
		set := mustParse(t, "version: 1\ndefaults: {unknown_tools: "+choice+"}")
		rule := set.Match("anything")
		verdict := rule.Check(t.Context(), Facts{})
		if !rule.Unknown || rule.Kind != want.kind || rule.Effect != "anything" || rule.Upstream != nil || verdict.Action != want.action || set.UnknownTools() != choice {
			t.Errorf("%s: %+v, %+v", choice, rule, verdict)
		}
		if (want.action == ActDeny) != (verdict.Why != "") {
			t.Errorf("%s: why %q", choice, verdict.Why)
		}
	}
	if rule := Empty().Match("x"); !rule.Unknown || rule.Kind != Write || rule.Effect != "x" {
		t.Errorf("got %+v", rule)
	}
}

// The digest follows content, not position: moving or commenting a rule keeps it and each change of a key makes another.
func TestDigestIdentifiesContent(t *testing.T) {
	base := oneTool(t).Digest
	moved := mustParse(t, "# a comment\n\nversion: 1\ntools:\n  - name: other\n  - {name: t}\n").Match("t")
	if moved.Digest != base {
		t.Error("a moved rule has another digest")
	}
	seen := map[string]string{base: "nothing"}
	for _, line := range []string{
		"effect: x", "window: 1h", "lease: 1h", "hold: 1h", "scope: [run]", "share: tenant", "keys: trusted", "idempotent: true", "attempts: 2",
		"on: {done: block}", "on: {pending: block}", "on: {near: allow}", "near: {same: 0.8}", "near: {near: 0.8}", "near: {opposites: [[a, b]]}",
		"occurrence: n", `occurrence: "label:n"`, "occurrence: {caller: 2}", "occurrence: {caller: 3}", `resource: "a"`, `resource: "{a}"`, `resource: [a, "{a}"]`, "arguments: {}",
		"arguments: {a: {role: identity, as: b}}", "arguments: {a: {role: identity}}", "arguments: {a: {role: volatile}}", "schema: {type: object}",
		`rules: [{if: "true", then: hold}]`, `rules: [{if: "true", then: deny}]`, `rules: [{if: "true", then: deny, why: w}]`,
		`done_when: "true"`, `failed_when: "true"`, "mode: warn", "mode: off", "annotations: {readOnlyHint: true}", "redact: [a]", "redact: [b]", "seal: [a]",
		"limits: [{count: 5, per: 1h, then: hold}]", "limits: [{count: 6, per: 1h, then: hold}]", "limits: [{count: 5, per: 1h, by: [agent], then: hold}]",
		"limits: [{sum: args.a, max: 5, per: 1h, then: hold}]", "limits: [{sum: args.a, max: 5, per: 1h, then: deny}]",
		"approvals: {people: 2}", "approvals: {roles: [admin]}", `approvals: {when: "true"}`, `approvals: {when: "false"}`, "approvals: {expires: 3h}",
		`upstream: {http: {url: "https://a.example/x"}}`, `upstream: {http: {url: "https://a.example/y"}}`, `upstream: {http: {url: "https://a.example/x", method: PUT}}`,
		`upstream: {http: {url: "https://a.example/x", body: []}}`, `upstream: {http: {url: "https://a.example/x", headers: {A: b}}}`,
		`upstream: {http: {url: "https://a.example/x", network: private}}`, `upstream: {http: {url: "https://a.example/x", timeout: 1s}}`,
		`upstream: {http: {url: "https://a.example/x", idempotency_header: K}}`,
	} {
		digest := oneTool(t, line).Digest
		if twin, ok := seen[digest]; ok {
			t.Errorf("%s has the digest of %s", line, twin)
		}
		seen[digest] = line
	}
}

// Digests are recorded with effects, so they stay what they are as the language grows.
func TestDigestsOfEarlierPoliciesStay(t *testing.T) {
	t.Setenv("POLICY_TEST_TOKEN", "x")
	set, err := Load("testdata/working_refunds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	unknown := func(choice string) *Rule {
		return mustParse(t, "version: 1\ndefaults: {window: 1h, unknown_tools: "+choice+"}").Match("q")
	}
	for name, c := range map[string]struct {
		rule *Rule
		want string
	}{
		"full":           {set.Match("payments.refund"), "3defc4a3e8fa432e507915126e8cdabf"},
		"read":           {set.Match("github__list_issues"), "a6eb48b50d17954768432be9a38e13e6"},
		"glob":           {set.Match("github__x"), "deee65896aeeb28dec1ef8bae9ed2a0a"},
		"unknown":        {set.Match("other"), "f4add7f8c6af2413111ece86a89c96e1"},
		"no policy":      {Empty().Match("x"), "39cd0c71ebba47cd39d2be1424eaf039"},
		"plain":          {oneTool(t), "5a6bf944e6ffa2e925aa84b93ccdd02f"},
		"default window": {mustParse(t, "version: 1\ndefaults: {window: 1h}\ntools: [{name: t}]").Match("t"), "0c1a634d4aca623c60a7b45ab93ea42a"},
		"denied":         {unknown("deny"), "a705329e7cbbbde5d0f1bb0179e08ec6"},
		"passed":         {unknown("pass"), "057d8efab01ebde4cb9729b97d754e5f"},
	} {
		if c.rule.Digest != c.want {
			t.Errorf("%s: %s, want %s", name, c.rule.Digest, c.want)
		}
	}
}

func TestRotatedSecretIsNoNewRule(t *testing.T) {
	digest := func(value string) string {
		t.Setenv("POLICY_TEST_TOKEN", value)
		return oneTool(t, `upstream: {http: {url: "https://a.example/x", headers: {A: "${env:POLICY_TEST_TOKEN}"}}}`).Digest
	}
	if digest("one") != digest("two") {
		t.Error("the digest depends on the environment")
	}
}

func TestSchemaDefaultsJoinAbsentAndPresent(t *testing.T) {
	maker, err := fingerprint.NewMaker([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	key := func(rule *Rule, args string) fingerprint.Digest {
		return maker.Sum(rule.Arguments, fingerprint.Input{Tenant: "x", Effect: rule.Effect}, arguments(t, args)).Key
	}
	declared := oneTool(t, "schema: {type: object, properties: {n: {type: number, default: 1}, s: {default: 12345678901234567890123}}}", "arguments: {n: {kind: number}}")
	if key(declared, `{}`) != key(declared, `{"n": 1.0, "s": 12345678901234567890123}`) {
		t.Error("the default of the schema does not count")
	}
	if key(declared, `{}`) == key(declared, `{"n": 2}`) {
		t.Error("another value is equal to the default")
	}
	own := oneTool(t, "schema: {type: object, properties: {n: {default: 1}}}", "arguments: {n: {default: 5}}")
	if key(own, `{}`) != key(own, `{"n": 5}`) || key(own, `{}`) == key(own, `{"n": 1}`) {
		t.Error("the policy's own default does not go first")
	}
	currency := oneTool(t, "schema: {properties: {amount: {}, cur: {default: EUR}}}", "arguments: {amount: {kind: money, currency: cur}}")
	if key(currency, `{"amount": 5}`) != key(currency, `{"amount": "5.00", "cur": "eur"}`) {
		t.Error("the default currency does not count, or is not compared as a currency")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"72h": 72 * time.Hour, "3d": 72 * time.Hour, "2w": 14 * day, "1w2d3h4m": week + 2*day + 3*time.Hour + 4*time.Minute, "1.5h": 90 * time.Minute,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "3", "3 d", "-1d", "1d-5h", "1d5", "99999999999999999999d", "10001w", "1dw", "h"} {
		if got, err := parseDuration(text); err == nil && got > 0 {
			t.Errorf("%q is %v", text, got)
		}
	}
	for d, want := range map[time.Duration]string{day: "1d", 36 * time.Hour: "36h", 10 * time.Minute: "10m", 90 * time.Second: "1m30s", time.Millisecond: "1ms"} {
		if got := ShowDuration(d); got != want {
			t.Errorf("%v is shown as %s", d, got)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Setenv("POLICY_TEST_TOKEN", secretToken)
	rule := oneTool(t, `upstream: {http: {url: "https://a.example/${env:POLICY_TEST_TOKEN}/x", headers: {A: "${env:POLICY_TEST_TOKEN}"}}}`)
	request, err := rule.Upstream.HTTP.Render(arguments(t, `{}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if request.Header["A"][0] != secretToken || !strings.Contains(request.URL, secretToken) {
		t.Errorf("the secret is not sent: %s", request.URL)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{*rule, rule, *rule.Upstream, *rule.Upstream.HTTP, rule.Upstream.HTTP, request, &request} {
			if shown := fmt.Sprintf(verb, value); strings.Contains(shown, secretToken) {
				t.Errorf("%s of %T shows the secret: %s", verb, value, shown)
			}
		}
	}
	if strings.Contains(logged(rule), secretToken) || strings.Contains(logged(rule.Upstream.HTTP), secretToken) || strings.Contains(logged(request), secretToken) {
		t.Error("a log shows the secret")
	}
	if strings.Contains(asJSON(t, rule), secretToken) {
		t.Error("JSON shows the secret")
	}
}
