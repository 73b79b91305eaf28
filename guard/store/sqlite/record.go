package sqlite

import (
	"errors"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/guard"
)

// one returns the row that a prepared and bound statement finds, or nil.
func one(stmt *sqlite.Stmt) (*record, error) {
	found, err := stmt.Step()
	if err != nil || !found {
		return nil, err
	}
	r := scanRecord(stmt)
	return r, stmt.Reset()
}

// findByKey returns the latest generation under a key, and what superseded it, as they were at one moment.
func findByKey(c *conn, key [32]byte) (*record, error) {
	stmt, err := c.Prepare(sqlEffectByKey)
	if err != nil {
		return nil, err
	}
	stmt.BindBytes(1, key[:])
	found, err := stmt.Step()
	if err != nil || !found {
		return nil, err
	}
	r := scanRecord(stmt)
	r.superseded = stmt.ColumnText(effectColumns)
	return r, stmt.Reset()
}

func findByID(c *conn, id string) (*record, error) {
	stmt, err := c.Prepare(sqlEffectByID)
	if err != nil {
		return nil, err
	}
	stmt.BindText(1, id)
	return one(stmt)
}

// findInTenant returns CodeNotFound for an effect that does not exist and for one of another tenant alike.
func findInTenant(c *conn, op, tenant, id string) (*record, error) {
	r, err := findByID(c, id)
	if err == nil && (r == nil || r.Tenant != tenant) {
		err = notFound(op)
	}
	return r, err
}

// load attaches the arguments and the result. It answers CodeCorrupt where an event that it reads does not
// verify, or the row does not agree with its last event.
func load(c *conn, op string, r *record) error {
	numbers := [...]int64{r.headEvent, r.argumentsEvent, r.resultEvent}
	for i, n := range numbers {
		if n == 0 && i > 0 || i > 0 && n == numbers[0] || i > 1 && n == numbers[1] {
			continue
		}
		stmt, err := c.Prepare(sqlEventWithPrevious)
		if err != nil {
			return err
		}
		stmt.BindInt64(1, n)
		found, err := stmt.Step()
		if err != nil {
			return err
		}
		if !found {
			return corrupt(op, r.ID)
		}
		e := scanEvent(stmt, r.ID)
		before := scanner{stmt: stmt, n: eventColumns}
		sound := e.Seal(before.digest()) == e.Hash && (i > 0 || isHead(r, &e))
		if err := stmt.Reset(); err != nil {
			return err
		}
		if !sound {
			return corrupt(op, r.ID)
		}
		r.attach(&e, n)
	}
	return nil
}

// isHead tells whether the effect's row is what its last event left.
func isHead(r *record, e *guard.Event) bool {
	return e.Hash == r.Head && e.To == r.State && e.Fence == r.Fence && e.Seq == r.Events
}

// refuse loads the effect and returns the error that carries it as it stands.
func (w *writer) refuse(code guard.ErrorCode, op, message string, r *record) error {
	if err := load(w.conn, op, r); err != nil {
		return err
	}
	return &guard.Error{Code: code, Op: op, Message: message, Effect: &r.Effect}
}

// at returns the time of a change to an effect, which is never before its last one: the clock may have been set
// back since, while the store was closed.
func (w *writer) at(r *record) time.Time {
	if w.now.Before(r.Updated) {
		return r.Updated
	}
	return w.now
}

// create records a new effect with its first event, whose Content is computed where it is nil. It returns false where
// its generation or its id exists.
func (w *writer) create(r *record, e guard.Event, content *[32]byte) (bool, error) {
	r.number = w.lastEffect + 1
	r.Created, r.Updated, r.Since = w.now, w.now, w.now
	w.seal(r, &e, "", content)
	stmt, err := w.conn.Prepare(sqlEffectInsert)
	if err != nil {
		return false, err
	}
	bindInsert(stmt, r)
	if _, err := stmt.Step(); err != nil {
		return false, err
	}
	if w.conn.Changes() == 0 {
		return false, nil
	}
	w.lastEffect = r.number
	return true, w.insert(r, &e, 0)
}

// errMoved says that an effect was changed after it was read. Nothing was written.
var errMoved = errors.New("the effect is not as it was read")

// change records what an event, whose Content is computed where it is nil, made of an effect, whose state it had when
// it was found.
func (w *writer) change(r *record, from guard.State, e guard.Event, content *[32]byte) error {
	before := r.headEvent
	r.Updated = w.at(r)
	if e.Kind != guard.EventNoted {
		r.Since = r.Updated
	}
	w.seal(r, &e, from, content)
	text, bind := sqlEffectUpdate, bindUpdate
	if e.Kind == guard.EventSettled || e.Kind == guard.EventNoted {
		text, bind = sqlEffectSettle, bindSettle
	}
	stmt, err := w.conn.Prepare(text)
	if err != nil {
		return err
	}
	bind(stmt, r, from, before)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	if w.conn.Changes() != 1 {
		return errMoved
	}
	if (from == guard.Failed) != (r.State == guard.Failed) {
		if err := w.giveBack(r); err != nil {
			return err
		}
	}
	return w.insert(r, &e, before)
}

// seal completes an event, makes it the last one of its effect and notes which bytes it brings.
func (w *writer) seal(r *record, e *guard.Event, from guard.State, content *[32]byte) {
	e.Effect, e.Seq, e.At = r.ID, r.Events+1, r.Updated
	e.From, e.To, e.Fence = from, r.State, r.Fence
	if content == nil {
		e.Hash = e.Seal(r.Head)
	} else {
		e.Hash = e.SealWith(r.Head, *content)
	}
	r.Events, r.Head, r.headEvent = e.Seq, e.Hash, w.lastEvent+1
	if len(e.Arguments) > 0 {
		r.argumentsEvent, r.bytes = r.headEvent, true
	}
	if e.Result != nil && len(e.Result.Body) > 0 {
		r.bytes = true
	}
	if e.Kind == guard.EventNoted {
		return // what a note brings is evidence, not the result
	}
	if e.Result != nil {
		r.resultEvent = r.headEvent
	}
}

func (w *writer) insert(r *record, e *guard.Event, previous int64) error {
	stmt, err := w.conn.Prepare(sqlEventInsert)
	if err != nil {
		return err
	}
	bindEvent(stmt, r.headEvent, r.number, previous, e)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	w.lastEvent = r.headEvent
	return nil
}
