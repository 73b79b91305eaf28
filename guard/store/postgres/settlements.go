package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// flushSettlements records outcomes of different effects with one statement. Effects that it left as they were have moved.
func (s *Store) flushSettlements(ctx context.Context, c *pgx.Conn, batch []*request[*changing]) error {
	slices.SortFunc(batch, func(a, b *request[*changing]) int { return cmp.Compare(a.what.number, b.what.number) })
	changes := make([]*changing, len(batch))
	for i, r := range batch {
		r.what.made = false
		changes[i] = r.what
	}
	if len(batch) == 1 {
		return s.settleOne(ctx, c, batch[0])
	}
	rows, err := c.Query(ctx, sqlSettle, append([]any{s.clock()}, settlementArguments(changes)...)...)
	if err != nil {
		return err
	}
	var ord int64
	var at, window time.Time
	_, err = pgx.ForEachRow(rows, []any{&ord, timeTo{&at}, timeTo{&window}}, func() error {
		changes[ord-1].finish(at, time.Time{}, window)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range batch {
		if !r.what.made {
			r.err = errMoved
		}
	}
	return nil
}

// settleOne records one outcome with a statement that costs less than one for many.
func (s *Store) settleOne(ctx context.Context, conn *pgx.Conn, r *request[*changing]) error {
	c := r.what
	_, windowIn := c.ends()
	var source, contentType *string
	var status *int64
	var isError *bool
	var body []byte
	if res := c.event.Result; res != nil {
		from, of, st := encodeText(string(res.Source)), encodeText(res.ContentType), int64(res.Status)
		source, contentType, status, isError, body = &from, &of, &st, &res.IsError, bytesArgument(res.Body)
	}
	var at, window time.Time
	err := conn.QueryRow(ctx, sqlSettleOne, s.clock(), c.number, c.read,
		string(c.State), encodeText(string(c.Code)), encodeText(c.Reason), c.Failures, encodeText(string(c.Review)), windowIn,
		string(c.event.From), encodeText(c.event.Actor.Kind), encodeText(c.event.Actor.Name),
		source, status, contentType, isError, body, c.content[:],
	).Scan(timeTo{&at}, timeTo{&window})
	switch {
	case err == nil:
		c.finish(at, time.Time{}, window)
	case errors.Is(err, pgx.ErrNoRows):
		r.err, err = errMoved, nil
	}
	return err
}

// settlementArguments returns the arguments of the function settle that have one element for each effect.
func settlementArguments(changes []*changing) []any {
	n := len(changes)
	numbers, events, failures, windowIn := make([]int64, n), make([]int64, n), make([]int64, n), make([]*int64, n)
	content := make([][]byte, n)
	for i, c := range changes {
		numbers[i], events[i], failures[i] = c.number, int64(c.read), int64(c.Failures)
		_, windowIn[i] = c.ends()
		content[i] = c.content[:]
	}
	text := func(of func(*changing) string) []string { return texts(changes, of) }
	return append([]any{
		numbers, events,
		text(func(c *changing) string { return string(c.State) }), text(func(c *changing) string { return string(c.Code) }),
		text(func(c *changing) string { return c.Reason }), failures, text(func(c *changing) string { return string(c.Review) }), windowIn,
		text(func(c *changing) string { return string(c.event.From) }),
		text(func(c *changing) string { return c.event.Actor.Kind }), text(func(c *changing) string { return c.event.Actor.Name }),
	}, append(resultArguments(changes), content)...)
}

// resultArguments returns what the events of changes brought as results, each NULL where there is none.
func resultArguments(changes []*changing) []any {
	n := len(changes)
	source, contentType := make([]*string, n), make([]*string, n)
	status, isError, body := make([]*int64, n), make([]*bool, n), make([][]byte, n)
	for i, c := range changes {
		if r := c.event.Result; r != nil {
			from, of, st := encodeText(string(r.Source)), encodeText(r.ContentType), int64(r.Status)
			source[i], contentType[i], status[i], isError[i], body[i] = &from, &of, &st, &r.IsError, bytesArgument(r.Body)
		}
	}
	return []any{source, status, contentType, isError, body}
}
