package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// backtested compares two policies on calls of one run, written as "tool {arguments}", one minute apart.
func backtested(t *testing.T, current, draft string, calls ...string) guard.BacktestReport {
	t.Helper()
	past := make([]guard.BacktestCall, len(calls))
	for i, c := range calls {
		tool, args, _ := strings.Cut(c, " ")
		tool, failed := strings.CutPrefix(tool, "!")
		past[i] = guard.BacktestCall{
			Ref: uint64(i), Principal: alice, At: time.Date(2026, 3, 1, 9, i, 0, 0, time.UTC), Failed: failed,
			Call: guard.Call{Tool: tool, Arguments: json.RawMessage(args), Run: "r1"},
		}
	}
	return backtestedCalls(t, current, draft, past)
}

func backtestedCalls(t *testing.T, current, draft string, past []guard.BacktestCall) guard.BacktestReport {
	t.Helper()
	b, err := guard.NewBacktest(guard.BacktestOptions{
		Current: parsed(t, current), Draft: parsed(t, draft),
		Recall: func(_ context.Context, ref uint64) (guard.BacktestCall, error) { return past[ref], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range past {
		if err := b.Add(t.Context(), b.Read(t.Context(), c)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parsed(t *testing.T, tool string) *policy.Set {
	t.Helper()
	set, err := policy.Parse("p.yaml", []byte("version: 1\ntools:\n  - "+strings.ReplaceAll(strings.TrimSpace(tool), "\n", "\n    ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const strictRefund = `
name: refund
arguments: {order: {role: identity, kind: id}, amount: {kind: money, currency: EUR}}`

func TestBacktestFindings(t *testing.T) {
	t.Parallel()
	const one, other, respelled = `refund {"order":"A1","amount":25}`, `refund {"order":"A1","amount":30}`, `refund {"order":" A1","amount":"25.00"}`
	cases := []struct {
		name, draft string
		calls       []string
		want        string // kind code deciding, one for each finding
	}{
		{"nothing changes", strictRefund, []string{one, other, respelled}, ""},
		{"an amount that no longer counts merges", "name: refund\narguments: {order: {role: identity, kind: id}, amount: {role: commentary}}",
			[]string{one, other}, "merged replayed amount"},
		{"an exact amount splits", "name: refund\narguments: {order: {role: identity, kind: id}}", []string{one, respelled}, "split forwarded amount"},
		{"a condition holds", strictRefund + "\nrules: [{if: 'norm.amount > 26', then: hold, why: Big.}]", []string{one, other}, "held held"},
		{"a condition denies", strictRefund + "\nrules: [{if: 'norm.amount > 26', then: deny}]", []string{one, other}, "denied denied"},
		{"another on the same thing is held", strictRefund + "\non: {same_identity: hold}", []string{one, other}, "held same_identity amount"},
		{"a limit has no room", strictRefund + "\nlimits: [{sum: args.amount, max: 40, per: 1h, then: deny}]", []string{one, other}, "denied over_limit"},
		{"a limit has room again", strictRefund + "\nlimits: [{count: 1, per: 1m, then: deny}]", []string{one, other}, ""},
		{"history is what was carried out", strictRefund + "\nrules: [{if: 'history.count > 0', then: hold}]", []string{one, other}, "held held"},
		{"a window ends", strictRefund + "\nwindow: 1m", []string{one, one}, "split forwarded"},
		{"a failure answers nothing", "name: refund\nwindow: 1m\narguments: {}", []string{"!" + one, one}, ""},
		{"a schema refuses", strictRefund + "\nschema: {type: object, properties: {amount: {type: number}, order: {}}}", []string{respelled}, "denied invalid_arguments"},
		{"off lets pass", strictRefund + "\nmode: \"off\"", []string{one}, "released passed"},
		{"warn is measured as enforced", strictRefund + "\nmode: warn\nrules: [{if: 'true', then: deny}]", []string{one}, "denied denied"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := backtested(t, strictRefund, c.draft, c.calls...)
			var got []string
			for _, f := range r.Findings {
				got = append(got, strings.Join(append([]string{string(f.Kind), string(f.Code)}, f.Deciding...), " "))
			}
			if joined := strings.Join(got, "; "); joined != c.want {
				t.Errorf("found %q, want %q", joined, c.want)
			}
			if r.Calls != len(c.calls) || r.Unread != 0 {
				t.Errorf("%d calls, %d unread", r.Calls, r.Unread)
			}
		})
	}
}

// TestBacktestRanksByMoney holds that the dearest findings are kept, and all are counted.
func TestBacktestRanksByMoney(t *testing.T) {
	t.Parallel()
	var calls []string
	for i := range 1000 {
		calls = append(calls, fmt.Sprintf(`refund {"order":"A%d","amount":%d}`, i, (i*7)%1000))
	}
	r := backtested(t, strictRefund, strictRefund+"\nrules: [{if: 'norm.amount > 500', then: deny}]", calls...)
	if r.Counts[guard.BacktestDenied] != 499 || len(r.Findings) != 20 {
		t.Fatalf("%d denied, %d kept", r.Counts[guard.BacktestDenied], len(r.Findings))
	}
	for i, f := range r.Findings {
		if want := fmt.Sprint(999 - i); f.Amount.Value.String() != want || f.Amount.Unit != "EUR" {
			t.Fatalf("finding %d is worth %v, want %s", i, f.Amount, want)
		}
	}
	if m := r.Tools[0].Money; len(m) != 1 || m[0].Micros != 374_250*1_000_000 {
		t.Errorf("the money of the tool is %v", m)
	}
}

// TestBacktestConceals holds that what either set seals is in no finding.
func TestBacktestConceals(t *testing.T) {
	t.Parallel()
	const open = "name: refund\narguments: {order: {role: identity, kind: id}, amount: {kind: money, currency: EUR}}"
	const sealed = open + "\nseal: [amount]"
	for _, sets := range [][2]string{{sealed, open}, {open, sealed}} {
		r := backtested(t, sets[0], sets[1]+"\non: {same_identity: hold}", `refund {"order":"A1","amount":25}`, `refund {"order":"A1","amount":31337}`)
		if len(r.Findings) != 1 || r.Findings[0].Sentence != "" || r.Findings[0].Amount != nil || len(r.Tools[0].Money) > 0 {
			t.Errorf("found %+v, %+v", r.Findings, r.Tools)
		}
	}
}

// TestBacktestOfMarks holds that a mark in place of a concealed value does not break the schema of that value.
func TestBacktestOfMarks(t *testing.T) {
	t.Parallel()
	const sealed = strictRefund + "\nseal: [amount]\nschema: {type: object, properties: {order: {type: string}, amount: {type: number}}}"
	for call, denied := range map[string]int{`refund {"order":"A1","amount":"[sealed 0a1b2c3d]"}`: 0, `refund {"order":"A1","amount":"much"}`: 1} {
		if r := backtested(t, sealed, sealed, call); r.Draft.Denied != denied || r.Draft.Sent != 1-denied {
			t.Errorf("%s: %+v", call, r.Draft)
		}
	}
}

// TestBacktestSides holds that calls which cannot be read, or have no time, are counted.
func TestBacktestSides(t *testing.T) {
	t.Parallel()
	r := backtestedCalls(t, strictRefund, strictRefund, []guard.BacktestCall{
		{Principal: alice, Call: guard.Call{Tool: "refund", Arguments: json.RawMessage(`{"a":1,"a":2}`)}},
		{Ref: 1, Principal: alice, Call: guard.Call{Tool: "refund", Arguments: json.RawMessage(`{"order":"A1"}`)}},
	})
	if r.Calls != 2 || r.Unread != 1 || r.Untimed != 1 || r.Draft.Sent != 1 {
		t.Errorf("counted %+v", r)
	}
	if len(r.Findings) > 0 {
		t.Errorf("found %+v", r.Findings)
	}
}

// BenchmarkBacktest measures one call through two sets that both have to be asked.
func BenchmarkBacktest(b *testing.B) {
	current, err := policy.Parse("p.yaml", []byte("version: 1\ntools:\n  - "+strings.ReplaceAll(strings.TrimSpace(strictRefund), "\n", "\n    ")))
	if err != nil {
		b.Fatal(err)
	}
	draft, err := policy.Parse("p.yaml", []byte("version: 1\ntools:\n  - "+strings.ReplaceAll(strings.TrimSpace(strictRefund), "\n", "\n    ")+
		"\n    rules: [{if: 'norm.amount > 500', then: hold}]"))
	if err != nil {
		b.Fatal(err)
	}
	t, err := guard.NewBacktest(guard.BacktestOptions{
		Current: current, Draft: draft, Recall: func(context.Context, uint64) (guard.BacktestCall, error) { return guard.BacktestCall{}, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := guard.BacktestCall{Ref: uint64(i), Principal: alice, Call: guard.Call{
			Tool: "refund", Run: "r1", Arguments: fmt.Appendf(nil, `{"order":"A%d","amount":%d}`, i, i%1000),
		}}
		if err := t.Add(b.Context(), t.Read(b.Context(), c)); err != nil {
			b.Fatal(err)
		}
	}
}
