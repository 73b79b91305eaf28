package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// flushClaims makes claims in one round trip and one transaction: those that compare nothing with one statement, the
// others after the locks of all were taken in order. Of these, claims that have no lock in common go together.
func (s *Store) flushClaims(ctx context.Context, conn *pgx.Conn, batch []*request[*claiming]) error {
	slices.SortFunc(batch, func(a, b *request[*claiming]) int {
		return bytes.Compare(a.what.request.Effect.Key[:], b.what.request.Effect.Key[:])
	})
	var plain, single []*claiming
	var waves [][]*claiming
	var keys []int64
	met := map[int64]int{} // by lock: how many waves have a claim with it
	for _, r := range batch {
		c := r.what
		c.verdict, c.upset, c.found = "", "", nil
		keys = append(keys, c.lockKeys...)
		switch {
		case !c.guarded:
			plain = append(plain, c)
		case c.next == 0:
			single = append(single, c)
		default:
			waves = join(waves, met, c)
		}
	}
	if len(batch) == 1 && len(plain) == 1 {
		if err := s.beginOne(ctx, conn, plain[0]); err != nil || plain[0].verdict != "" {
			return err
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	b := new(pgx.Batch)
	if len(keys) > 0 && (len(plain) > 0 || len(waves)+len(single) > 1) {
		b.Queue(sqlTakeLocks, keys)
		keys = nil
	}
	if len(plain) > 0 {
		b.Queue(sqlBegin, append([]any{s.clock()}, beginArguments(plain)...)...).Query(scanInto(plain))
	}
	for _, wave := range waves {
		b.Queue(sqlWeighBegin, append(s.weighArguments(wave, keys), beginArguments(wave)...)...).Query(scanInto(wave))
	}
	for _, c := range single {
		weigh := s.weighArguments([]*claiming{c}, keys)
		if c.again == nil {
			b.Queue(sqlWeigh, weigh...).Query(scanInto([]*claiming{c}))
			continue
		}
		b.Queue(sqlWeighChange, append(weigh, changeArguments([]*changing{c.again})...)...).Query(scanAgain(c))
	}
	return conn.SendBatch(ctx, b).Close()
}

// join adds a claim to the first wave that comes after all others with one of its locks: it must see what they wrote.
func join(waves [][]*claiming, met map[int64]int, c *claiming) [][]*claiming {
	wave := 0
	for _, key := range append(c.lockKeys, lockKey(c.request.Effect.Key)) {
		wave = max(wave, met[key])
	}
	for _, key := range append(c.lockKeys, lockKey(c.request.Effect.Key)) {
		met[key] = wave + 1
	}
	if wave == len(waves) {
		waves = append(waves, nil)
	}
	waves[wave] = append(waves[wave], c)
	return waves
}

// scanInto reads what became of claims that begin an effect, or would write nothing.
func scanInto(claims []*claiming) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		w := new(row)
		width := len(w.recordColumns())
		for rows.Next() {
			var ord, made int64
			var verdict, upset string
			var now time.Time
			var limit, room int64
			to := []any{&ord, &verdict, timeTo{&now}, textTo{&upset}, number(&made), number(&limit), number(&room)}
			if string(rows.RawValues()[1]) == isMade {
				to = append(to, make([]any, width)...) // nil: there is no record to read
			} else {
				to = append(to, w.recordColumns()...)
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			c := claims[ord-1]
			c.verdict, c.now, c.upset, c.number, c.limit, c.room = verdict, now, upset, made, int(limit), room
			if verdict != isMade {
				c.found = w.join(c.found)
				w = new(row)
			}
		}
		return rows.Err()
	}
}

// scanAgain reads what became of a claim of an earlier effect.
func scanAgain(c *claiming) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			var at, due, window time.Time
			var limit, room int64
			w := new(row)
			to := []any{&c.verdict, timeTo{&c.now}, textTo{&c.upset}, number(&limit), number(&room), timeTo{&at}, timeTo{&due}, timeTo{&window}}
			if err := rows.Scan(append(to, w.recordColumns()...)...); err != nil {
				return err
			}
			c.limit, c.room = int(limit), room
			if c.verdict == isMade {
				c.again.finish(at, due, window)
			}
			c.found = w.join(c.found)
		}
		return rows.Err()
	}
}
