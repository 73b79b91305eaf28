package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

// Decide implements guard.Store.
func (s *Store) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	if err := d.Check(); err != nil {
		return guard.Effect{}, err
	}
	return s.derive(ctx, "decide", d.Tenant, d.ID, s.apply, func(r *record, now time.Time) (*changing, error) { return decide(&d, r, now) })
}

// decide derives the change that a person's decision makes.
func decide(d *guard.Decision, r *record, now time.Time) (*changing, error) {
	const op = "decide"
	from := r.State
	switch {
	case r.Fence != d.Fence:
		return nil, refuse(guard.CodeStaleFence, op, "somebody else has claimed or decided since", r)
	case !guard.Legal(from, d.By, d.State):
		return nil, refuse(guard.CodeConflict, op, "an effect that is "+string(from)+" cannot be "+string(d.By)+" to "+string(d.State), r)
	case from == guard.Held && !now.Before(r.ExpiresAt):
		return nil, refuse(guard.CodeConflict, op, "the time to decide is over", r)
	case d.Digest != [32]byte{} && d.Digest != r.ArgumentsDigest():
		return nil, refuse(guard.CodeConflict, op, "the arguments are not those that were shown", r)
	}
	event := guard.Event{Kind: d.By, Actor: d.Actor, Code: d.Code, Note: d.Reason, Arguments: d.Arguments}
	if d.By == guard.EventResolved && (from != guard.Done || d.Result != nil) {
		event.Result = d.Result
	}
	c := change(r, event)
	if from == guard.Held {
		c.before = r.ExpiresAt
	}
	c.State, c.Code, c.Reason, c.Review = d.State, d.Code, d.Reason, ""
	if d.By == guard.EventResolved && (from != guard.Done || d.Result != nil) {
		c.Result, c.resultSeq = d.Result, 0
	}
	if len(d.Arguments) > 0 {
		c.Arguments = d.Arguments
	}
	if d.State == guard.Failed {
		c.Failures = c.Attempts
	}
	c.until(r.Window)
	if d.State == guard.Approved {
		c.until(d.Expiry)
	}
	c.seal()
	return c, nil
}

// Note implements guard.Store. All notes are appended or none.
func (s *Store) Note(ctx context.Context, notes []guard.Note) error {
	const op = "note"
	if len(notes) == 0 {
		return nil
	}
	for {
		waves, err := s.deriveNotes(ctx, op, notes)
		if err != nil || len(waves) == 0 {
			return err
		}
		err = s.write(ctx, op, func(ctx context.Context, c *pgx.Conn) error {
			b := new(pgx.Batch)
			for _, w := range waves {
				b.Queue(sqlChange, append([]any{s.clock(), true}, changeArguments(w)...)...)
			}
			return c.SendBatch(ctx, b).Close()
		})
		if !errors.Is(err, errMoved) {
			if err == nil {
				for i := range waves[0] {
					s.changed(&waves[0][i].Effect)
				}
			}
			return err
		}
	}
}

// deriveNotes derives the changes that notes make. Each wave has one for each of several effects, sorted by number; the next wave
// has those that stand on them.
func (s *Store) deriveNotes(ctx context.Context, op string, notes []guard.Note) (waves [][]*changing, err error) {
	var ids []string
	for i := range notes {
		ids = append(ids, notes[i].ID)
	}
	found, _, err := s.findAll(ctx, op, ids...)
	if err != nil {
		return nil, err
	}
	effects := map[string]*record{}
	for _, r := range found {
		effects[r.ID] = r
	}
	depth := map[string]int{}
	for i := range notes {
		n := &notes[i]
		r := effects[n.ID]
		if r == nil || r.Tenant != n.Tenant {
			continue
		}
		c := note(n, r)
		next := c.record
		next.Events++
		effects[n.ID] = &next
		if depth[n.ID] == len(waves) {
			waves = append(waves, nil)
		}
		waves[depth[n.ID]] = append(waves[depth[n.ID]], c)
		depth[n.ID]++
	}
	for _, w := range waves {
		slices.SortFunc(w, func(a, b *changing) int { return int(a.number - b.number) })
	}
	return waves, nil
}

// note derives the change that a note makes: an event, and perhaps a review.
func note(n *guard.Note, r *record) *changing {
	c := change(r, guard.Event{Kind: guard.EventNoted, Actor: n.Actor, Code: n.Code, Note: n.Text, Count: n.Count, Result: n.Result})
	if r.Review == "" || n.Review == guard.CodeContradiction {
		c.Review = n.Review
	}
	c.keeps = true
	c.seal()
	return c
}
