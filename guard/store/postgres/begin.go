package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// lasts is how long the first state of an effect lasts; 0 where no clock ends it.
func lasts(r *guard.ClaimRequest) time.Duration {
	switch r.Effect.State {
	case guard.Pending:
		return r.Lease
	case guard.Held:
		return r.Expiry
	}
	return 0
}

// begun is the effect that a claim won, as the database recorded it.
func begun(c *claiming) *record {
	if c.again != nil {
		return &c.again.record
	}
	e := c.request.Effect
	event := c.request.FirstEvent()
	event.Seq, event.At = 1, c.now
	r := &record{number: c.number, Effect: guard.Effect{
		ID: e.ID, Tenant: e.Tenant, Subject: e.Subject, Agent: e.Agent, Run: e.Run, CallID: e.CallID,
		Tool: e.Tool, Type: e.Type, Execute: e.Execute,
		About: e.About, Related: e.Related,
		Key: e.Key, Generation: c.next, Identity: e.Identity, Near: e.Near, Resource: e.Resource, CallerKey: e.CallerKey,
		State: e.State, Code: e.Code, Reason: e.Reason, Fence: 1, Claim: event.Claim, Review: e.Review,
		Policy: e.Policy, Arguments: e.Arguments, Window: e.Window,
		Created: c.now, Updated: c.now, Since: c.now, Events: 1, Head: event.SealWith([32]byte{}, c.content),
	}}
	if e.State == guard.Pending {
		r.Attempts = 1
	}
	if d := lasts(c.request); d > 0 {
		r.setDue(c.now.Add(d.Truncate(time.Microsecond)))
	}
	if len(e.Arguments) > 0 {
		r.argumentsSeq = 1
	}
	return r
}

// beginOne begins one effect that compares nothing and follows nothing, with a statement that costs less than one for many. It leaves
// the verdict empty where the effect was not made.
func (s *Store) beginOne(ctx context.Context, conn *pgx.Conn, c *claiming) error {
	e, event := &c.request.Effect, c.request.FirstEvent()
	var until *int64
	if d := lasts(c.request); d > 0 {
		us := d.Microseconds()
		until = &us
	}
	err := conn.QueryRow(ctx, sqlBeginOne, s.clock(), c.request.Book,
		encodeText(e.ID), encodeText(e.Tenant), encodeText(e.Subject), encodeText(e.Agent), encodeText(e.Run), encodeText(e.CallID),
		encodeText(e.Tool), encodeText(e.Type), encodeText(string(e.Execute)), encodeText(e.About), encodeText(e.Related),
		e.Key[:], c.next, digestArgument(&e.Identity), digestArgument(&e.Near), digestArgument(&e.Resource), digestArgument(&e.CallerKey),
		encodeText(string(e.State)), encodeText(string(e.Code)), encodeText(e.Reason), encodeText(event.Claim), encodeText(string(e.Review)),
		encodeText(e.Policy), int64(e.Window), until,
		string(event.Kind), encodeText(event.Actor.Kind), encodeText(event.Actor.Name), bytesArgument(e.Arguments), c.content[:],
	).Scan(&c.number, timeTo{&c.now})
	switch {
	case err == nil:
		c.verdict = isMade
	case errors.Is(err, pgx.ErrNoRows):
		err = nil
	}
	return err
}

// beginArguments returns the arguments of the function begin that have one element for each effect.
func beginArguments(claims []*claiming) []any {
	n := len(claims)
	book, generation, window, until := make([]int64, n), make([]int64, n), make([]int64, n), make([]*int64, n)
	arguments, content := make([][]byte, n), make([][]byte, n)
	events := make([]guard.Event, n)
	for i, c := range claims {
		e := &c.request.Effect
		book[i], generation[i], window[i] = c.request.Book, int64(c.next), int64(e.Window)
		if d := lasts(c.request); d > 0 {
			us := d.Microseconds()
			until[i] = &us
		}
		arguments[i], content[i] = bytesArgument(e.Arguments), c.content[:]
		events[i] = c.request.FirstEvent()
	}
	text := func(of func(*guard.Effect) string) []string {
		return texts(claims, func(c *claiming) string { return of(&c.request.Effect) })
	}
	digests := func(of func(*guard.Effect) *fingerprint.Digest) [][]byte {
		out := make([][]byte, n)
		for i, c := range claims {
			out[i] = digestArgument(of(&c.request.Effect))
		}
		return out
	}
	event := func(of func(guard.Event) string) []string { return texts(events, of) }
	return []any{
		book, text(func(e *guard.Effect) string { return e.ID }), text(func(e *guard.Effect) string { return e.Tenant }),
		text(func(e *guard.Effect) string { return e.Subject }), text(func(e *guard.Effect) string { return e.Agent }),
		text(func(e *guard.Effect) string { return e.Run }), text(func(e *guard.Effect) string { return e.CallID }),
		text(func(e *guard.Effect) string { return e.Tool }), text(func(e *guard.Effect) string { return e.Type }),
		text(func(e *guard.Effect) string { return string(e.Execute) }), text(func(e *guard.Effect) string { return e.About }),
		text(func(e *guard.Effect) string { return e.Related }),
		digests(func(e *guard.Effect) *fingerprint.Digest { return &e.Key }), generation,
		digests(func(e *guard.Effect) *fingerprint.Digest { return &e.Identity }),
		digests(func(e *guard.Effect) *fingerprint.Digest { return &e.Near }),
		digests(func(e *guard.Effect) *fingerprint.Digest { return &e.Resource }),
		digests(func(e *guard.Effect) *fingerprint.Digest { return &e.CallerKey }),
		text(func(e *guard.Effect) string { return string(e.State) }), text(func(e *guard.Effect) string { return string(e.Code) }),
		text(func(e *guard.Effect) string { return e.Reason }), event(func(e guard.Event) string { return e.Claim }),
		text(func(e *guard.Effect) string { return string(e.Review) }), text(func(e *guard.Effect) string { return e.Policy }),
		window, until,
		event(func(e guard.Event) string { return string(e.Kind) }),
		event(func(e guard.Event) string { return e.Actor.Kind }), event(func(e guard.Event) string { return e.Actor.Name }),
		arguments, content,
	}
}
