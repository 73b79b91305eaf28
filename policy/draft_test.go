package policy

import (
	"fmt"
	"strings"
	"testing"
)

const filesOfDraft = `version: 1
defaults: {window: 48h}
groups:
  - apply_to: ["pay.*"]
    share: tenant
tools:
  - name: pay.refund
    approvals: {notify: [finance]}
  - name: crm.update
notify:
  finance: {url: "https://example.com/hook", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
`

func TestADraftStandsInPlaceOfItsTools(t *testing.T) {
	base := mustParse(t, filesOfDraft)
	set, err := base.Draft([]byte("version: 1\ntools:\n  - name: pay.refund\n    scope: [run]\n    approvals: {notify: [finance]}\n  - name: pay.new\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := set.Match("pay.refund")
	if r.Source != "draft:3" || r.Share != ShareTenant || r.Window.Hours() != 48 || len(r.Scope) != 1 || len(r.Approvals.Notify) != 1 {
		t.Errorf("defaults, groups and endpoints of the files hold for a draft: %+v", r)
	}
	if set.Match("crm.update") != base.Match("crm.update") {
		t.Error("a tool that the draft does not name was compiled again")
	}
	if len(set.Rules()) != 3 || set.Endpoint("finance") == nil {
		t.Errorf("the set has %d rules", len(set.Rules()))
	}
	if len(base.Rules()) != 2 || base.Match("pay.refund").Scope != nil || base.Match("pay.refund").Source == r.Source {
		t.Error("the set of the files was changed")
	}
	again, err := base.Draft([]byte("version: 1\ntools: [{name: crm.update}]\n"))
	if err != nil || again.Match("pay.refund").Source != base.Match("pay.refund").Source {
		t.Errorf("after another draft: %v", err)
	}
}

func TestWhatIsWrongWithADraftIsInTheDraft(t *testing.T) {
	base := mustParse(t, filesOfDraft)
	for text, want := range map[string]string{
		"version: 1\ntools:\n  - name: pay.refund\n    approvals: {notify: [finanse]}\n": `draft:4:26: approvals.notify names "finanse", which is no endpoint under notify`,
		"version: 1\ndefaults: {window: 1h}\n":                                           `draft:2:12: the default "window" is also set at`,
		"version: 1\ntools: [{name: a}, {name: a}]\n":                                    `draft:2:21: the tool "a" is also defined at draft:2`,
		" ": `draft:1:1: the file holds no policy`,
	} {
		if _, err := base.Draft([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// BenchmarkDraft is what a page waits for, and each pause of somebody who types, beside a thousand tools in one file.
func BenchmarkDraft(b *testing.B) {
	var text strings.Builder
	text.WriteString("version: 1\ntools:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  - {name: tool.%d, window: 3h, rules: [{if: \"args.amount > %d.0\", then: hold}]}\n", i, i)
	}
	base := mustParse(b, text.String())
	for b.Loop() {
		if _, err := base.Draft([]byte("version: 1\ntools: [{name: tool.7, window: 4h}]\n")); err != nil {
			b.Fatal(err)
		}
	}
}
