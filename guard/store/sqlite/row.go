package sqlite

import (
	"encoding/json"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// record is an effect's row: the effect without its bytes, and where these stand.
type record struct {
	guard.Effect
	number         int64
	headEvent      int64  // number of the last event
	argumentsEvent int64  // number of the event that brought the arguments; 0 for none
	resultEvent    int64  // number of the event that brought the result; 0 for none
	bytes          bool   // whether its events hold bytes of arguments or results
	superseded     string // id of the effect that superseded this one; only findByKey looks for it
}

// binder binds the parameters of a statement in their order.
type binder struct {
	stmt *sqlite.Stmt
	n    int
}

func (b *binder) text(s string) *binder {
	b.n++
	b.stmt.BindText(b.n, s)
	return b
}

func (b *binder) number(n int64) *binder {
	b.n++
	b.stmt.BindInt64(b.n, n)
	return b
}

func (b *binder) blob(p []byte) *binder {
	b.n++
	b.stmt.BindBytes(b.n, p)
	return b
}

func (b *binder) null() *binder {
	b.n++
	b.stmt.BindNull(b.n)
	return b
}

func (b *binder) digest(d fingerprint.Digest) *binder {
	if d.IsZero() {
		return b.null()
	}
	return b.blob(d[:])
}

// reference binds the number of another row, where 0 stands for none.
func (b *binder) reference(n int64) *binder {
	if n == 0 {
		return b.null()
	}
	return b.number(n)
}

func (b *binder) flag(f bool) *binder {
	if f {
		return b.number(1)
	}
	return b.number(0)
}

func (b *binder) time(t time.Time) *binder {
	if t.IsZero() {
		return b.null()
	}
	return b.number(t.UnixMicro())
}

// scanner reads the columns of a row in their order.
type scanner struct {
	stmt *sqlite.Stmt
	n    int
}

func (s *scanner) text() string {
	s.n++
	return s.stmt.ColumnText(s.n - 1)
}

func (s *scanner) number() int64 {
	s.n++
	return s.stmt.ColumnInt64(s.n - 1)
}

func (s *scanner) digest() (d [32]byte) {
	s.n++
	s.stmt.ColumnBytes(s.n-1, d[:])
	return d
}

// blob returns nil for NULL and for no bytes.
func (s *scanner) blob() []byte {
	s.n++
	size := s.stmt.ColumnLen(s.n - 1)
	if size == 0 {
		return nil
	}
	p := make([]byte, size)
	s.stmt.ColumnBytes(s.n-1, p)
	return p
}

func (s *scanner) time() time.Time {
	s.n++
	if s.stmt.ColumnIsNull(s.n - 1) {
		return time.Time{}
	}
	return time.UnixMicro(s.stmt.ColumnInt64(s.n - 1)).UTC()
}

// due returns when time ends the state. The row has one column for it, because no state has two ends.
func (r *record) due() time.Time {
	if r.State == guard.Pending {
		return r.LeaseUntil
	}
	return r.ExpiresAt
}

// setUntil says until when the state lasts; the zero time for states that end by no clock.
func (r *record) setUntil(t time.Time) {
	r.LeaseUntil, r.ExpiresAt, r.WindowUntil = time.Time{}, time.Time{}, time.Time{}
	switch r.State {
	case guard.Pending:
		r.LeaseUntil = t
	case guard.Held, guard.Approved:
		r.ExpiresAt = t
	case guard.Done, guard.Failed, guard.Refused:
		r.WindowUntil = t
	}
}

// effectColumns is the number of columns of the effects table.
const effectColumns = 39

// scanRecord reads a row of the effects table, whose columns stand in this order.
func scanRecord(stmt *sqlite.Stmt) *record {
	s := scanner{stmt: stmt}
	r := new(record)
	r.number = s.number()
	r.ID, r.Tenant, r.Subject, r.Agent, r.Run, r.CallID = s.text(), s.text(), s.text(), s.text(), s.text(), s.text()
	r.Tool, r.Type, r.Execute, r.About, r.Related = s.text(), s.text(), guard.Execute(s.text()), s.text(), s.text()
	r.Key, r.Generation = s.digest(), int(s.number())
	r.Identity, r.Near, r.Resource, r.CallerKey = s.digest(), s.digest(), s.digest(), s.digest()
	r.State, r.Code, r.Reason = guard.State(s.text()), guard.Code(s.text()), s.text()
	r.Fence, r.Claim, r.Attempts, r.Failures = s.number(), s.text(), int(s.number()), int(s.number())
	r.Review, r.Policy, r.Window = guard.Code(s.text()), s.text(), time.Duration(s.number())
	r.Created, r.Updated, r.Since = s.time(), s.time(), s.time()
	r.LeaseUntil, r.WindowUntil = s.time(), s.time()
	if r.State != guard.Pending {
		r.LeaseUntil, r.ExpiresAt = time.Time{}, r.LeaseUntil
	}
	r.Events, r.Head = int(s.number()), s.digest()
	r.headEvent, r.argumentsEvent, r.resultEvent, r.bytes = s.number(), s.number(), s.number(), s.number() != 0
	return r
}

func bindInsert(stmt *sqlite.Stmt, r *record) {
	b := binder{stmt: stmt}
	b.number(r.number).text(r.ID).text(r.Tenant).text(r.Subject).text(r.Agent).text(r.Run).text(r.CallID)
	b.text(r.Tool).text(r.Type).text(string(r.Execute)).text(r.About).text(r.Related)
	b.blob(r.Key[:]).number(int64(r.Generation)).digest(r.Identity).digest(r.Near).digest(r.Resource).digest(r.CallerKey)
	b.text(string(r.State)).text(string(r.Code)).text(r.Reason)
	b.number(r.Fence).text(r.Claim).number(int64(r.Attempts)).number(int64(r.Failures))
	b.text(string(r.Review)).text(r.Policy).number(int64(r.Window)).time(r.Created).time(r.Updated).time(r.Since).time(r.due()).time(r.WindowUntil)
	b.number(int64(r.Events)).blob(r.Head[:]).number(r.headEvent).reference(r.argumentsEvent).reference(r.resultEvent).flag(r.bytes)
}

// bindUpdate binds the row as it shall be and the state and event that it must still be at.
func bindUpdate(stmt *sqlite.Stmt, r *record, from guard.State, at int64) {
	b := binder{stmt: stmt}
	b.number(r.number).text(string(from)).number(at)
	b.text(r.Subject).text(r.Agent).text(r.Run).text(r.CallID).text(string(r.Execute))
	b.text(string(r.State)).text(string(r.Code)).text(r.Reason)
	b.number(r.Fence).text(r.Claim).number(int64(r.Attempts)).number(int64(r.Failures))
	b.text(string(r.Review)).text(r.Policy).number(int64(r.Window)).time(r.Updated).time(r.Since).time(r.due()).time(r.WindowUntil)
	b.number(int64(r.Events)).blob(r.Head[:]).number(r.headEvent).reference(r.argumentsEvent).reference(r.resultEvent).flag(r.bytes)
}

// bindSettle is bindUpdate for a change that leaves the claim as it is.
func bindSettle(stmt *sqlite.Stmt, r *record, from guard.State, at int64) {
	b := binder{stmt: stmt}
	b.number(r.number).text(string(from)).number(at)
	b.text(string(r.State)).text(string(r.Code)).text(r.Reason).number(int64(r.Failures)).text(string(r.Review))
	b.time(r.Updated).time(r.Since).time(r.due()).time(r.WindowUntil)
	b.number(int64(r.Events)).blob(r.Head[:]).number(r.headEvent).reference(r.resultEvent).flag(r.bytes)
}

func bindEvent(stmt *sqlite.Stmt, number, effect, previous int64, e *guard.Event) {
	b := binder{stmt: stmt}
	b.number(number).number(effect).reference(previous).number(int64(e.Seq)).time(e.At)
	b.text(string(e.Kind)).text(string(e.From)).text(string(e.To)).number(e.Fence)
	b.text(e.Actor.Kind).text(e.Actor.Name).text(string(e.Code)).text(e.Note).text(e.Claim).number(int64(e.Count))
	if e.Arguments == nil {
		b.null()
	} else {
		b.blob(e.Arguments)
	}
	if res := e.Result; res == nil {
		b.null().null().null().null().null()
	} else {
		b.text(string(res.Source)).number(int64(res.Status)).text(res.ContentType).flag(res.IsError).blob(res.Body)
	}
	b.blob(e.Hash[:])
}

// eventColumns is the number of columns of the events table.
const eventColumns = 24

// scanEvent reads a row of the events table, whose columns stand in this order, as an event of the effect with this id.
func scanEvent(stmt *sqlite.Stmt, effect string) guard.Event {
	s := scanner{stmt: stmt, n: 3}
	e := guard.Event{Effect: effect}
	e.Seq, e.At, e.Kind = int(s.number()), s.time(), guard.EventKind(s.text())
	e.From, e.To, e.Fence = guard.State(s.text()), guard.State(s.text()), s.number()
	e.Actor = guard.Actor{Kind: s.text(), Name: s.text()}
	e.Code, e.Note, e.Claim, e.Count = guard.Code(s.text()), s.text(), s.text(), int(s.number())
	e.Arguments = s.blob()
	if stmt.ColumnIsNull(s.n) {
		s.n += 5
	} else {
		e.Result = &guard.Result{Source: guard.Source(s.text()), Status: int(s.number()), ContentType: s.text()}
		e.Result.IsError, e.Result.Body = s.number() != 0, s.blob()
	}
	e.Hash, e.ArgumentsHash = s.digest(), s.digest()
	if hash := s.digest(); e.Result != nil {
		e.Result.BodyHash = hash
	}
	return e
}

// attach gives the effect the bytes that an event brought.
func (r *record) attach(e *guard.Event, number int64) {
	if number == r.argumentsEvent {
		r.Arguments = json.RawMessage(e.Arguments)
	}
	if number == r.resultEvent {
		r.Result = e.Result
	}
}
