package fingerprint

import (
	"strings"
	"testing"
)

// kilobyte is about 1 KB of arguments of the usual mixture; kilobyteSpec reads five of them.
var kilobyte = []byte(`{"order_id": "ord_83f1c2", "amount": "1,249.50 EUR", "customer_email": "Ann Example <Ann@Example.com>",
 "due": "2024-05-19T13:00:00+02:00", "status": "In-Progress", "notify": true, "retries": 3,
 "lines": [{"sku": "A-1", "qty": 2, "price": 499.75}, {"sku": "B-22", "qty": 1, "price": 250.00}],
 "address": {"street": "1 Long Street", "city": "Köln", "zip": "50667", "country": "DE"},
 "reason": "` + strings.Repeat("the customer sent it back \\u2014 again. ", 14) + `"}`)

func kilobyteSpec(t testing.TB) *Spec {
	return newSpec(t,
		Argument{Name: "order_id", Role: Identity, Kind: Kind{"id"}},
		Argument{Name: "amount", Kind: Kind{"money"}, Currency: "EUR"},
		Argument{Name: "customer_email", Kind: Kind{"email"}},
		Argument{Name: "due", Kind: Kind{"datetime"}},
		Argument{Name: "status", Kind: Kind{"enum"}, Aliases: map[string][]string{"in progress": {"ongoing"}}},
	)
}

func BenchmarkDecode1KB(b *testing.B) {
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(kilobyte, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSum1KB decodes and fingerprints.
func BenchmarkSum1KB(b *testing.B) {
	m, s, in := newMaker(b), kilobyteSpec(b), refund
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		v, err := Decode(kilobyte, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if m.Sum(s, in, v).Key.IsZero() {
			b.Fatal("no key")
		}
	}
}

// typedKilobyte has one argument of each of the dearer kinds.
var typedKilobyte = []byte(`{"phone": "+49 30 1234567", "site": "https://www.Example.com:443/orders/items?id=7", "due": "2024-05-19T13:00:00+02:00",
 "amount": "1,249.50 EUR", "body": "` + strings.Repeat("the customer sent it back \\u2014 again, and asks for the money. ", 14) + `"}`)

func typedSpec(t testing.TB) *Spec {
	return newSpec(t,
		Argument{Name: "phone", Role: Identity, Kind: Kind{"phone"}, Region: "DE"},
		Argument{Name: "site", Kind: Kind{"url"}},
		Argument{Name: "due", Kind: Kind{"datetime"}},
		Argument{Name: "amount", Kind: Kind{"money"}, Currency: "EUR"},
		Argument{Name: "body", Kind: Kind{"text"}},
	)
}

func BenchmarkSumTyped1KB(b *testing.B) {
	m, s, in := newMaker(b), typedSpec(b), refund
	b.SetBytes(int64(len(typedKilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		v, err := Decode(typedKilobyte, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if m.Sum(s, in, v).Key.IsZero() {
			b.Fatal("no key")
		}
	}
}

// BenchmarkKinds reads one usual value of each kind.
func BenchmarkKinds(b *testing.B) {
	for _, c := range []struct{ kind, text string }{
		{"percent", `"12.5 %"`}, {"duration", `"90 minutes"`}, {"phone", `"+49 30 1234567"`}, {"country", `"United States"`}, {"language", `"en_US"`},
		{"path", `"./a//b/c.txt"`}, {"command", `"git commit -m \"a b\" && git push"`}, {"iban", `"DE89 3704 0044 0532 0130 00"`},
		{"card", `"4111 1111 1111 1111"`}, {"json", `"{\"a\": [1, 2]}"`}, {"url", `"https://example.com/a?b=c"`}, {"datetime", `"May 19, 2024 1:30 PM"`},
	} {
		b.Run(c.kind, func(b *testing.B) {
			s := newSpec(b, Argument{Name: "x", Kind: Kind{c.kind}})
			v := decode(b, c.text)
			b.ReportAllocs()
			var space [256]byte
			for b.Loop() {
				s.find("x").read.normalise(space[:0], call{s, v}, v)
			}
		})
	}
}

// TestAllocations keeps the way of a call from growing: the figures are those measured, with a little room.
func TestAllocations(t *testing.T) {
	m, s := newMaker(t), kilobyteSpec(t)
	v, err := Decode(kilobyte, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	decoding := leastAllocs(func() {
		if _, err := Decode(kilobyte, Limits{}); err != nil {
			t.Fatal(err)
		}
	})
	summing := leastAllocs(func() { m.Sum(s, refund, v) })
	typed, args := typedSpec(t), decode(t, string(typedKilobyte))
	summingTyped := leastAllocs(func() { m.Sum(typed, refund, args) })
	if decoding > 6 || summing > 3 || summingTyped > 8 {
		t.Errorf("Decode allocates %v times, Sum %v times, of the dearer kinds %v times", decoding, summing, summingTyped)
	}
}

// leastAllocs returns the fewest allocations of a run: pools are emptied at any time, and at random under -race.
func leastAllocs(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for range 100 {
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}
