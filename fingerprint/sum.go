package fingerprint

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"sync"
)

// The labels separate the digests by purpose and version; each is the first part of its message.
const (
	labelSpec     = "onceguard/spec/v2"
	labelDeciding = "onceguard/spec-deciding/v2"
	labelKey      = "onceguard/effect/v2"
	labelCommon   = "onceguard/effect-common/v2"
	labelIdentity = "onceguard/identity/v2"
	labelNear     = "onceguard/near/v2"
	labelMark     = "onceguard/mark/v2"
)

// MinKey is the least length of an installation key in bytes.
const MinKey = 32

// Input is what is fingerprinted beside the arguments.
type Input struct {
	Tenant     string
	Effect     string      // effect type
	Scope      []ScopePart // in the order of the policy
	Occurrence string      // a trusted caller key, else ""
	// NoNear leaves Sum.Near zero.
	NoNear bool
}

// ScopePart is one named part of the scope.
type ScopePart struct{ Name, Value string }

// Sum is the fingerprint of one call; Spec.Terms explains it.
type Sum struct {
	// Key is the effect key: the deciding part of the spec, tenant, effect type, occurrence, scope, identity and material
	// arguments. Its first half, Digest.Common, leaves out the scope: equal calls anywhere in the tenant have it in common, so
	// that a ledger finds them all by one index on the key.
	Key Digest
	// Identity is tenant, effect type and identity arguments: whatever is done to the same thing. It is zero when the
	// spec declares no identity argument, or when none of them names anything (absent, null or blank), so that calls
	// that forgot to say what they act on never share one.
	Identity Digest
	// Near is tenant, effect type, occurrence, scope and all arguments that decide but texts: what calls share that differ
	// in wording at most. Arguments that say nothing (null, blank, empty) are left out: whether one of them is written is
	// often chance, too. It is zero when the call has no text (Spec.Texts). The spec is no part of it.
	Near Digest
}

// Maker makes fingerprints under one installation key. It is safe for concurrent use.
type Maker struct {
	macs sync.Pool // of *mac
}

// mac is a keyed hash with scratch space.
type mac struct {
	hash     hash.Hash
	args     message
	identity message // the part of args that is about identity arguments
	near     message // the part of args that is not about texts, where the spec has some
	head     message
	sum      Digest // where the hash writes, so that results stay off the heap
}

// NewMaker needs a key of at least MinKey bytes. It keeps its own copy.
func NewMaker(key []byte) (*Maker, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("fingerprint key: %d bytes are too few, at least %d random bytes are needed", len(key), MinKey)
	}
	key = slices.Clone(key)
	m := new(Maker)
	m.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, key)} }
	return m, nil
}

// Sum fingerprints one call. args is the arguments object; the zero Value is an empty one, and a text that is not an
// object is one exact argument whose name is "". A nil spec declares nothing.
func (m *Maker) Sum(s *Spec, in Input, args Value) Sum {
	s = s.orEmpty()
	k := m.macs.Get().(*mac)
	defer m.macs.Put(k)
	namesIdentity, hasText := k.read(s, args)

	var sum Sum
	k.head = k.head[:0].add(labelCommon).add(s.deciding).add(in.Tenant).add(in.Effect).add(in.Occurrence)
	common := k.digest(k.head, k.args)
	scope := strconv.Itoa(len(in.Scope))
	k.head = k.head[:0].add(labelKey).add(string(common[:])).add(scope).addScope(in.Scope)
	sum.Key = k.digest(k.head, nil)
	copy(sum.Key[:], common.Common())
	if namesIdentity {
		k.head = k.head[:0].add(labelIdentity).add(in.Tenant).add(in.Effect)
		sum.Identity = k.digest(k.head, k.identity)
	}
	if hasText && !in.NoNear {
		k.head = k.head[:0].add(labelNear).add(in.Tenant).add(in.Effect).add(in.Occurrence).add(scope).addScope(in.Scope)
		sum.Near = k.digest(k.head, k.near)
	}
	return sum
}

// read makes the messages of the arguments that decide, in the order of their names. It reports whether an identity
// argument names something and whether the call has a text.
func (k *mac) read(s *Spec, args Value) (namesIdentity, hasText bool) {
	k.args, k.identity, k.near = k.args[:0], k.identity[:0], k.near[:0]
	if !isObject(args) {
		named := k.args.add("").begin()
		k.args = message(appendWhole(named, args)).end(len(named))
		return false, false
	}
	in := call{s, args}
	for a := range s.visit(args) {
		if !a.Role.Decides() {
			continue
		}
		start := len(k.args)
		named := k.args.add(a.name).begin()
		form, _ := a.append(named, in)
		if len(form) == len(named) {
			continue // it contributes nothing
		}
		k.args = message(form).end(len(named))
		counted, _ := a.counts(a.value)
		blank := isBlank(counted)
		if a.Role == Identity {
			k.identity = append(k.identity, k.args[start:]...)
			namesIdentity = namesIdentity || !blank
		}
		switch part := a.textPart(); {
		case part == wording:
			hasText = true
		case part == noText && s.texts && !blank:
			k.near = append(k.near, k.args[start:]...)
		}
	}
	return namesIdentity, hasText
}

// Mark is a keyed digest of parts under a purpose, such as a caller's idempotency key. Marks of two purposes, and marks
// and fingerprints, are never equal.
func (m *Maker) Mark(purpose string, parts ...string) Digest {
	k := m.macs.Get().(*mac)
	defer m.macs.Put(k)
	k.head = k.head[:0].add(labelMark).add(purpose)
	for _, p := range parts {
		k.head = k.head.add(p)
	}
	return k.digest(k.head, nil)
}

func (k *mac) digest(head, rest message) Digest {
	k.hash.Reset()
	k.hash.Write(head)
	k.hash.Write(rest)
	k.hash.Sum(k.sum[:0])
	return k.sum
}

// message is a list of parts, each behind its length in bytes as eight bytes, the most significant first.
type message []byte

func (m message) add(part string) message {
	return append(binary.BigEndian.AppendUint64(m, uint64(len(part))), part...)
}

func (m message) addScope(scope []ScopePart) message {
	for _, p := range scope {
		m = m.add(p.Name).add(p.Value)
	}
	return m
}

// begin leaves room for the length of a part that is appended next, and end fills it in. start is where the part begins.
func (m message) begin() message { return append(m, make([]byte, lengthSize)...) }

func (m message) end(start int) message {
	binary.BigEndian.PutUint64(m[start-lengthSize:], uint64(len(m)-start))
	return m
}

const lengthSize = 8
