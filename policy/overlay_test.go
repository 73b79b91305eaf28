package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const filesOfOverlay = `version: 1
defaults: {window: 48h}
groups:
  - apply_to: ["pay.*"]
    share: tenant
tools:
  - name: pay.refund
  - name: "crm.*"
`

func kept(pattern string, texts ...string) Kept {
	k := Kept{Pattern: pattern}
	for i, text := range texts {
		if !strings.HasPrefix(text, "version:") {
			text = "version: 1\ntools:\n  - name: " + fmt.Sprintf("%q", pattern) + "\n    " + text + "\n"
		}
		k.Versions = append(k.Versions, Version{Number: int64(40 - i), Text: []byte(text)})
	}
	return k
}

func TestKeptPoliciesLieOverTheFiles(t *testing.T) {
	base := mustParse(t, filesOfOverlay)
	set, laid := base.Overlay([]Kept{kept("pay.charge", "scope: [run]"), kept("pay.refund", "scope: [run]"), kept("crm.update", "mode: warn")})
	for i, l := range laid {
		if l.Err != nil || l.Files != (i == 1) {
			t.Errorf("%d: %+v", i, l)
		}
	}
	r := set.Match("pay.charge")
	if r.Share != ShareTenant || r.Window.Hours() != 48 || r.Kept != 40 || !strings.HasSuffix(r.Digest, "@40") || r.Source != "ledger:pay.charge@40:3" {
		t.Errorf("the group and the defaults of the files hold for a kept policy, which has its number: %+v", r)
	}
	if got := r.Lines()[3].Origin; !strings.HasPrefix(got, "ledger:pay.charge@40:") && !strings.HasPrefix(got, "policies.yaml") && got != "" {
		t.Errorf("origin %q", got)
	}
	if r := set.Match("pay.refund"); r.Kept != 0 || r.Scope != nil {
		t.Errorf("a policy of the ledger won over the files: %+v", r)
	}
	if set.Match("crm.update").Mode != ModeWarn || set.Match("crm.other").Mode != ModeEnforce {
		t.Error("the more specific pattern does not win")
	}
	if base.Match("pay.charge").Kept != 0 || len(base.Rules()) != 2 {
		t.Error("the set of the files was changed")
	}
}

func TestNothingKeptIsTheSetItself(t *testing.T) {
	base := mustParse(t, filesOfOverlay)
	if set, _ := base.Overlay(nil); set != base {
		t.Error("another set")
	}
	if set, _ := base.Overlay([]Kept{kept("pay.refund", "mode: off")}); set != base {
		t.Error("another set, although the files win")
	}
}

func TestTheLastGoodVersionHolds(t *testing.T) {
	base := mustParse(t, filesOfOverlay)
	set, laid := base.Overlay([]Kept{kept("a", "mode: warn"), kept("b", "century: 21", "mode: off"), kept("c", "window: no", "window: nor"), kept("d", "mode: warn")})
	if laid[0].Err != nil || laid[3].Err != nil || set.Match("a").Mode != ModeWarn || set.Match("d").Kept != 40 {
		t.Errorf("a defect of one policy changes another: %+v", laid)
	}
	if b := set.Match("b"); b.Mode != ModeOff || b.Kept != 39 || laid[1].Rule != b || !strings.Contains(laid[1].Err.Error(), `ledger:b@40:4:5: unknown key "century"`) {
		t.Errorf("%+v %v", b, laid[1].Err)
	}
	if c := set.Match("c"); c.Defect == nil || c.Kept != 0 || laid[2].Err == nil || c.Upstream != nil {
		t.Errorf("%+v", c)
	}
	if len(base.Match("c").Pattern) > 0 {
		t.Error("the set of the files was changed")
	}
}

// A glob without a policy that can be used must not fall through to a wider one.
func TestAToolWithoutAGoodVersionIsRefusedAndNotWidened(t *testing.T) {
	set, _ := mustParse(t, filesOfOverlay).Overlay([]Kept{kept("crm.up*", "nothing: 1")})
	if set.Match("crm.update").Defect == nil || set.Match("crm.other").Defect != nil {
		t.Error("the defect is not where the pattern is")
	}
}

func TestAKeptPolicyIsOneToolWithoutOthersSecrets(t *testing.T) {
	t.Setenv("POLICY_TOKEN", "x")
	t.Setenv("OTHER_TOKEN", "hidden")
	up := func(token string) string {
		return `upstream: {http: {url: "https://x.test/y", method: POST, headers: {Authorization: ` + token + `}}}`
	}
	for text, want := range map[string]string{
		up(`"${env:POLICY_TOKEN}"`):                                     "",
		up(`"${env:OTHER_TOKEN}"`):                                      `the environment variable "OTHER_TOKEN"`,
		up(`"\u0024{env:OTHER_TOKEN}"`):                                 `the environment variable "OTHER_TOKEN"`,
		"version: 1\ntools: [{name: b}]\n":                              `the entry has the name "b"`,
		"version: 1\ntools: [{name: a}, {name: b}]\n":                   "the text defines 2 tools",
		"version: 1\n":                                                  "the text defines 0 tools",
		"version: 1\ndefaults: {mode: off}\ntools: [{name: a}]\n":       `"defaults" is about several`,
		"version: 1\ngroups: [{apply_to: [a]}]\ntools: [{name: a}]\n":   `"groups" is about several`,
		"version: 1\nnotify: {x: {url: 'h'}}\ntools: [{name: a}]\n":     `"notify" is about several`,
		"version: 1\ntools: [{name: a, on: {done: block, done: x}}]\n":  "written twice",
		"version: 1\ntools: [{name: a}]\n---\nversion: 1\n":             "a second YAML document",
		"version: 1\ntools:\n  - name: a\n    arguments:\n    x: [\n\n": "not valid YAML",
	} {
		_, laid := Empty().Overlay([]Kept{kept("a", text)})
		err := laid[0].Err
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("a secret is in %v", err)
		}
		if _, ok := errors.AsType[Problems](err); err != nil && !ok {
			t.Errorf("%T", err)
		}
	}
}

func TestAGroupOfTheFilesCanRefuseAKeptGlob(t *testing.T) {
	_, laid := mustParse(t, strings.Replace(filesOfOverlay, `"pay.*"`, `"pay.refund", "crm.*"`, 1)).Overlay([]Kept{kept("pay.r*", "mode: warn"), kept("a", "mode: warn")})
	if laid[1].Err != nil || laid[0].Err != nil {
		t.Errorf("%v", laid)
	}
}

func BenchmarkOverlay(b *testing.B) {
	var text strings.Builder
	text.WriteString("version: 1\ntools:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - name: tool%d\n    rules: [{if: \"args.x > 5\", then: hold}]\n", i)
	}
	base, err := Parse("many.yaml", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, laid := base.Overlay([]Kept{kept("a", "mode: warn"), kept("b", "nothing: 1")}); laid[0].Err != nil || laid[1].Err == nil {
			b.Fatal(laid)
		}
	}
}
