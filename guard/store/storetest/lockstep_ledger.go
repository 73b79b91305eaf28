package storetest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/onceguard/onceguard/guard"
)

func (p *pair) rivals(rt *rapid.T) {
	if e, ok := p.seen(rt); ok {
		p.rivalsOf(rt, rapid.SampledFrom(kinds).Draw(rt, "kind"), guard.ClaimRequest{Effect: e})
	}
}

func (p *pair) rivalsOf(rt *rapid.T, k kind, r guard.ClaimRequest) {
	a, aerr := p.driver.Rivals(rt.Context(), r.Effect.Tenant, k.relation, k.digest(r), r.Effect.Key)
	b, berr := p.reference.Rivals(rt.Context(), r.Effect.Tenant, k.relation, k.digest(r), r.Effect.Key)
	p.equalErrors(rt, aerr, berr)
	p.equalLists(rt, a, b)
}

// enter makes an entry that may be in the book or be onto another than the latest, and compares the book from a random number on.
func (p *pair) enter(rt *rapid.T) {
	e := guard.Entry{
		Kind: rapid.SampledFrom([]guard.EntryKind{guard.EntryEdition, guard.EntryPolicy}).Draw(rt, "kind"),
		Name: rapid.SampledFrom([]string{"", "pay.*"}).Draw(rt, "name"),
		Text: []byte{byte(rapid.IntRange(0, 2).Draw(rt, "text"))},
		Onto: rapid.Int64Range(0, 3).Draw(rt, "onto"),
	}
	a, aerr := p.driver.Enter(rt.Context(), e)
	b, berr := p.reference.Enter(rt.Context(), e)
	p.equalErrors(rt, aerr, berr)
	p.book = max(p.book, b.Number)
	after := rapid.Int64Range(0, 6).Draw(rt, "after")
	all, aerr := p.driver.Book(rt.Context(), after)
	want, berr := p.reference.Book(rt.Context(), after)
	p.equalErrors(rt, aerr, berr)
	if !sameEntry(a, b) || !slices.EqualFunc(all, want, sameEntry) {
		rt.Fatalf("entry %+v of the book %+v; the reference has %+v of %+v", a, all, b, want)
	}
}

// prune forgets all that may be forgotten. Which of two that changed at the same moment comes first is not promised.
func (p *pair) prune(rt *rapid.T) {
	r := guard.Retention{
		Bodies: rapid.SampledFrom([]time.Duration{0, time.Minute, Window}).Draw(rt, "bodies"),
		Rows:   rapid.SampledFrom([]time.Duration{0, Window}).Draw(rt, "rows"),
	}
	a, aerr := p.driver.Prune(rt.Context(), r, 1000)
	b, berr := p.reference.Prune(rt.Context(), r, 1000)
	p.equalErrors(rt, aerr, berr)
	if a != b {
		rt.Fatalf("pruned %+v; the reference: %+v", a, b)
	}
	p.ids = slices.DeleteFunc(p.ids, func(id string) bool {
		_, err := p.reference.Get(rt.Context(), p.calls[id].Effect.Tenant, id)
		return guard.CodeOf(err) == guard.CodeNotFound
	})
}

func (p *pair) tally(rt *rapid.T) {
	add := []guard.Tally{tally(rapid.SampledFrom([]string{"pay", "mail"}).Draw(rt, "tool"), "done", rapid.Int64Range(0, 3).Draw(rt, "count"))}
	p.equalErrors(rt, p.driver.AddTallies(rt.Context(), add), p.reference.AddTallies(rt.Context(), add))
	a, aerr := p.driver.Tallies(rt.Context(), tenant, time.Time{}, p.clock.Now().Add(Window))
	b, berr := p.reference.Tallies(rt.Context(), tenant, time.Time{}, p.clock.Now().Add(Window))
	p.equalErrors(rt, aerr, berr)
	if !slices.EqualFunc(a, b, sameTally) {
		rt.Fatalf("the tallies are %+v; the reference's are %+v", a, b)
	}
}
