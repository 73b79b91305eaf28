package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// locks returns what a claim that compares must have for itself while it looks and writes: each digest by which it could
// find, or be found by, a rival that compares, and each limit. They are sorted, so that no two claims wait for each other. A
// claim that compares nothing needs none: the unique index decides about its key, and before or after it are equally
// good orders for a rival that did not see it.
func locks(r *guard.ClaimRequest) []int64 {
	e := &r.Effect
	compares := !e.CallerKey.IsZero() || len(r.Aliases) > 0 || len(r.Limits) > 0 || r.CheckScope ||
		r.CheckIdentity && !e.Identity.IsZero() || r.CheckNear && !e.Near.IsZero()
	if !compares {
		return nil
	}
	var keys []int64
	for _, d := range append([]fingerprint.Digest{e.Key, e.CallerKey, e.Identity, e.Near}, r.Aliases...) {
		// Keys that are equal but for the scope begin alike, and so one lock is that of a key and of all its scopes.
		if !d.IsZero() {
			keys = append(keys, lockKey(d))
		}
	}
	for _, l := range r.Limits {
		keys = append(keys, lockKey(l.Key))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func lockKey(d fingerprint.Digest) int64 { return int64(binary.BigEndian.Uint64(d[:8])) }

// weighArguments returns the arguments of the function weigh. The locks are nil where they are taken already.
func (s *Store) weighArguments(claims []*claiming, lockKeys []int64) []any {
	n := len(claims)
	book, tenant, key := make([]int64, n), make([]string, n), make([][]byte, n)
	callerKey, scope, identity, near := make([][]byte, n), make([]bool, n), make([][]byte, n), make([][]byte, n)
	priorID, priorState, priorFence := make([]*string, n), make([]*string, n), make([]int64, n)
	judged, again := make([]int64, n), make([]bool, n)
	aliasOf, aliases := []int64{}, [][]byte{}
	seenOf, seenID, seenFence := []int64{}, []string{}, []int64{}
	limitOf, limitKey, amount, most, period := []int64{}, [][]byte{}, []int64{}, []int64{}, []int64{}
	for i, c := range claims {
		r, e, of := c.request, &c.request.Effect, int64(i+1)
		book[i], tenant[i], key[i], callerKey[i] = r.Book, encodeText(e.Tenant), e.Key[:], digestArgument(&e.CallerKey)
		scope[i] = r.CheckScope
		if r.CheckIdentity {
			identity[i] = digestArgument(&e.Identity)
		}
		if r.CheckNear {
			near[i] = digestArgument(&e.Near)
		}
		if p := r.Prior; p != nil {
			id, state := encodeText(p.ID), encodeText(string(p.State))
			priorID[i], priorState[i], priorFence[i] = &id, &state, p.Fence
		}
		judged[i], again[i] = int64(c.judged), r.Again
		for j := range r.Aliases {
			aliasOf, aliases = append(aliasOf, of), append(aliases, r.Aliases[j][:])
		}
		for _, p := range r.Seen {
			seenOf, seenID, seenFence = append(seenOf, of), append(seenID, encodeText(p.ID)), append(seenFence, p.Fence)
		}
		if e.State != guard.Pending || c.next == 0 && c.again == nil { // it would record nothing
			continue
		}
		for j := range r.Limits {
			l := &r.Limits[j]
			limitOf, limitKey, amount = append(limitOf, of), append(limitKey, l.Key[:]), append(amount, l.Amount)
			most, period = append(most, l.Max), append(period, l.Period.Microseconds())
		}
	}
	if lockKeys == nil {
		lockKeys = []int64{}
	}
	return []any{
		s.clock(), lockKeys, int64(guard.RivalMost),
		book, tenant, key, callerKey, scope, identity, near, priorID, priorState, priorFence, judged, again,
		aliasOf, aliases, seenOf, seenID, seenFence, limitOf, limitKey, amount, most, period,
	}
}
