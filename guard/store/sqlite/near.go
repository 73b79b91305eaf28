package sqlite

import (
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Nearby implements guard.Store. The zero digest is near to nothing. The effects come with their results, too.
func (s *Store) Nearby(ctx context.Context, tenant string, near, key fingerprint.Digest) ([]guard.Effect, error) {
	if near.IsZero() {
		return nil, nil
	}
	var out []guard.Effect
	err := s.read(ctx, "nearby", func(c *conn) error {
		stmt, err := c.Prepare(sqlEffectsNear)
		if err != nil {
			return err
		}
		bindNear(stmt, tenant, near, key, s.now())
		rows, err := all(stmt)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := load(c, "nearby", r); err != nil {
				return err
			}
			out = append(out, r.Effect)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func bindNear(stmt *sqlite.Stmt, tenant string, near, key fingerprint.Digest, now time.Time) {
	b := binder{stmt: stmt}
	b.blob(near[:]).text(tenant).blob(key[:]).time(now).number(guard.NearMost)
}

// unseen returns the newest of the effects near to the request that its caller has not seen as they are.
func (w *writer) unseen(r *guard.ClaimRequest) (*record, error) {
	if r.Effect.Near.IsZero() {
		return nil, nil
	}
	stmt, err := w.conn.Prepare(sqlEffectsNearFences)
	if err != nil {
		return nil, err
	}
	bindNear(stmt, r.Effect.Tenant, r.Effect.Near, r.Effect.Key, w.now)
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return nil, err
		}
		s := scanner{stmt: stmt}
		number, id, fence, key := s.number(), s.text(), s.number(), s.digest()
		if seen(r, id, fence) || slices.Contains(r.Aliases, key) {
			continue
		}
		if err := stmt.Reset(); err != nil {
			return nil, err
		}
		return findByNumber(w.conn, number)
	}
}

func seen(r *guard.ClaimRequest, id string, fence int64) bool {
	return slices.ContainsFunc(r.Seen, func(p guard.Prior) bool { return p.ID == id && p.Fence == fence })
}
