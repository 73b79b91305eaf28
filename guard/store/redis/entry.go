package redis

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/onceguard/onceguard/guard"
)

// Bounds of an entry's fields, in bytes.
const (
	MaxCall = 1 << 20
	MaxKey  = 512
)

// The fields of the entries of the three streams.
const (
	fieldCall   = "call"   // the call, as the API takes it
	fieldKey    = "key"    // the API key of who asks
	fieldEntry  = "entry"  // id of the entry that a reply, or a dead entry, is about
	fieldAnswer = "answer" // the answer, as the API gives it
	fieldReason = "reason" // why it was given up
)

// The pauses between two runs of an entry double from the first to the longest.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
)

// Entry is one call of a stream.
type Entry struct {
	ID   string // of the entry; what its reply names
	Key  string // the API key; "" where none was given
	Call []byte // JSON, not yet looked at
}

// Refusal is the error of an Answer for an entry that no server will ever take. Its Reason stands in the dead entry.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

// parse reads an entry strictly: a field that was only thought to have a meaning is a danger.
func parse(m redis.XMessage) (Entry, error) {
	e := Entry{ID: m.ID}
	for name, value := range m.Values {
		text, _ := value.(string) // the library gives nothing else
		switch name {
		case fieldCall:
			e.Call = []byte(text)
		case fieldKey:
			e.Key = text
		default:
			return e, &Refusal{fmt.Sprintf("an entry has the fields %q and %q, and no other", fieldCall, fieldKey)}
		}
	}
	if len(e.Call) == 0 || len(e.Call) > MaxCall {
		return e, &Refusal{fmt.Sprintf("the field %q must have 1 to %d bytes", fieldCall, MaxCall)}
	}
	if len(e.Key) > MaxKey {
		return e, &Refusal{fmt.Sprintf("the field %q must have at most %d bytes", fieldKey, MaxKey)}
	}
	for _, b := range []byte(e.Key) {
		if b <= ' ' || b > '~' {
			return e, &Refusal{fmt.Sprintf("the field %q must be printable ASCII without blanks", fieldKey)}
		}
	}
	return e, nil
}

// handle answers an entry or gives it up. If ctx ends before it could, the entry stays with the group.
func (i *Intake) handle(ctx context.Context, m redis.XMessage) {
	e, err := parse(m)
	if err != nil {
		i.giveUp(ctx, e, err)
		return
	}
	if n, err := i.deliveries(context.WithoutCancel(ctx), e.ID); err == nil && n > int64(i.options.Deliveries) {
		i.giveUp(ctx, e, &Refusal{fmt.Sprintf("it was given to a server %d times, and none of them lived to answer it", n-1)})
		return
	}
	for failures, pause := 0, firstPause; ; pause = min(2*pause, maxPause) {
		answer, err := i.run(context.WithoutCancel(ctx), e)
		if err == nil {
			i.finish(ctx, e.ID, i.options.Replies, fieldEntry, e.ID, fieldAnswer, answer)
			return
		}
		if !passes(err) {
			failures++
		}
		if _, refused := errors.AsType[*Refusal](err); refused || failures >= i.options.Deliveries {
			i.giveUp(ctx, e, err)
			return
		}
		i.options.Log.Warn("a call of a stream is not answered yet", "entry", e.ID, "error", err)
		if !sleep(ctx, pause) {
			return
		}
	}
}

// passes reports whether an error is that of a moment, and says nothing about the entry.
func passes(err error) bool {
	switch guard.CodeOf(err) {
	case guard.CodeUnavailable, guard.CodeUncertain, guard.CodeBusy, guard.CodeDraining:
		return true
	}
	return false
}

// run makes a panic an error: an entry must not end the server for all others.
func (i *Intake) run(ctx context.Context, e Entry) (answer []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			i.options.Log.Error("a call of a stream made a panic", "entry", e.ID, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errors.New("a defect of the server")
		}
	}()
	return i.answer(ctx, e)
}

// giveUp moves an entry to the dead ones. Its key is not kept.
func (i *Intake) giveUp(ctx context.Context, e Entry, why error) {
	reason := "it met a defect of the server, whose log says more"
	if r, ok := errors.AsType[*Refusal](why); ok {
		reason = r.Reason
	}
	i.options.Log.Warn("a call of a stream is given up", "entry", e.ID, "error", why)
	i.finish(ctx, e.ID, i.options.Dead, fieldEntry, e.ID, fieldReason, reason, fieldCall, e.Call[:min(len(e.Call), MaxCall)])
}

// finishing adds to the stream KEYS[1], about ARGV[1] entries long, an entry with the fields from ARGV[4] on, and then takes the entry
// ARGV[3] out of the stream KEYS[2] and its group ARGV[2]: there is an API key in it. A script stops at its first error, where a transaction of
// Redis would go on.
var finishing = redis.NewScript(`
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 4))
redis.call('XACK', KEYS[2], ARGV[2], ARGV[3])
redis.call('XDEL', KEYS[2], ARGV[3])
`)

// finish writes what became of an entry. It is repeated until Redis confirms it, or ctx ends. An entry that Redis lost meanwhile is answered
// all the same.
func (i *Intake) finish(ctx context.Context, id, to string, fields ...any) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		within := context.WithoutCancel(ctx) // the client's own limits end it
		err := finishing.Run(within, i.client, []string{to, i.options.Stream}, append([]any{i.options.Keep, i.options.Group, id}, fields...)...).Err()
		if err == nil || errors.Is(err, redis.Nil) {
			return
		}
		i.options.Log.Warn("what became of a call of a stream cannot be written", "entry", id, "stream", to, "error", err)
		if !sleep(ctx, pause) {
			return
		}
	}
}
