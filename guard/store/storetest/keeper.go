package storetest

import (
	"crypto/sha256"

	"github.com/onceguard/onceguard/guard"
)

// Keeper is a store that keeps bytes in another form than they came in, and whose hashes are those of that form. The suite then asks
// it for the form, and Lockstep compares neither these hashes nor the heads that follow from them; that each chain is sound is
// checked all the same.
type Keeper interface {
	// Kept returns the form of the arguments, or of the result, of an effect.
	Kept(tenant, id string, result bool, text []byte) []byte
}

// keptHash is the hash of bytes as the store keeps them.
func (t *test) keptHash(id string, result bool, text []byte) [32]byte {
	if k, ok := t.store.(Keeper); ok {
		text = k.Kept(tenant, id, result, text)
	}
	return sha256.Sum256(text)
}

// hasResult reports whether an event has a result as it came. A Keeper's has the hash of what is kept.
func (t *test) hasResult(ev guard.Event, want *guard.Result) bool {
	if _, ok := t.store.(Keeper); !ok || ev.Result == nil || want == nil || len(want.Body) == 0 {
		return sameResult(ev.Result, want)
	}
	got := *ev.Result
	sound := got.BodyHash == t.keptHash(ev.Effect, true, want.Body)
	got.BodyHash = [32]byte{}
	return sound && sameResult(&got, want)
}

// asKept gives an effect of the reference the hashes that a Keeper's has.
func asKept(store guard.Store, got, reference guard.Effect) guard.Effect {
	if _, ok := store.(Keeper); !ok {
		return reference
	}
	reference.Head = got.Head
	if a, b := got.Result, reference.Result; a != nil && b != nil && len(a.Body) == 0 && (a.BodyHash != [32]byte{}) == (b.BodyHash != [32]byte{}) {
		copied := *b
		copied.BodyHash = a.BodyHash
		reference.Result = &copied
	}
	return reference
}
