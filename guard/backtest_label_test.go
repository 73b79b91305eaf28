package guard_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
)

func TestWhatIsALabel(t *testing.T) {
	t.Parallel()
	held := func(c guard.Code) guard.Event { return guard.Event{Kind: guard.EventHeld, Code: c} }
	approved := guard.Event{Kind: guard.EventApproved, Code: guard.CodeApproved}
	edited, pruned := approved, approved
	edited.Arguments, pruned.ArgumentsHash = []byte(`{}`), [32]byte{1}
	rejected := func(c guard.Code) guard.Event { return guard.Event{Kind: guard.EventRejected, Code: c} }
	noted := guard.Event{Kind: guard.EventNoted, Code: guard.CodeNear}
	for name, c := range map[string]struct {
		events []guard.Event
		want   string
	}{
		"told the same":                     {[]guard.Event{held(guard.CodeNear), noted, rejected(guard.CodeSame)}, "same"},
		"told the same, held by a rule":     {[]guard.Event{held(guard.CodeHeld), rejected(guard.CodeSame)}, "same"},
		"let run beside":                    {[]guard.Event{held(guard.CodeNear), noted, approved, {Kind: guard.EventClaimed}}, "different"},
		"let run on the same thing":         {[]guard.Event{held(guard.CodeSameIdentity), approved}, "different"},
		"let run, held by a rule":           {[]guard.Event{held(guard.CodeHeld), approved}, ""},
		"let run with other arguments":      {[]guard.Event{held(guard.CodeNear), edited}, ""},
		"let run with forgotten arguments":  {[]guard.Event{held(guard.CodeNear), pruned}, ""},
		"rejected":                          {[]guard.Event{held(guard.CodeNear), rejected(guard.CodeRejected)}, ""},
		"still held":                        {[]guard.Event{held(guard.CodeNear)}, ""},
		"expired":                           {[]guard.Event{held(guard.CodeNear), {Kind: guard.EventExpired}}, ""},
		"refused beside edited (no person)": {[]guard.Event{{Kind: guard.EventRefused, Code: guard.CodeSame}}, ""},
	} {
		same, ok := guard.Labelled(&guard.Effect{Related: "ef_1"}, c.events)
		got := map[[2]bool]string{{true, true}: "same", {false, true}: "different"}[[2]bool{same, ok}]
		if got != c.want {
			t.Errorf("%s: labelled %q, want %q", name, got, c.want)
		}
		if _, ok := guard.Labelled(&guard.Effect{}, c.events); ok {
			t.Errorf("%s: an effect that is related to none is labelled", name)
		}
	}
}

// labelled judges one pair, the later call an hour after the earlier one.
func labelled(t *testing.T, current, draft string, same bool, earlier, now string) guard.BacktestLabels {
	t.Helper()
	b, err := guard.NewBacktest(guard.BacktestOptions{
		Current: parsed(t, current), Draft: parsed(t, draft),
		Recall: func(context.Context, uint64) (guard.BacktestCall, error) { panic("no call was added") },
	})
	if err != nil {
		t.Fatal(err)
	}
	call := func(text string, at int) guard.BacktestCall {
		tool, args, _ := strings.Cut(text, " ")
		return guard.BacktestCall{
			Principal: alice, At: time.Date(2026, 3, 1, 9+at, 0, 0, 0, time.UTC),
			Call: guard.Call{Tool: tool, Arguments: json.RawMessage(args), Run: "r1"},
		}
	}
	l := guard.BacktestLabel{Same: same, Earlier: call(earlier, 0), Now: call(now, 1), EarlierEffect: "ef_1", NowEffect: "ef_2"}
	for range 2 { // the second time nothing may be left of the first
		if err := b.AddLabel(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Calls != 0 || len(r.Findings) != 0 {
		t.Errorf("a labelled pair was counted as calls: %+v", r)
	}
	return r.Labels
}

func TestBacktestLabels(t *testing.T) {
	t.Parallel()
	const (
		wording = "name: mail\narguments: {to: {role: identity, kind: email}, body: {kind: text}}\non: {near: hold}"
		apart   = "name: mail\narguments: {to: {role: identity, kind: email}, body: {kind: exact}}"
		merging = "name: mail\narguments: {to: {role: identity, kind: email}, body: {role: commentary}}"
		one     = `mail {"to":"a@x.eu","body":"We refund your broken kettle today."}`
		two     = `mail {"to":"a@x.eu","body":"Today we will refund your broken kettle."}`
	)
	for _, c := range []struct {
		name, current, draft string
		same                 bool
		want                 string // broken, mended, and before > after of what is broken
	}{
		{"nothing changes", wording, wording, true, "0 0"},
		{"the same, and no longer seen", wording, apart, true, "2 0 held>apart body"},
		{"the same, and seen now", apart, wording, true, "0 2"},
		{"the same, and merged without a person", wording, merging, true, "0 0"},
		{"different, and merged", wording, merging, false, "2 0 held>merged body"},
		{"different, and asked about as before", wording, wording, false, "0 0"},
		{"different, and let pass", wording, apart, false, "0 2"},
		{"different, and asked about anew", apart, wording, false, "2 0 apart>held body"},
		{"different, and merged no longer", merging, wording, false, "0 2"},
		{"the same, in a window that is too short", merging, merging + "\nwindow: 30m", true, "2 0 merged>apart "},
		{"the same, of a tool that only reads", wording, "name: mail\nkind: read", true, "2 0 held>apart body"},
		{"a condition says nothing about likeness", wording, wording + "\nrules: [{if: 'true', then: deny}]", true, "0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := labelled(t, c.current, c.draft, c.same, one, two)
			got := strings.Join([]string{string(rune('0' + l.Broken)), string(rune('0' + l.Mended))}, " ")
			if len(l.Findings) > 0 {
				f := l.Findings[0]
				got += " " + string(f.Before) + ">" + string(f.After) + " " + strings.Join(f.Deciding, ",")
				if f.Sentence == "" || f.NowEffect != "ef_2" || f.EarlierEffect != "ef_1" {
					t.Errorf("found %+v", f)
				}
			}
			if got != c.want {
				t.Errorf("judged %q, want %q", got, c.want)
			}
		})
	}
	if l := labelled(t, wording, wording, true, `mail {"to":1,"to":2}`, two); l.Unread != 2 || l.Same != 2 || l.Broken != 0 {
		t.Errorf("a pair that cannot be read: %+v", l)
	}
	if l := labelled(t, wording, merging+"\nseal: [body]", false, one, two); l.Broken != 2 || l.Findings[0].Sentence != "" {
		t.Errorf("a concealed pair: %+v", l)
	}
}
