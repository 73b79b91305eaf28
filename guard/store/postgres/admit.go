package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// locks returns what a claim that compares must have for itself while it looks and writes: each digest by which it could
// find, or be found by, a rival that compares. They are sorted, so that no two claims wait for each other. A
// claim that compares nothing needs none: the unique index decides about its key, and before or after it are equally
// good orders for a rival that did not see it.
func locks(r *guard.ClaimRequest) []int64 {
	e := &r.Effect
	compares := !e.CallerKey.IsZero() || len(r.Aliases) > 0 || r.CheckWide && !e.Wide.IsZero() ||
		r.CheckIdentity && !e.Identity.IsZero() || r.CheckNear && !e.Near.IsZero()
	if !compares {
		return nil
	}
	var keys []int64
	for _, d := range append([]fingerprint.Digest{e.Key, e.CallerKey, e.Wide, e.Identity, e.Near}, r.Aliases...) {
		if !d.IsZero() {
			keys = append(keys, int64(binary.BigEndian.Uint64(d[:8])))
		}
	}
	return sortedOnce(keys)
}

func sortedOnce(keys []int64) []int64 {
	slices.Sort(keys)
	return slices.Compact(keys)
}

// admitArguments returns the arguments of the function admit.
func (s *Store) admitArguments(c *claiming, lockKeys []int64) []any {
	r, e := c.request, &c.request.Effect
	if lockKeys == nil {
		lockKeys = []int64{}
	}
	aliases := make([][]byte, len(r.Aliases))
	for i := range r.Aliases {
		aliases[i] = r.Aliases[i][:]
	}
	asked := func(ask bool, d *fingerprint.Digest) []byte {
		if !ask {
			return nil
		}
		return digestArgument(d)
	}
	ids, fences := make([]string, len(r.Seen)), make([]int64, len(r.Seen))
	for i, p := range r.Seen {
		ids[i], fences[i] = encodeText(p.ID), p.Fence
	}
	var id, state *string
	var fence int64
	if p := r.Prior; p != nil {
		pid, pstate := encodeText(p.ID), encodeText(string(p.State))
		id, state, fence = &pid, &pstate, p.Fence
	}
	return []any{
		s.clock(), lockKeys, r.Book, encodeText(e.Tenant), e.Key[:], aliases,
		digestArgument(&e.CallerKey), asked(r.CheckWide, &e.Wide), asked(r.CheckIdentity, &e.Identity), asked(r.CheckNear, &e.Near),
		int64(guard.NearMost), ids, fences, id, state, fence, int64(c.judged),
	}
}

// flushClaims makes claims in one round trip and one transaction: those that compare nothing with one statement, and
// each of the others with its own, after the locks of all were taken in order.
func (s *Store) flushClaims(ctx context.Context, conn *pgx.Conn, batch []*request[*claiming]) error {
	slices.SortFunc(batch, func(a, b *request[*claiming]) int {
		return bytes.Compare(a.what.request.Effect.Key[:], b.what.request.Effect.Key[:])
	})
	var plain []*claiming
	var guarded []*claiming
	var keys []int64
	for _, r := range batch {
		c := r.what
		c.verdict, c.upset, c.found = "", "", nil
		if c.guarded {
			guarded, keys = append(guarded, c), append(keys, c.lockKeys...)
		} else {
			plain = append(plain, c)
		}
	}
	b := new(pgx.Batch)
	alone := len(guarded) == 1 && len(plain) == 0
	if len(guarded) > 0 && !alone {
		b.Queue(sqlEnter, sortedOnce(append([]int64{}, keys...)))
	}
	if len(plain) > 0 {
		b.Queue(sqlBegin, append([]any{s.clock()}, beginArguments(plain)...)...).Query(func(rows pgx.Rows) error {
			return scanBegun(rows, plain)
		})
	}
	for _, c := range guarded {
		held := c.lockKeys
		if !alone {
			held = nil
		}
		s.queueGuarded(b, c, s.admitArguments(c, held))
	}
	return conn.SendBatch(ctx, b).Close()
}

func (s *Store) queueGuarded(b *pgx.Batch, c *claiming, admit []any) {
	switch {
	case c.again != nil:
		q := b.Queue(sqlAdmitChange, append(admit, changeArguments([]*changing{c.again})...)...)
		q.Query(func(rows pgx.Rows) error { return scanAgain(rows, c) })
	case c.next > 0:
		q := b.Queue(sqlAdmitBegin, append(admit, beginArguments([]*claiming{c})...)...)
		q.Query(func(rows pgx.Rows) error { return scanBegun(rows, []*claiming{c}) })
	default:
		b.Queue(sqlAdmit, admit...).Query(func(rows pgx.Rows) error { return scanAdmitted(rows, c) })
	}
}

// scanBegun reads what became of claims that begin an effect.
func scanBegun(rows pgx.Rows, claims []*claiming) error {
	for rows.Next() {
		var ord, made int64
		var verdict, upset string
		var now time.Time
		w := new(row)
		to := []any{&ord, &verdict, timeTo{&now}, textTo{&upset}, number(&made)}
		if err := rows.Scan(append(to, w.recordColumns()...)...); err != nil {
			return err
		}
		c := claims[ord-1]
		c.verdict, c.now, c.upset, c.number = verdict, now, upset, made
		c.found = w.join(c.found)
	}
	return rows.Err()
}

// scanAgain reads what became of a claim of an earlier effect.
func scanAgain(rows pgx.Rows, c *claiming) error {
	for rows.Next() {
		var at, due, window time.Time
		w := new(row)
		to := []any{&c.verdict, timeTo{&c.now}, textTo{&c.upset}, timeTo{&at}, timeTo{&due}, timeTo{&window}}
		if err := rows.Scan(append(to, w.recordColumns()...)...); err != nil {
			return err
		}
		if c.verdict == isMade {
			c.again.finish(at, due, window)
		}
		c.found = w.join(c.found)
	}
	return rows.Err()
}

// scanAdmitted reads what stands in the way of a claim that would write nothing.
func scanAdmitted(rows pgx.Rows, c *claiming) error {
	for rows.Next() {
		w := new(row)
		to := []any{&c.verdict, timeTo{&c.now}, textTo{&c.upset}}
		if err := rows.Scan(append(to, w.recordColumns()...)...); err != nil {
			return err
		}
		c.found = w.join(c.found)
	}
	return rows.Err()
}
