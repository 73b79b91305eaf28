package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/guard"
)

// record is an effect's row: the effect, without its bytes until they are attached, and where these stand.
type record struct {
	guard.Effect
	number       int64
	argumentsSeq int64 // Seq of the event that brought the arguments; 0 for none
	resultSeq    int64 // Seq of the event that brought the result; 0 for none
	hasArguments bool  // the event that brought them was read; they may have been pruned
	unsound      bool  // an event that was read does not verify
	heads        int   // how often the last event was read
}

// row is what is read of one row: a record and one of its events.
type row struct {
	record
	due    time.Time
	event  guard.Event
	source *string // NULL when the event brought no result
	result guard.Result
	before [32]byte
}

// effectColumns returns the destinations of the columns of the table effects, in their order.
func (w *row) effectColumns() []any {
	r := &w.record
	return []any{
		number(&r.number), textTo{&r.ID}, textTo{&r.Tenant}, textTo{&r.Subject}, textTo{&r.Agent}, textTo{&r.Run}, textTo{&r.CallID},
		textTo{&r.Tool}, textTo{&r.Type}, word(&r.Execute), textTo{&r.About}, textTo{&r.Related}, digest(&r.Key), number(&r.Generation),
		digest(&r.Identity), digest(&r.Near), digest(&r.Resource), digest(&r.CallerKey),
		word(&r.State), word(&r.Code), textTo{&r.Reason}, number(&r.Fence), textTo{&r.Claim}, number(&r.Attempts), number(&r.Failures),
		word(&r.Review), textTo{&r.Policy}, number((*int64)(&r.Window)), timeTo{&r.Created}, timeTo{&r.Updated}, timeTo{&r.Since},
		timeTo{&w.due}, timeTo{&r.WindowUntil}, number(&r.Events), digestTo{&r.Head}, number(&r.argumentsSeq), number(&r.resultSeq), nil, nil,
	}
}

// eventColumns returns the destinations of the columns of the table events from seq on, in their order.
func (w *row) eventColumns() []any {
	e, res := &w.event, &w.result
	return []any{
		number(&e.Seq), timeTo{&e.At}, word(&e.Kind), word(&e.From), word(&e.To), number(&e.Fence),
		textTo{&e.Actor.Kind}, textTo{&e.Actor.Name}, word(&e.Code), textTo{&e.Note}, textTo{&e.Claim}, number(&e.Count),
		bytesTo{&e.Arguments}, &w.source, number(&res.Status), textTo{&res.ContentType}, boolTo{&res.IsError}, bytesTo{&res.Body},
		digestTo{&e.Hash}, digestTo{&e.ArgumentsHash}, digestTo{&res.BodyHash},
	}
}

// recordColumns returns the destinations of the columns of the view records, in their order.
func (w *row) recordColumns() []any {
	return append(append(w.effectColumns(), w.eventColumns()...), digestTo{&w.before})
}

// settle gives what was scanned its form.
func (w *row) settle() {
	w.setDue(w.due)
	w.event.Effect = w.ID
	if w.source != nil {
		w.result.Source = guard.Source(decodeText(*w.source))
		res := w.result
		w.event.Result = &res
	}
}

// setDue says when time ends the state. The row has one column for it, because no state has two ends.
func (r *record) setDue(t time.Time) {
	r.LeaseUntil, r.ExpiresAt = time.Time{}, time.Time{}
	if r.State == guard.Pending {
		r.LeaseUntil = t
	} else {
		r.ExpiresAt = t
	}
}

// attach verifies an event and gives the effect the bytes that it brought.
func (r *record) attach(e *guard.Event, before [32]byte) {
	seq := int64(e.Seq)
	if e.Seal(before) != e.Hash {
		r.unsound = true
		return
	}
	if e.Seq == r.Events {
		r.heads++
		r.unsound = r.unsound || !isHead(r, e)
	}
	if seq == r.argumentsSeq {
		r.Arguments, r.hasArguments = e.Arguments, true
	}
	if seq == r.resultSeq {
		r.Result = e.Result
	}
}

// isHead tells whether the effect's row is what its last event left.
func isHead(r *record, e *guard.Event) bool {
	return e.Hash == r.Head && e.To == r.State && e.Fence == r.Fence && e.Seq == r.Events
}

// sound tells whether all that an answer is made from was there and verifies.
func (r *record) sound() bool {
	return !r.unsound && r.heads == 1 &&
		(r.argumentsSeq != 0) == r.hasArguments && (r.resultSeq == 0) == (r.Result == nil)
}

// gather joins the rows of the view records, which follow each other for each effect, to records. The columns that
// stand before those of the view go to more.
func gather(rows pgx.Rows, more ...any) ([]*record, error) {
	defer rows.Close()
	var found []*record
	for rows.Next() {
		w := new(row)
		if err := rows.Scan(append(more, w.recordColumns()...)...); err != nil {
			return nil, err
		}
		found = w.join(found)
	}
	return found, rows.Err()
}

// join adds a row to the record that it belongs to, which is the last one or a new one.
func (w *row) join(found []*record) []*record {
	if w.number == 0 {
		return found
	}
	w.settle()
	if len(found) == 0 || found[len(found)-1].number != w.number {
		found = append(found, &w.record)
	}
	last := found[len(found)-1]
	if w.event.Seq > 0 {
		last.attach(&w.event, w.before)
	}
	return found
}

// verified returns the one record that was found, or nil; CodeCorrupt where it does not verify.
func verified(op string, found []*record) (*record, error) {
	if len(found) == 0 {
		return nil, nil
	}
	if !found[0].sound() {
		return nil, corrupt(op, found[0].ID)
	}
	return found[0], nil
}
