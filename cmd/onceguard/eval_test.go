package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// pairLine writes one line of a file of pairs.
func pairLine(t *testing.T, set, label, tool, a, b string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"set": set, "label": label, "tool": tool, "a": a, "b": b})
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func evaluate(t *testing.T, o evalOptions, pairs string) *evalReport {
	t.Helper()
	o.worst = 10
	r, err := o.eval(t.Context(), smallFile(t, pairs), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatLabelsMean(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]meaning{
		"same": labelSame, "same_raw": labelSame, "same_but_text": labelSame, "same_task_params_differ": labelUnjudged,
		"revision": labelRevision, "different": labelDifferent, "intended_repeat": labelRepeated,
		"sameness": labelUnjudged, "": labelUnjudged, "Different": labelUnjudged,
	} {
		if got := meaningOf(label); got != want {
			t.Errorf("%q means %d, want %d", label, got, want)
		}
	}
}

func TestQualityCountsWhatLabelsSay(t *testing.T) {
	t.Parallel()
	rows := []pairRow{
		{Set: "s", Label: "different", Counted: "different", meaning: labelDifferent, Pairs: 10, Merged: 1, Held: 2, Apart: 7, Raw: 1},
		{Set: "s", Label: "intended_repeat", meaning: labelRepeated, Pairs: 5, Merged: 5},
		{Set: "s", Label: "revision", Counted: "revision", meaning: labelRevision, Pairs: 4, Held: 3, Apart: 1},
		{Set: "s", Label: "same", Counted: "same", meaning: labelSame, Pairs: 8, Merged: 6, Held: 1, Apart: 1, Raw: 3, JSON: 4},
	}
	got := map[string]quality{}
	for _, q := range qualities(rows) {
		if q.Set != "s" {
			t.Errorf("one set has the quality of %q", q.Set)
		}
		got[q.By] = q
	}
	for by, want := range map[string]quality{
		"merged":         {Set: "s", By: "merged", Found: 7, Right: 6, All: 8, Precision: 6. / 7, Recall: 6. / 8},
		"merged or held": {Set: "s", By: "merged or held", Found: 13, Right: 10, All: 12, Precision: 10. / 13, Recall: 10. / 12},
		"raw bytes":      {Set: "s", By: "raw bytes", Found: 4, Right: 3, All: 8, Precision: 3. / 4, Recall: 3. / 8},
		"canonical JSON": {Set: "s", By: "canonical JSON", Found: 4, Right: 4, All: 8, Precision: 1, Recall: 4. / 8},
	} {
		if got[by] != want {
			t.Errorf("got  %+v\nwant %+v", got[by], want)
		}
	}
}

// Repeats that are meant cannot be told apart while their bytes are equal; in other bytes they can.
func TestIntendedRepeatsMustNotBeMergedInOtherBytes(t *testing.T) {
	t.Parallel()
	pairs := pairLine(t, "s", "intended_repeat", "pay", `{"n":1}`, `{"n":1}`) + pairLine(t, "s", "intended_repeat", "pay", `{"n":1}`, `{ "n":1}`)
	if r := evaluate(t, evalOptions{}, pairs); r.OK || r.MergedDifferent != 1 || len(r.Mistakes) != 1 || r.Mistakes[0].Line != 2 {
		t.Errorf("%+v", r)
	}
}

func TestOnNearAndSameIdentityDecide(t *testing.T) {
	t.Parallel()
	reworded := pairLine(t, "s", "same", "mail", `{"to":"a@x.eu","body":"We refund your broken kettle today."}`, `{"to":"a@x.eu","body":"Today we will refund your broken kettle."}`)
	other := pairLine(t, "s", "same", "mail", `{"to":"a@x.eu","body":"We refund your broken kettle today."}`, `{"to":"a@x.eu","body":"Dinner on Friday is booked.","cc":"b@x.eu"}`)
	rule := "tools:\n- {name: mail, %s arguments: {to: {role: identity, kind: email}, body: {kind: text}}}\n"
	for _, c := range []struct {
		on, pair, want string
	}{
		{"", reworded, "held"},
		{"on: {near: confirm},", reworded, "held"},
		{"on: {near: replay},", reworded, "merged"},
		{"on: {near: allow},", reworded, "apart"},
		{"on: {near: allow, same_identity: hold},", reworded, "held"},
		{"", other, "apart"},
		{"on: {same_identity: block},", other, "held"},
	} {
		r := evaluate(t, evalOptions{policies: smallPolicy(t, fmt.Sprintf(rule, c.on))}, c.pair)
		got := map[bool]string{r.Rows[0].Merged == 1: "merged", r.Rows[0].Held == 1: "held", r.Rows[0].Apart == 1: "apart"}[true]
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.on, got, c.want)
		}
	}
}

func TestReadsAreNeverMerged(t *testing.T) {
	t.Parallel()
	r := evaluate(t, evalOptions{policies: smallPolicy(t, "tools:\n- {name: find, kind: read}\n")}, pairLine(t, "s", "same", "find", "{}", "{}"))
	if r.Rows[0].Apart != 1 {
		t.Errorf("%+v", r.Rows)
	}
}

func TestWalkedCalls(t *testing.T) {
	t.Parallel()
	file := func(content string) string {
		return fmt.Sprintf(`{"run":"r","tool":"write","arguments":{"path":"f","content":%q},"write":true}`+"\n", content)
	}
	calls := file("alpha") + file("beta") + file("alpha") + file("alpha")
	rule := "tools:\n- {name: write, %s arguments: {path: {role: identity, kind: id}, content: {kind: exact}}}\n"
	pairs := pairLine(t, "s", "same", "write", "{}", "{}")
	for _, c := range []struct {
		with           string
		merged, held   int
		rightly        int
		wantSentencing bool
	}{
		{"", 2, 0, 0, false},
		{`resource: "file:{path}",`, 1, 0, 0, false}, // the third is not answered by the first, which the second has undone
		{"on: {same_identity: hold},", 2, 1, 0, true},
	} {
		o := evalOptions{policies: smallPolicy(t, fmt.Sprintf(rule, c.with)), calls: smallFile(t, calls)}
		r := evaluate(t, o, pairs).Calls
		if r.Writes != 4 || r.Runs != 1 || r.Merged != c.merged || r.Held != c.held || r.Rightly != c.rightly || (len(r.Examples) > 0) != c.wantSentencing {
			t.Errorf("%q: %+v", c.with, r)
		}
	}
}

// What people call the same is held rightly.
func TestWalkedCallsThatAreLabelled(t *testing.T) {
	t.Parallel()
	one, two := "We refund your broken kettle today.", "Today we will refund your broken kettle."
	call := func(text string) string {
		return fmt.Sprintf(`{"run":"r","tool":"mail","arguments":{"to":"a@x.eu","body":%q},"write":true}`+"\n", text)
	}
	policies := smallPolicy(t, "tools:\n- {name: mail, arguments: {to: {role: identity, kind: email}, body: {kind: text}}}\n")
	calls := smallFile(t, call(one)+call(two)+`{"run":"other","tool":"mail","arguments":{"to":"a@x.eu","body":"x"},"write":true,"error":true}`+"\n")
	for label, rightly := range map[string]int{"same": 1, "revision": 1, "different": 0} {
		text := fmt.Sprintf(`{"set":"s","label":%q,"tool":"mail","a_text":%q,"b_text":%q}`+"\n", label, one, two)
		r := evaluate(t, evalOptions{policies: policies, calls: calls}, text).Calls
		if r.Writes != 2 || r.Held != 1 || r.Near != 1 || r.Rightly != rightly || r.PerThou != 500 || r.Ordinary != 1000*share(1-rightly, 2-rightly, 0) {
			t.Errorf("%s: %+v", label, r)
		}
	}
}

// Mistakes of one kind at one tool for one reason are one, with the first as the example.
func TestMistakesAreGrouped(t *testing.T) {
	t.Parallel()
	var pairs strings.Builder
	for i := range 20 {
		pairs.WriteString(pairLine(t, "s", "same", "pay", fmt.Sprintf(`{"n":%d}`, i), fmt.Sprintf(`{"n":%d}`, i+1)))
	}
	pairs.WriteString(pairLine(t, "s", "same", "pay", `{"n":1}`, `{"n":1,"m":[2]}`))
	r := evaluate(t, evalOptions{}, pairs.String())
	if len(r.Mistakes) != 2 || r.Mistakes[0].Pairs != 20 || r.Mistakes[0].Line != 1 || r.Mistakes[1].Line != 21 || strings.Join(r.Mistakes[1].Arguments, ",") != "m" {
		t.Errorf("%+v", r.Mistakes)
	}
}

func TestEvalStopsWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := evalOptions{}
	if _, err := o.eval(ctx, smallFile(t, pairLine(t, "s", "same", "pay", "{}", "{}")), io.Discard); err == nil {
		t.Error("no error after the interruption")
	}
}

func TestAFileOfPairsHasFewSets(t *testing.T) {
	t.Parallel()
	var pairs strings.Builder
	for i := range maxRows + 1 {
		pairs.WriteString(pairLine(t, fmt.Sprint(i), "same", "pay", "{}", "{}"))
	}
	o := evalOptions{}
	_, err := o.eval(t.Context(), smallFile(t, pairs.String()), io.Discard)
	if err == nil || !strings.Contains(err.Error(), ".jsonl:1001: there are more than 1000") {
		t.Errorf("the error was %v", err)
	}
	if _, err = o.eval(t.Context(), smallFile(t, strings.Repeat("x", maxRecordedLine+1)), io.Discard); err == nil || !strings.Contains(err.Error(), ":1: the line is longer") {
		t.Errorf("the error was %v", err)
	}
}
