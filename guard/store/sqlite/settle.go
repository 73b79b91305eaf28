package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// Extend implements guard.Store.
func (s *Store) Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error) {
	if ttl <= 0 {
		return time.Time{}, invalid("extend", "/ttl", "a lease must be longer than nothing")
	}
	var until time.Time
	err := s.write(ctx, "extend", func(w *writer) (err error) {
		until, err = w.extend(id, fence, ttl)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	return until, nil
}

func (w *writer) extend(id string, fence int64, ttl time.Duration) (time.Time, error) {
	const op = "extend"
	r, err := findByID(w.conn, id)
	if err != nil {
		return time.Time{}, err
	}
	switch {
	case r == nil:
		return time.Time{}, notFound(op)
	case r.Fence != fence:
		return time.Time{}, w.refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case r.State != guard.Pending:
		return time.Time{}, w.refuse(guard.CodeConflict, op, "an effect that is "+string(r.State)+" has no lease", r)
	}
	now := w.at(r)
	if !now.Before(r.LeaseUntil) {
		return time.Time{}, w.refuse(guard.CodeConflict, op, "the lease has ended: report the outcome, do not send", r)
	}
	until := end(now, ttl)
	if !until.After(r.LeaseUntil) {
		return r.LeaseUntil, nil
	}
	stmt, err := w.conn.Prepare(sqlEffectExtend)
	if err != nil {
		return time.Time{}, err
	}
	b := binder{stmt: stmt}
	b.number(r.number).number(fence).time(until)
	_, err = stmt.Step()
	return until, err
}

// Settle implements guard.Store.
func (s *Store) Settle(ctx context.Context, in guard.Settlement) (guard.Effect, error) {
	if err := in.Check(); err != nil {
		return guard.Effect{}, err
	}
	content := settledEvent(&in, guard.Pending, in.Claim).Content()
	var out guard.Effect
	err := s.write(ctx, "settle", func(w *writer) (err error) {
		if r := w.recent.take(in.ID); r != nil && r.Tenant == in.Tenant {
			if out, err = w.settle(&in, r, &content); !errors.Is(err, errMoved) {
				return err
			}
		}
		r, err := findInTenant(w.conn, "settle", in.Tenant, in.ID)
		if err == nil {
			err = load(w.conn, "settle", r)
		}
		if err == nil {
			out, err = w.settle(&in, r, &content)
		}
		return err
	})
	if err != nil {
		return guard.Effect{}, err
	}
	return out, nil
}

// settle settles an effect as it was read or remembered. It returns errMoved, for a refusal too, when the effect is no
// longer as r knows it. The content is that of the event of a pending claim that was named.
func (w *writer) settle(in *guard.Settlement, r *record, content *[32]byte) (guard.Effect, error) {
	const op = "settle"
	from := r.State
	switch {
	case r.Fence != in.Fence || in.Claim != "" && in.Claim != r.Claim:
		return guard.Effect{}, w.refuseUnmoved(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case from == in.State && r.Result.Equal(in.Result):
		return r.Effect, w.unmoved(r)
	case !guard.Legal(from, guard.EventSettled, in.State):
		return guard.Effect{}, w.refuseUnmoved(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot become "+string(in.State)+" by a report", r)
	}
	r.State, r.Code, r.Reason = in.State, in.Code, in.Reason
	r.Result, r.resultEvent = in.Result, 0
	r.setUntil(time.Time{})
	if in.State == guard.Done || in.State == guard.Failed {
		r.setUntil(end(w.at(r), r.Window))
	}
	if in.State == guard.Failed {
		r.Failures = r.Attempts
	}
	r.Review = in.ReviewAfter(r.Review)
	if from != guard.Pending || r.Claim != in.Claim {
		content = nil
	}
	err := w.change(r, from, *settledEvent(in, from, r.Claim), content)
	return r.Effect, err
}

// settledEvent is the event of an outcome, as far as it is known before its time.
func settledEvent(in *guard.Settlement, from guard.State, claim string) *guard.Event {
	return &guard.Event{
		Effect: in.ID, Kind: guard.EventSettled, From: from, To: in.State, Fence: in.Fence,
		Actor: in.Actor, Code: in.Code, Note: in.Reason, Claim: claim, Result: in.Result,
	}
}

// unmoved returns errMoved unless the effect is still as r knows it. A lease is renewed without an event.
func (w *writer) unmoved(r *record) error {
	now, err := findByID(w.conn, r.ID)
	if err == nil && (now == nil || now.headEvent != r.headEvent || !now.due().Equal(r.due())) {
		err = errMoved
	}
	return err
}

func (w *writer) refuseUnmoved(code guard.ErrorCode, op, message string, r *record) error {
	if err := w.unmoved(r); err != nil {
		return err
	}
	return w.refuse(code, op, message, r)
}
