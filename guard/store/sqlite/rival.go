package sqlite

import (
	"bytes"
	"context"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Rivals implements guard.Store. The zero digest has no rivals. The effects come with their results, too.
func (s *Store) Rivals(ctx context.Context, tenant string, r guard.Relation, digest, key fingerprint.Digest) ([]guard.Effect, error) {
	const op = "rivals"
	if r != guard.OtherScope && r != guard.SameIdentity && r != guard.NearEffect {
		return nil, invalid(op, "/relation", "rivals are in another scope, of the same identity, or near")
	}
	var out []guard.Effect
	err := s.read(ctx, op, func(c *conn) error {
		out = nil
		stmt, err := relatedTo(c, tenant, r, digest, key, s.now())
		if err != nil || stmt == nil {
			return err
		}
		rows, err := all(stmt)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := load(c, op, r); err != nil {
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

// relatedTo prepares the question for the newest effects that relate to a call and still answer; nil where none can.
func relatedTo(c *conn, tenant string, r guard.Relation, digest, key fingerprint.Digest, now time.Time) (*sqlite.Stmt, error) {
	text := sqlEffectsByScope
	switch r {
	case guard.SameIdentity:
		text = sqlEffectsByIdentity
	case guard.NearEffect:
		text = sqlEffectsByNear
	}
	if r != guard.OtherScope && digest.IsZero() {
		return nil, nil
	}
	stmt, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	b := binder{stmt: stmt}
	if r == guard.OtherScope {
		rest := len(key) - fingerprint.CommonBytes
		b.blob(append(key.Common(), make([]byte, rest)...)).blob(append(key.Common(), bytes.Repeat([]byte{0xff}, rest)...))
	} else {
		b.blob(digest[:])
	}
	b.text(tenant).blob(key[:]).time(now).number(guard.RivalMost)
	return stmt, nil
}

// rival looks for another effect that stands in the way of a claim. The same call under another edition comes before
// calls that are merely like it.
func (w *writer) rival(r *guard.ClaimRequest) (*record, guard.Relation, error) {
	e := &r.Effect
	if found, err := w.sameCallerKey(r); found != nil || err != nil {
		return found, guard.KeyConflict, err
	}
	if found, err := w.alias(r); found != nil || err != nil {
		return found, guard.SameEffect, err
	}
	for _, c := range [...]struct {
		relation guard.Relation
		asked    bool
		digest   fingerprint.Digest
	}{
		{guard.OtherScope, r.CheckScope, fingerprint.Digest{}},
		{guard.SameIdentity, r.CheckIdentity, e.Identity},
		{guard.NearEffect, r.CheckNear, e.Near},
	} {
		if !c.asked {
			continue
		}
		if found, err := w.unseen(r, c.relation, c.digest); found != nil || err != nil {
			return found, c.relation, err
		}
	}
	return nil, "", nil
}

// sameCallerKey returns the latest effect under the idempotency key of the caller that is not the same call.
func (w *writer) sameCallerKey(r *guard.ClaimRequest) (*record, error) {
	if r.Effect.CallerKey.IsZero() {
		return nil, nil
	}
	stmt, err := w.conn.Prepare(sqlEffectsByCallerKey)
	if err != nil {
		return nil, err
	}
	b := binder{stmt: stmt}
	b.digest(r.Effect.CallerKey).text(r.Effect.Tenant).blob(r.Effect.Key[:]).time(w.now)
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return nil, err
		}
		if found := scanRecord(stmt); !slices.Contains(r.Aliases, found.Key) {
			return found, stmt.Reset()
		}
	}
}

// unseen returns the newest of the effects so related to the request that its caller has not seen as they are.
func (w *writer) unseen(r *guard.ClaimRequest, relation guard.Relation, digest fingerprint.Digest) (*record, error) {
	stmt, err := relatedTo(w.conn, r.Effect.Tenant, relation, digest, r.Effect.Key, w.now)
	if err != nil || stmt == nil {
		return nil, err
	}
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return nil, err
		}
		if found := scanRecord(stmt); !seen(r, found) && !slices.Contains(r.Aliases, found.Key) {
			return found, stmt.Reset()
		}
	}
}

func seen(r *guard.ClaimRequest, e *record) bool {
	return slices.ContainsFunc(r.Seen, func(p guard.Prior) bool { return p.ID == e.ID && p.Fence == e.Fence })
}

// alias returns the latest of the effects under the request's other keys that still answer. Of each key only the
// latest generation does.
func (w *writer) alias(r *guard.ClaimRequest) (*record, error) {
	var latest *record
	for _, key := range r.Aliases {
		if key == r.Effect.Key {
			continue
		}
		found, err := w.latest(r.Effect.Tenant, key)
		if err != nil {
			return nil, err
		}
		if found != nil && w.answers(found) && (latest == nil || found.number > latest.number) {
			latest = found
		}
	}
	return latest, nil
}

// answers tells whether an effect stands in the way of an equal call under another edition.
func (w *writer) answers(r *record) bool {
	switch r.State {
	case guard.Failed:
		return r.Review == guard.CodeContradiction
	case guard.Done, guard.Refused: // refused by no person: without a window
		return w.at(r).Before(r.WindowUntil)
	}
	return true
}
