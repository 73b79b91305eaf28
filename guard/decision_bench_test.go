package guard

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// emptyBook is a ledger of which nothing but its book is read.
type emptyBook struct{ Store }

func (emptyBook) Book(context.Context, int64) ([]Entry, error) { return nil, nil }

// BenchmarkDecision is a decision's own CPU: strict decoding of 1 KB of arguments, policy, conditions,
// fingerprint and decide, without ledger and network.
func BenchmarkDecision(b *testing.B) {
	set, err := policy.Parse("bench.yaml", []byte(`
version: 1
tools:
  - name: pay.refund
    upstream: {http: {url: "http://upstream.test/refunds"}}
    arguments:
      order_id: {role: identity, kind: id}
      amount: {role: material, kind: money, currency: currency}
      currency: {role: material, kind: enum}
      due: {role: material, kind: datetime, zone: UTC}
      to: {role: material, kind: set of email}
      reason: {role: commentary}
    rules:
      - {if: "args.amount > 500.0", then: hold, why: "Refunds above 500 need a person."}
      - {if: "'prod' in labels && agent == 'intern'", then: deny, why: "Interns do not touch production."}
`))
	if err != nil {
		b.Fatal(err)
	}
	g, err := New(Config{Store: emptyBook{}, Forward: struct{ Forwarder }{}, Policies: policy.Fixed(set), Key: []byte(strings.Repeat("k", 32))})
	if err != nil {
		b.Fatal(err)
	}
	arguments := `{"order_id":"A-10027","amount":125.50,"currency":"eur","due":"2026-11-23T12:00:00+01:00",` +
		`"to":["Ann@Example.com","bob@example.com"],"lines":[{"sku":"X-1","n":1},{"sku":"X-2","n":2}],"reason":"`
	arguments += strings.Repeat("the parcel was late; ", (1024-len(arguments)-2)/21) + `"}`
	c := Call{Tool: "pay.refund", Arguments: json.RawMessage(arguments), Run: "run-1", Agent: "support"}
	p := Principal{Tenant: "acme", Subject: "alice", Role: RoleAgent}
	found := &Effect{State: Done, Subject: "alice", WindowUntil: time.Now().Add(time.Hour)}
	b.ReportAllocs()
	b.SetBytes(int64(len(arguments)))
	for b.Loop() {
		r, err := g.propose(context.Background(), p, c)
		if err != nil {
			b.Fatal(err)
		}
		if broken := r.rule.Validate(r.args); len(broken) > 0 {
			b.Fatal(broken)
		}
		if err := r.fingerprint(); err != nil {
			b.Fatal(err)
		}
		if g.weigh(context.Background(), r); r.verdict.Action != policy.ActAllow {
			b.Fatal(r.verdict)
		}
		if ru := decide(r.situation(found, SameEffect, time.Now())); ru.action != actReplay {
			b.Fatal(ru)
		}
	}
}
