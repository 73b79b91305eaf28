package sqlite

import (
	"slices"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// rival looks for another effect that stands in the way of a claim. The same call under another edition comes before
// calls that are merely like it.
func (w *writer) rival(r *guard.ClaimRequest) (*record, guard.Relation, error) {
	e := &r.Effect
	if found, err := w.sharing(r, e.CallerKey, sqlEffectsByCallerKey); found != nil || err != nil {
		return found, guard.KeyConflict, err
	}
	if found, err := w.alias(r); found != nil || err != nil {
		return found, guard.SameEffect, err
	}
	if r.CheckWide {
		if found, err := w.sharing(r, e.Wide, sqlEffectsByWide); found != nil || err != nil {
			return found, guard.OtherScope, err
		}
	}
	if r.CheckIdentity {
		if found, err := w.sharing(r, e.Identity, sqlEffectsByIdentity); found != nil || err != nil {
			return found, guard.SameIdentity, err
		}
	}
	if r.CheckNear {
		if found, err := w.unseen(r); found != nil || err != nil {
			return found, guard.NearEffect, err
		}
	}
	return nil, "", nil
}

// sharing returns the latest effect that has a digest in common with the request and is not the same call.
func (w *writer) sharing(r *guard.ClaimRequest, digest fingerprint.Digest, query string) (*record, error) {
	if digest.IsZero() {
		return nil, nil
	}
	stmt, err := w.conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	b := binder{stmt: stmt}
	b.digest(digest).text(r.Effect.Tenant).blob(r.Effect.Key[:]).time(w.now)
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
