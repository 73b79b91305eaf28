package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

// Extend implements guard.Store.
func (s *Store) Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error) {
	const op = "extend"
	if ttl <= 0 {
		return time.Time{}, invalid(op, "/ttl", "a lease must be longer than nothing")
	}
	for {
		var until time.Time
		err := s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
			err := c.QueryRow(ctx, sqlExtend, s.clock(), encodeText(id), fence, ttl.Microseconds()).Scan(timeTo{&until})
			if errors.Is(err, pgx.ErrNoRows) {
				return errMoved
			}
			return err
		})
		if !errors.Is(err, errMoved) {
			return until, err
		}
		if err := s.whyNotExtended(ctx, op, id, fence); err != nil {
			return time.Time{}, err
		}
	}
}

// whyNotExtended says why a lease was not renewed; nil when it could be by now.
func (s *Store) whyNotExtended(ctx context.Context, op, id string, fence int64) error {
	found, now, err := s.findAll(ctx, op, id)
	if err != nil {
		return err
	}
	r, err := verified(op, found)
	switch {
	case err != nil:
		return err
	case r == nil:
		return notFound(op)
	case r.Fence != fence:
		return refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case r.State != guard.Pending:
		return refuse(guard.CodeConflict, op, "an effect that is "+string(r.State)+" has no lease", r)
	case !later(now, r.Updated).Before(r.LeaseUntil):
		return refuse(guard.CodeConflict, op, "the lease has ended: report the outcome, do not send", r)
	}
	return nil
}

// Settle implements guard.Store.
func (s *Store) Settle(ctx context.Context, in guard.Settlement) (guard.Effect, error) {
	const op = "settle"
	if err := in.Check(); err != nil {
		return guard.Effect{}, err
	}
	if r := s.recent.take(in.ID); r != nil && r.Tenant == in.Tenant {
		// What is remembered may be old: only a change that was made on top of it is an answer.
		if c, _ := settle(&in, r); c != nil {
			if err := s.settlements.write(ctx, op, c); !errors.Is(err, errMoved) {
				return s.outcome(c, err)
			}
		}
	}
	return s.derive(ctx, op, in.Tenant, in.ID, s.settlements.write, func(r *record, _ time.Time) (*changing, error) { return settle(&in, r) })
}

// settle derives the change that an outcome makes; none when the outcome is already recorded.
func settle(in *guard.Settlement, r *record) (*changing, error) {
	const op = "settle"
	from := r.State
	switch {
	case r.Fence != in.Fence || in.Claim != "" && in.Claim != r.Claim:
		return nil, refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case from == in.State && r.Result.Equal(in.Result):
		return nil, nil
	case !guard.Legal(from, guard.EventSettled, in.State):
		return nil, refuse(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot become "+string(in.State)+" by a report", r)
	}
	c := change(r, guard.Event{
		Kind: guard.EventSettled, Actor: in.Actor, Code: in.Code, Note: in.Reason, Claim: r.Claim, Result: in.Result,
	})
	c.State, c.Code, c.Reason = in.State, in.Code, in.Reason
	c.Result, c.resultSeq = in.Result, 0
	if in.State == guard.Done || in.State == guard.Failed {
		c.until(r.Window)
	}
	if in.State == guard.Failed {
		c.Failures = c.Attempts
	}
	c.Review = in.ReviewAfter(r.Review)
	c.seal()
	return c, nil
}

// derive reads an effect, makes the change that f derives from it with apply, and returns the effect as it then is. When the effect has
// moved between the two, it begins again: somebody else has made progress.
func (s *Store) derive(
	ctx context.Context, op, tenant, id string,
	apply func(context.Context, string, *changing) error, f func(*record, time.Time) (*changing, error),
) (guard.Effect, error) {
	for {
		r, now, err := s.find(ctx, op, tenant, id)
		if err != nil {
			return guard.Effect{}, err
		}
		c, err := f(r, now)
		if err != nil {
			return guard.Effect{}, err
		}
		if c == nil {
			return r.Effect, nil
		}
		if err := apply(ctx, op, c); !errors.Is(err, errMoved) {
			return s.outcome(c, err)
		}
	}
}

// outcome returns the effect as a change left it, and tells who listens.
func (s *Store) outcome(c *changing, err error) (guard.Effect, error) {
	if err != nil {
		return guard.Effect{}, err
	}
	s.changed(&c.Effect)
	return c.Effect, nil
}
