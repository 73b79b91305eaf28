package storetest

import (
	"context"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// Fault says how a write fails.
type Fault int

// The faults.
const (
	None       Fault = iota // the write goes on
	NotApplied              // nothing is written; the caller gets CodeUnavailable
	Applied                 // the write is made; the caller gets CodeUncertain
)

// Faulty wraps a store. Its zero fields change nothing, and its writes are Claim, Extend, Settle, Decide, Note, Sweep, Enter,
// Prune and AddTallies.
// Its functions are called by the names of the methods in lower case, from as many goroutines as call the store,
// and are set before its first use.
type Faulty struct {
	guard.Store
	Fail   func(verb string) Fault // asked before each write; nil for no faults
	Before func(verb string)       // called before each write, each Lookup and each Rivals; may block
	After  func(verb string)       // called when the store underneath has answered; may block
}

// Script returns a function for Fail that deals out faults to the calls of one verb, in turn, and none afterwards.
// Calls of other verbs go on.
func Script(verb string, faults ...Fault) func(string) Fault {
	turns := make(chan Fault, len(faults))
	for _, f := range faults {
		turns <- f
	}
	return func(v string) Fault {
		if v != verb {
			return None
		}
		select {
		case f := <-turns:
			return f
		default:
			return None
		}
	}
}

func (f *Faulty) around(verb string, do func() error) error {
	if f.Before != nil {
		f.Before(verb)
	}
	if f.After != nil {
		defer f.After(verb)
	}
	fault := None
	if f.Fail != nil {
		fault = f.Fail(verb)
	}
	if fault == NotApplied {
		return &guard.Error{Code: guard.CodeUnavailable, Op: verb, Message: "a planted fault: nothing was written"}
	}
	err := do()
	if fault == Applied {
		return &guard.Error{Code: guard.CodeUncertain, Op: verb, Message: "a planted fault: the write was made", Err: err}
	}
	return err
}

// call runs one method that has a result, which an error hides.
func call[T any](f *Faulty, verb string, do func() (T, error)) (T, error) {
	var out, zero T
	err := f.around(verb, func() (err error) {
		out, err = do()
		return err
	})
	if err != nil {
		return zero, err
	}
	return out, nil
}

// Claim implements guard.Store.
func (f *Faulty) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	return call(f, "claim", func() (guard.Claimed, error) { return f.Store.Claim(ctx, r) })
}

// Extend implements guard.Store.
func (f *Faulty) Extend(ctx context.Context, id string, fence int64, ttl time.Duration) (time.Time, error) {
	return call(f, "extend", func() (time.Time, error) { return f.Store.Extend(ctx, id, fence, ttl) })
}

// Settle implements guard.Store.
func (f *Faulty) Settle(ctx context.Context, s guard.Settlement) (guard.Effect, error) {
	return call(f, "settle", func() (guard.Effect, error) { return f.Store.Settle(ctx, s) })
}

// Decide implements guard.Store.
func (f *Faulty) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	return call(f, "decide", func() (guard.Effect, error) { return f.Store.Decide(ctx, d) })
}

// Note implements guard.Store.
func (f *Faulty) Note(ctx context.Context, notes []guard.Note) error {
	return f.around("note", func() error { return f.Store.Note(ctx, notes) })
}

// Sweep implements guard.Store.
func (f *Faulty) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	return call(f, "sweep", func() ([]guard.Effect, error) { return f.Store.Sweep(ctx, limit) })
}

// Lookup implements guard.Store. It can be held up by Before and After, but not made to fail: Fail is for writes.
func (f *Faulty) Lookup(ctx context.Context, key fingerprint.Digest) (guard.Found, error) {
	idle := Faulty{Store: f.Store, Before: f.Before, After: f.After}
	return call(&idle, "lookup", func() (guard.Found, error) { return f.Store.Lookup(ctx, key) })
}

// Rivals implements guard.Store. It can be held up like Lookup.
func (f *Faulty) Rivals(ctx context.Context, tenant string, r guard.Relation, digest, key fingerprint.Digest) ([]guard.Effect, error) {
	idle := Faulty{Store: f.Store, Before: f.Before, After: f.After}
	return call(&idle, "rivals", func() ([]guard.Effect, error) { return f.Store.Rivals(ctx, tenant, r, digest, key) })
}

// Enter implements guard.Store.
func (f *Faulty) Enter(ctx context.Context, e guard.Entry) (guard.Entry, error) {
	return call(f, "enter", func() (guard.Entry, error) { return f.Store.Enter(ctx, e) })
}

// Prune implements guard.Store.
func (f *Faulty) Prune(ctx context.Context, r guard.Retention, limit int) (guard.Pruned, error) {
	return call(f, "prune", func() (guard.Pruned, error) { return f.Store.Prune(ctx, r, limit) })
}

// AddTallies implements guard.Store.
func (f *Faulty) AddTallies(ctx context.Context, add []guard.Tally) error {
	return f.around("addtallies", func() error { return f.Store.AddTallies(ctx, add) })
}
