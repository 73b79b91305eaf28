package policy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

func layered(t testing.TB) *Set {
	t.Helper()
	setSecrets(t)
	set, err := Load("testdata/working_layers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The last word on each key counts: defaults, groups in the order of the files, the tool's own entry.
func TestToolInheritsKeyByKey(t *testing.T) {
	refund := layered(t).Match("payments.refund")
	if refund.Mode != ModeEnforce || refund.Window != 36*time.Hour || refund.Hold != 3*day {
		t.Errorf("mode %s, window %v, hold %v", refund.Mode, refund.Window, refund.Hold)
	}
	if refund.On.Done != Block || refund.On.SameIdentity != Hold || refund.On.Pending != Wait {
		t.Errorf("on %+v", refund.On)
	}
	if len(refund.conditions) != 2 || len(refund.Limits) != 2 {
		t.Errorf("lists do not replace: %d conditions, %d limits", len(refund.conditions), len(refund.Limits))
	}
	a := refund.Approvals
	if a.People != 2 || !slices.Equal(a.Roles, []string{"reviewer", "admin"}) || !slices.Equal(a.Notify, []string{"finance"}) || a.when == nil {
		t.Errorf("approvals %+v", a)
	}
	if want := []string{"card.number", "items.*.note"}; !slices.Equal(refund.Seal, want) || !slices.Equal(refund.Redact, []string{"password"}) {
		t.Errorf("redact %q and seal %q", refund.Redact, refund.Seal)
	}
	request, err := refund.Upstream.HTTP.Render(arguments(t, `{}`), "")
	if err != nil || request.URL != "https://pay.example/refunds" || request.Header["X-Team"][0] != "refunds" || refund.Upstream.HTTP.Timeout != 10*time.Second ||
		request.Header["Authorization"][0] != "Bearer "+secretToken {
		t.Errorf("%s, timeout %v (%v)", request.URL, refund.Upstream.HTTP.Timeout, err)
	}
	names := argumentNames(refund)
	if want := []string{"amount", "order_id", "trace_id"}; !slices.Equal(names, want) {
		t.Errorf("arguments %q; want %q", names, want)
	}
}

func argumentNames(r *Rule) []string {
	var names []string
	for _, a := range r.Arguments.Arguments() {
		names = append(names, a.Name)
	}
	return names
}

func TestGlobAndUnknownToolsInherit(t *testing.T) {
	set := layered(t)
	glob := set.Match("payments.charge")
	if glob.Mode != ModeEnforce || glob.Window != 12*time.Hour || glob.Approvals.People != 2 || !glob.Arguments.Infers() {
		t.Errorf("got %+v", glob)
	}
	if got := argumentNames(glob); !slices.Equal(got, []string{"amount", "trace_id"}) {
		t.Errorf("arguments %q", got)
	}
	for _, tool := range []string{"notes.add", "nobody.knows"} {
		rule := set.Match(tool)
		if rule.Mode != ModeWarn || rule.Window != 12*time.Hour || len(rule.Limits) != 1 || !rule.Arguments.Infers() || rule.Upstream != nil || !slices.Equal(rule.Redact, []string{"password"}) {
			t.Errorf("%s got %+v", tool, rule)
		}
		if v := rule.Check(t.Context(), Facts{Args: arguments(t, `{"dry_run": true}`)}); v.Action != ActAllow || v.Rule != "working_layers.yaml:10" {
			t.Errorf("%s: %+v", tool, v)
		}
	}
}

// Where nothing of a tool is declared, what it inherits adds to inference and does not replace it.
func TestInheritedArgumentsLeaveInference(t *testing.T) {
	text := "version: 1\ndefaults: {arguments: {trace: {role: volatile}}}\ntools:\n  - name: a\n  - name: b\n    arguments: {}\n  - name: c\n    arguments: {trace: {role: material}}\n"
	set := mustParse(t, text)
	if a := set.Match("a"); !a.Arguments.Infers() || argumentNames(a)[0] != "trace" {
		t.Error("the tool that says nothing is not inferred")
	}
	if b := set.Match("b"); b.Arguments.Infers() || b.Arguments.Arguments()[0].Role != fingerprint.Volatile {
		t.Error("the tool that says {} does not inherit")
	}
	if c := set.Match("c"); c.Arguments.Arguments()[0].Role != fingerprint.Material {
		t.Error("the tool's own declaration does not stand")
	}
}

// A later file's group goes after an earlier one's, whatever the globs.
func TestGroupsGoInTheOrderOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b.yaml", "version: 1\ngroups:\n  - {apply_to: [\"*\"], window: 3h, lease: 3m}\n")
	write(t, dir, "a.yaml", "version: 1\ngroups:\n  - {apply_to: [pay], window: 1h, hold: 1h, lease: 1m}\n  - {apply_to: [\"p*\"], lease: 2m}\ntools: [{name: pay}]\n")
	set, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	rule := set.Match("pay")
	if rule.Window != 3*time.Hour || rule.Lease != 3*time.Minute || rule.Hold != time.Hour {
		t.Errorf("window %v, lease %v, hold %v", rule.Window, rule.Lease, rule.Hold)
	}
	if other := set.Match("other"); other.Window != day {
		t.Error("a group holds for a tool that has no entry")
	}
	write(t, dir, "c.yaml", "version: 1\ngroups:\n  - {apply_to: [pay], on: {unknown: retry}}\n")
	_, err = Load(dir)
	if where := filepath.Join(dir, "c.yaml") + ":3:28: "; err == nil || !strings.Contains(err.Error(), where) {
		t.Errorf("the defect is not where it was written, %s: %v", where, err)
	}
}

func TestLinesNameTheirOrigins(t *testing.T) {
	got := make(map[string]string)
	for _, l := range layered(t).Match("payments.refund").Lines() {
		if strings.Contains(string(l.Value), secretToken) || strings.Contains(string(l.Value), "payments\"") {
			t.Errorf("a line shows a header: %s", l)
		}
		got[l.String()] = l.Origin
	}
	for line, origin := range map[string]string{
		"mode: \"enforce\"": "17", "window: \"36h\"": "27", "on.done: \"block\"": "28", "on.same_identity: \"hold\"": "6", "on.pending: \"wait\"": "",
		"lease: \"5m\"": "", "upstream.http.timeout: \"10s\"": "20", "upstream.http.url: \"https://pay.example/refunds\"": "32",
		"upstream.http.headers.Authorization: \"Bearer ${env:POLICY_TEST_TOKEN}\"": "21", "upstream.http.headers.X-Team: \"…\"": "32",
		"arguments.amount: {\"kind\":\"money\",\"currency\":\"EUR\"}": "23", "approvals.roles: [\"reviewer\",\"admin\"]": "13", "approvals.people: 2": "24",
		"approvals.notify: [\"finance\"]": "24", "annotations.title: \"Refund\"": "31",
	} {
		if origin != "" {
			origin = "working_layers.yaml:" + origin
		}
		if there, ok := got[line]; !ok || there != origin {
			t.Errorf("%s is from %q; want %q", line, there, origin)
		}
	}
	for line := range got {
		if strings.HasPrefix(line, "hold:") {
			t.Errorf("%s stands beside approvals.expires", line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	for _, l := range Empty().Match("x").Lines() {
		if l.Origin != "" {
			t.Errorf("without policies %s is from %s", l, l.Origin)
		}
	}
}

// An inherited key that a tool of kind read has no use for is meant for the others.
func TestReadToolsTakeWhatTheyCanUse(t *testing.T) {
	set := mustParse(t, "version: 1\ndefaults: {rules: [{if: 'true', then: deny}], limits: [{count: 1, per: 1h, then: deny}]}\ntools: [{name: list, kind: read}]\n")
	rule := set.Match("list")
	if rule.Kind != Read || len(rule.conditions)+len(rule.Limits) != 0 {
		t.Errorf("got %+v", rule)
	}
	for _, l := range rule.Lines() {
		if !slices.Contains(readKeys, l.Path[0]) {
			t.Errorf("the line %s is not enforced", l)
		}
	}
}

// What many tools inherit is reported once, where it was written.
func TestInheritedDefectIsReportedOnce(t *testing.T) {
	var text strings.Builder
	text.WriteString("version: 1\ndefaults:\n  rules: [{if: 'agent > 5', then: hold}]\n  window: soon\ntools:\n")
	for i := range 200 {
		fmt.Fprintf(&text, "  - name: t%d\n", i)
	}
	_, err := Parse("p.yaml", []byte(text.String()))
	if problems, ok := err.(Problems); !ok || len(problems) != 2 || problems[0].Line != 3 || problems[1].Line != 4 {
		t.Errorf("got %v", err)
	}
}
