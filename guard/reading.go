package guard

import (
	"slices"
	"sync/atomic"

	"github.com/onceguard/onceguard/fingerprint"
)

// Reading is the arguments of a call as fingerprint.Decode reads them under its default limits. Who gets the same bytes again may give the
// same Reading again: it remembers the fingerprint that was made of it last. It is safe for concurrent use.
type Reading struct {
	object fingerprint.Value
	err    error // why there is none
	last   atomic.Pointer[reckoning]
}

// NewReading makes a reading of decoded arguments: of an object, or of a string that holds one.
func NewReading(v fingerprint.Value) *Reading {
	r := &Reading{}
	r.object, r.err = unwrapped(v)
	return r
}

// Object is the arguments, or why a call cannot have them.
func (r *Reading) Object() (fingerprint.Value, error) { return r.object, r.err }

// reckoning is a fingerprint with all that it was made of, beside the arguments.
type reckoning struct {
	maker *fingerprint.Maker
	spec  *fingerprint.Spec
	in    fingerprint.Input
	sum   fingerprint.Sum
}

func (k *reckoning) isOf(maker *fingerprint.Maker, spec *fingerprint.Spec, in *fingerprint.Input) bool {
	return k.maker == maker && k.spec == spec && k.in.Tenant == in.Tenant && k.in.Effect == in.Effect &&
		k.in.Occurrence == in.Occurrence && k.in.NoNear == in.NoNear && slices.Equal(k.in.Scope, in.Scope)
}

// sum is the fingerprint of args, which are those of the reading unless it is nil.
func (r *Reading) sum(maker *fingerprint.Maker, spec *fingerprint.Spec, in fingerprint.Input, args fingerprint.Value) fingerprint.Sum {
	if r == nil {
		return maker.Sum(spec, in, args)
	}
	if last := r.last.Load(); last != nil && last.isOf(maker, spec, &in) {
		return last.sum
	}
	made := &reckoning{maker, spec, in, maker.Sum(spec, in, args)}
	r.last.Store(made)
	return made.sum
}
