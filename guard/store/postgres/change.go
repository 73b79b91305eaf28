package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// changing is one change of an effect by one event: derived from the effect as it was read, and made only if it still is so.
type changing struct {
	record              // as it shall be; its times are known when it was made
	event   guard.Event // without Seq, At and Hash
	read    int         // events of the effect when it was read
	before  time.Time   // the change may only be made before this moment; zero for any time
	wasDue  time.Time   // and only if time still ends the state then; zero where that does not matter
	keeps   bool        // the end of the state stays
	lasts   *time.Duration
	made    bool
	content [32]byte // of the event
}

// change begins a change of r, which the caller then describes.
func change(r *record, event guard.Event) *changing {
	c := &changing{record: *r, event: event, read: r.Events}
	c.event.Effect, c.event.From = r.ID, r.State
	return c
}

// until says how long the new state, or its window, lasts from the moment of the change.
func (c *changing) until(d time.Duration) { c.lasts = &d }

// seal completes the event, when the effect is as it shall be.
func (c *changing) seal() {
	if c.event.Kind.Raises() {
		c.Fence++
	}
	c.event.To, c.event.Fence = c.State, c.Fence
	if len(c.event.Arguments) > 0 {
		c.argumentsSeq = int64(c.read) + 1
	}
	// What a note brings is evidence, not the result.
	if c.event.Kind != guard.EventNoted && c.event.Result != nil {
		c.resultSeq = int64(c.read) + 1
	}
	c.content = c.event.Content()
}

// finish brings the effect to what the database made of it.
func (c *changing) finish(at, due, windowUntil time.Time) {
	c.made = true
	c.event.Seq, c.event.At = c.read+1, at
	c.event.Hash = c.event.SealWith(c.Head, c.content)
	c.Events, c.Head, c.Updated = c.event.Seq, c.event.Hash, at
	if c.event.Kind != guard.EventNoted {
		c.Since = at
	}
	c.setDue(due)
	c.WindowUntil = windowUntil
}

// ends returns how long the change makes time and the window last, in microseconds.
func (c *changing) ends() (due, window *int64) {
	if c.lasts == nil {
		return nil, nil
	}
	us := c.lasts.Microseconds()
	switch c.State {
	case guard.Pending, guard.Held, guard.Approved:
		return &us, nil
	case guard.Done, guard.Failed, guard.Refused:
		return nil, &us
	}
	return nil, nil
}

// apply makes one change (errMoved).
func (s *Store) apply(ctx context.Context, op string, c *changing) error {
	return s.write(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		c.made = false
		if err := s.applyAll(ctx, conn, []*changing{c}, false); err != nil {
			return err
		}
		if !c.made {
			return errMoved
		}
		return nil
	})
}

// applyAll makes changes, which are sorted by number. Where all must be made, none is when one has moved (errMoved).
func (s *Store) applyAll(ctx context.Context, c *pgx.Conn, changes []*changing, all bool) error {
	rows, err := c.Query(ctx, sqlChange, append([]any{s.clock(), all}, changeArguments(changes)...)...)
	if err != nil {
		return err
	}
	var ord int64
	var at, due, window time.Time
	_, err = pgx.ForEachRow(rows, []any{&ord, timeTo{&at}, timeTo{&due}, timeTo{&window}}, func() error {
		changes[ord-1].finish(at, due, window)
		return nil
	})
	return err
}

// changeArguments returns the arguments of the function change that have one element for each effect.
func changeArguments(changes []*changing) []any {
	n := len(changes)
	numbers, events := make([]int64, n), make([]int64, n)
	before, wasDue := make([]*time.Time, n), make([]*time.Time, n)
	fence, attempts, failures, window := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	keeps := make([]bool, n)
	dueIn, windowIn, argumentsSeq, resultSeq := make([]*int64, n), make([]*int64, n), make([]*int64, n), make([]*int64, n)
	count, arguments, content := make([]int64, n), make([][]byte, n), make([][]byte, n)
	for i, c := range changes {
		numbers[i], events[i], before[i], wasDue[i] = c.number, int64(c.read), timeArgument(c.before), timeArgument(c.wasDue)
		fence[i], attempts[i], failures[i], window[i] = c.Fence, int64(c.Attempts), int64(c.Failures), int64(c.Window)
		keeps[i] = c.keeps
		dueIn[i], windowIn[i] = c.ends()
		argumentsSeq[i], resultSeq[i] = reference(c.argumentsSeq), reference(c.resultSeq)
		count[i], arguments[i] = int64(c.event.Count), bytesArgument(c.event.Arguments)
		content[i] = c.content[:]
	}
	text := func(of func(*changing) string) []string { return texts(changes, of) }
	return append([]any{
		numbers, events, before, wasDue,
		text(func(c *changing) string { return c.Subject }), text(func(c *changing) string { return c.Agent }),
		text(func(c *changing) string { return c.Run }), text(func(c *changing) string { return c.CallID }),
		text(func(c *changing) string { return string(c.Execute) }),
		text(func(c *changing) string { return string(c.State) }), text(func(c *changing) string { return string(c.Code) }),
		text(func(c *changing) string { return c.Reason }),
		fence, text(func(c *changing) string { return c.Claim }), attempts, failures,
		text(func(c *changing) string { return string(c.Review) }), text(func(c *changing) string { return c.Policy }), window,
		keeps, dueIn, windowIn, argumentsSeq, resultSeq,
		text(func(c *changing) string { return string(c.event.Kind) }), text(func(c *changing) string { return string(c.event.From) }),
		text(func(c *changing) string { return c.event.Actor.Kind }), text(func(c *changing) string { return c.event.Actor.Name }),
		text(func(c *changing) string { return string(c.event.Code) }), text(func(c *changing) string { return c.event.Note }),
		text(func(c *changing) string { return c.event.Claim }), count, arguments,
	}, append(resultArguments(changes), content)...)
}

// texts returns one text of each item, in the form in which PostgreSQL holds it.
func texts[T any](items []T, of func(T) string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = encodeText(of(item))
	}
	return out
}

// reference is NULL where 0 stands for no event.
func reference(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

func timeArgument(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// bytesArgument is NULL for no bytes.
func bytesArgument(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func digestArgument(d *fingerprint.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}
