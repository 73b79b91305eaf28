package sqlite

import (
	"context"

	"github.com/onceguard/onceguard/guard"
)

// Decide implements guard.Store.
func (s *Store) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	if err := d.Check(); err != nil {
		return guard.Effect{}, err
	}
	var out guard.Effect
	err := s.write(ctx, "decide", func(w *writer) (err error) {
		out, err = w.decide(&d)
		return err
	})
	if err != nil {
		return guard.Effect{}, err
	}
	return out, nil
}

func (w *writer) decide(d *guard.Decision) (guard.Effect, error) {
	const op = "decide"
	r, err := findInTenant(w.conn, op, d.Tenant, d.ID)
	if err != nil {
		return guard.Effect{}, err
	}
	if err := load(w.conn, op, r); err != nil {
		return guard.Effect{}, err
	}
	from, now := r.State, w.at(r)
	switch {
	case r.Fence != d.Fence:
		return guard.Effect{}, w.refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case !guard.Legal(from, d.By, d.State):
		return guard.Effect{}, w.refuse(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot be "+string(d.By)+" to "+string(d.State), r)
	case from == guard.Held && !now.Before(r.ExpiresAt):
		return guard.Effect{}, w.refuse(guard.CodeConflict, op, "the time to decide is over", r)
	case d.Digest != [32]byte{} && d.Digest != r.ArgumentsDigest():
		return guard.Effect{}, w.refuse(guard.CodeConflict, op, "the arguments are not those that were shown", r)
	}
	r.State, r.Code, r.Reason, r.Review, r.Fence = d.State, d.Code, d.Reason, "", r.Fence+1
	event := guard.Event{Kind: d.By, Actor: d.Actor, Code: d.Code, Note: d.Reason, Arguments: d.Arguments}
	if len(d.Arguments) > 0 {
		r.Arguments = d.Arguments
	}
	if d.By == guard.EventResolved && (from != guard.Done || d.Result != nil) {
		event.Result, r.Result, r.resultEvent = d.Result, d.Result, 0
	}
	if d.State == guard.Failed {
		r.Failures = r.Attempts
	}
	switch d.State {
	case guard.Approved:
		r.setUntil(end(now, d.Expiry))
	default:
		r.setUntil(end(now, r.Window))
	}
	err = w.change(r, from, event, nil)
	return r.Effect, err
}

// Note implements guard.Store.
func (s *Store) Note(ctx context.Context, notes []guard.Note) error {
	if len(notes) == 0 {
		return nil
	}
	return s.write(ctx, "note", func(w *writer) error {
		for i := range notes {
			if err := w.note(&notes[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) note(n *guard.Note) error {
	r, err := findByID(w.conn, n.ID)
	if err != nil || r == nil || r.Tenant != n.Tenant {
		return err
	}
	if r.Review == "" || n.Review == guard.CodeContradiction {
		r.Review = n.Review
	}
	return w.change(r, r.State, guard.Event{
		Kind: guard.EventNoted, Actor: n.Actor, Code: n.Code, Note: n.Text, Count: n.Count, Result: n.Result,
	}, nil)
}
