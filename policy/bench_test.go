package policy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// tools writes a policy of n tools that use most of the language, each with a schema and a condition of its own.
func tools(n, from int) string {
	var b strings.Builder
	b.WriteString("version: 1\ntools:\n")
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, `  - name: svc%[1]d.refund
    effect: refund
    upstream: {http: {url: "https://pay.internal/v1/refunds/{order_id}", timeout: 10s, headers: {X-Kind: test}, idempotency_header: Idempotency-Key}}
    schema:
      type: object
      required: [order_id, amount]
      properties:
        order_id: {type: string, description: "order of shop %[1]d"}
        amount: {type: number, minimum: 0}
        reason: {type: string}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: EUR}
      reason: {role: commentary}
    scope: [run]
    window: 72h
    on: {pending: wait, done: replay}
    rules:
      - {if: "args.amount > %[1]d.5", then: hold, why: "refunds above this need a person"}
`, i)
	}
	return b.String()
}

func BenchmarkLoad1000Tools(b *testing.B) {
	for _, files := range []int{1, 50} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			dir := b.TempDir()
			for i := range files {
				text := tools(1000/files, i*1000/files)
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.yaml", i)), []byte(text), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			before := processorTime(b)
			for b.Loop() {
				set, err := Load(dir)
				if err != nil || len(set.Rules()) != 1000 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// BenchmarkReloadOneOf1000Files is what a change of one file costs a set of a thousand.
func BenchmarkReloadOneOf1000Files(b *testing.B) {
	var files []*file
	for i := range 1000 {
		name := fmt.Sprintf("f%d.yaml", i)
		files = append(files, &file{name: name, label: name, text: []byte(tools(1, i))})
	}
	set, err := compileFiles(files, nil)
	if err != nil {
		b.Fatal(err)
	}
	before := processorTime(b)
	for i := 0; b.Loop(); i++ {
		changed := slices.Clone(files)
		changed[500] = &file{name: "f500.yaml", label: "f500.yaml", text: []byte(tools(1, 2000+i))}
		if set, err = compileFiles(changed, set); err != nil || len(set.Rules()) != 1000 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func BenchmarkMatch1000Tools(b *testing.B) {
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("svc%d.refund", i), fmt.Sprintf("srv%d__*", i))
	}
	set := setOf(b, names...)
	for name, tool := range map[string]string{"exact": "svc250.refund", "glob": "srv250__create", "unknown": "nothing"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Match(tool)
			}
		})
	}
	b.Run("glob,uncached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			set.globs.find("srv250__create")
		}
	})
}

// oneKilobyte is a call's arguments of that size.
var oneKilobyte = fmt.Sprintf(`{"order_id":"ord-2024-000017","amount":129.95,"currency":"EUR","items":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}],"note":"%s"}`,
	strings.Repeat("x", 880))

func BenchmarkCheckThreeConditions(b *testing.B) {
	for name, third := range map[string]string{"simple": "args.currency != 'EUR'", "loop": "args.items.exists(i, i.count > 10)"} {
		b.Run(name, func(b *testing.B) {
			rule := oneTool(b, "rules:",
				`- {if: "args.amount > 500.0", then: hold}`,
				`- {if: "'prod' in labels && agent == 'intern'", then: deny}`,
				`- {if: "`+third+`", then: hold}`)
			facts := Facts{Tool: "t", Agent: "a", Labels: map[string]string{"prod": "1"}, Args: arguments(b, oneKilobyte)}
			b.ReportAllocs()
			for b.Loop() {
				if v := rule.Check(b.Context(), facts); v.Action != ActAllow {
					b.Fatal(v)
				}
			}
		})
	}
}

// BenchmarkCondition is what one condition costs, with all that it looks at.
func BenchmarkCondition(b *testing.B) {
	for name, text := range map[string]string{
		"args": "args.amount > 500.0", "norm": "norm.amount > 500", "history": "history.count > 3 || now - history.last < duration('1h')",
		"annotations": "!annotations.destructiveHint", "typed": "args.currency == 'USD' && args.amount > 5",
	} {
		b.Run(name, func(b *testing.B) {
			rule := oneTool(b, "arguments: {amount: {kind: money, currency: EUR}, order_id: {role: identity}}", `rules: [{if: "`+text+`", then: hold}]`)
			facts := Facts{Tool: "t", Args: arguments(b, oneKilobyte), Now: time.Now(), History: &History{Count: 1}}
			b.ReportAllocs()
			for b.Loop() {
				if v := rule.Check(b.Context(), facts); v.Action != ActAllow {
					b.Fatal(v)
				}
			}
		})
	}
}

// refundPolicy has all that a decision goes through: a schema, conditions and five kinds.
var refundPolicy = []string{
	`schema: {type: object, required: [order_id, amount], properties: {order_id: {type: string, pattern: "^ord-"}, amount: {type: number, minimum: 0}, currency: {enum: [EUR, USD]}, items: {type: array, items: {type: object, required: [sku]}}}}`,
	`arguments:`,
	`  order_id: {role: identity, kind: id}`,
	`  amount: {kind: money, currency: currency}`,
	`  currency: {kind: enum}`,
	`  items: {kind: exact}`,
	`  note: {kind: name}`,
	`rules:`,
	`- {if: "args.amount > 500.0", then: hold}`,
	`- {if: "'prod' in labels && agent == 'intern'", then: deny}`,
	`- {if: "args.currency != 'EUR'", then: hold}`,
}

// BenchmarkDecision1KB is what a decision costs before the ledger is asked: decode, match, check and fingerprint, and
// the same with a schema to validate.
func BenchmarkDecision1KB(b *testing.B) {
	maker, err := fingerprint.NewMaker([]byte(strings.Repeat("k", fingerprint.MinKey)))
	if err != nil {
		b.Fatal(err)
	}
	for name, policy := range map[string][]string{"schema": refundPolicy, "plain": refundPolicy[1:]} {
		b.Run(name, func(b *testing.B) {
			source := Fixed(oneToolSet(b, policy...))
			text, labels := []byte(oneKilobyte), map[string]string{"prod": "1"}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				args, err := fingerprint.Decode(text, fingerprint.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				rule := source.Current().Match("t")
				violations := rule.Validate(args)
				verdict := rule.Check(b.Context(), Facts{Tool: "t", Tenant: "acme", Agent: "a", Run: "r1", Labels: labels, Args: args, Now: time.Now()})
				sum := maker.Sum(rule.Arguments, fingerprint.Input{
					Tenant: "acme", Effect: rule.Effect, Scope: []fingerprint.ScopePart{{Name: "run", Value: "r1"}},
				}, args)
				if violations != nil || verdict.Action != ActAllow || sum.Key.IsZero() {
					b.Fatal(violations, verdict, sum)
				}
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	rule := oneTool(b, refundPolicy[0])
	args := arguments(b, oneKilobyte)
	b.ReportAllocs()
	for b.Loop() {
		if v := rule.Validate(args); v != nil {
			b.Fatal(v)
		}
	}
}
