package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// book is the guard's copy of the ledger's book, in which everything stands that a replica must know before it claims: the
// editions of policies, the policies that the ledger keeps, and what is switched off. A claim names the newest entry that its caller has read, and the store
// refuses it when there is a newer one.
type book struct {
	store Store
	keys  *keyring

	mu       sync.RWMutex
	read     bool // the ledger's book was read at least once
	newest   int64
	err      error // an entry that this version cannot read, and that may be about any call
	editions []edition
	switches []Switched // the present ones, in the order in which they were first entered
	policies policyBook
	policy   atomic.Int64 // policies.newest, or unread

	set     *policy.Set         // whose rules present is about
	present map[string]*edition // by pattern and whether the effect has the tool's own name
}

type edition struct {
	number  int64
	pattern string
	about   func(tool string) bool // as the pattern says
	text    string
	recipe  recipe
	err     error // it was written by a newer version of this program
}

func newBook(s Store, keys *keyring) *book {
	b := &book{store: s, keys: keys}
	b.policy.Store(unread)
	return b
}

// refresh reads what others have added to the ledger's book.
func (b *book) refresh(ctx context.Context) error {
	b.mu.RLock()
	after := b.newest
	b.mu.RUnlock()
	added, err := b.store.Book(ctx, after)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = true
	for _, e := range added {
		if e.Number <= b.newest {
			continue // another reader was faster
		}
		b.learn(e)
		b.newest = e.Number
	}
	b.policy.Store(b.policies.newest)
	return nil
}

// learn takes in one entry.
func (b *book) learn(e Entry) {
	switch e.Kind {
	case EntryEdition:
		made := edition{number: e.Number, pattern: e.Name, about: policy.Matcher(e.Name), text: string(e.Text)}
		if made.err = decodeEntry(e, &made.recipe); made.err == nil {
			made.err = b.keys.lacks(made.recipe.Key)
		}
		b.editions = append(b.editions, made)
	case EntrySwitch:
		s, err := switchedBy(e)
		if err != nil {
			b.err = err
			return
		}
		at := slices.IndexFunc(b.switches, func(old Switched) bool { return old.entry == s.entry })
		if at < 0 {
			b.switches = append(b.switches, s)
		} else {
			b.switches[at] = s
		}
	case EntryPolicy:
		b.policies.learn(e)
	default:
		b.err = fmt.Errorf("entry %d of the book is of the unknown kind %q", e.Number, e.Kind)
	}
}

// decodeEntry reads the text of an entry. A part that this version does not know may tell calls apart, or stop them.
func decodeEntry(e Entry, into any) error {
	text := json.NewDecoder(bytes.NewReader(e.Text))
	text.DisallowUnknownFields()
	if err := text.Decode(into); err != nil {
		return fmt.Errorf("entry %d of the book, a %s: %w", e.Number, e.Kind, err)
	}
	return nil
}

func unreadable(err error) error {
	if CodeOf(err) == CodeUnavailable {
		return err
	}
	return &Error{Code: CodeUnavailable, Op: "call", Err: err, Retry: time.Second,
		Message: "the ledger was written by a version of this program that this one cannot follow; nothing was sent"}
}

// known returns the number of the newest entry that was read, and whether the book was read at all and understood.
func (b *book) known() (int64, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.newest, b.read && b.err == nil
}

func (b *book) number() int64 {
	n, _ := b.known()
	return n
}

// fault is why no claim can be made under the book; nil where it was understood.
func (b *book) fault() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.err != nil {
		return unreadable(b.err)
	}
	return nil
}
