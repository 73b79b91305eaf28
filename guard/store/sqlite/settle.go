package sqlite

import (
	"bytes"
	"context"
	"slices"
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
	now := w.now
	switch {
	case r == nil:
		return time.Time{}, notFound(op)
	case r.Fence != fence:
		return time.Time{}, w.refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case r.State != guard.Pending:
		return time.Time{}, w.refuse(guard.CodeConflict, op, "an effect that is "+string(r.State)+" has no lease", r)
	}
	if now = w.at(r); !now.Before(r.LeaseUntil) {
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
	if !slices.Contains([]guard.State{guard.Done, guard.Failed, guard.Partial, guard.Unknown}, in.State) {
		return guard.Effect{}, invalid("settle", "/state", "an outcome is done, failed, partial or unknown")
	}
	var out guard.Effect
	err := s.write(ctx, "settle", func(w *writer) (err error) {
		out, err = w.settle(&in)
		return err
	})
	if err != nil {
		return guard.Effect{}, err
	}
	return out, nil
}

func (w *writer) settle(in *guard.Settlement) (guard.Effect, error) {
	const op = "settle"
	r, err := findInTenant(w.conn, op, in.Tenant, in.ID)
	if err != nil {
		return guard.Effect{}, err
	}
	if r.Fence != in.Fence || in.Claim != "" && in.Claim != r.Claim {
		return guard.Effect{}, w.refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	}
	if err := load(w.conn, op, r); err != nil {
		return guard.Effect{}, err
	}
	if r.State == in.State && equalResults(r.Result, in.Result) {
		return r.Effect, nil
	}
	from := r.State
	if !guard.Legal(from, guard.EventSettled, in.State) {
		return guard.Effect{}, w.refuse(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot become "+string(in.State)+" by a report", r)
	}
	r.State, r.Code, r.Reason = in.State, in.Code, in.Reason
	r.Result, r.resultEvent = in.Result, 0
	r.setUntil(time.Time{})
	switch in.State {
	case guard.Done:
		r.Review = ""
		r.setUntil(end(w.at(r), r.Window))
	case guard.Failed:
		r.Review = ""
		r.Failures++
	default:
		r.Review = guard.Code(either(string(in.Review), string(r.Review)))
	}
	err = w.change(r, from, guard.Event{
		Kind: guard.EventSettled, Actor: in.Actor, Code: in.Code, Note: in.Reason, Claim: r.Claim, Result: in.Result,
	})
	return r.Effect, err
}

func equalResults(a, b *guard.Result) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Status == b.Status && a.ContentType == b.ContentType && a.IsError == b.IsError &&
		a.Source == b.Source && bytes.Equal(a.Body, b.Body)
}
