package fingerprint

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The labels separate the digests by purpose and version; each is the first part of its message.
const (
	labelSpec     = "onceguard/spec/v1"
	labelKey      = "onceguard/effect/v1"
	labelWide     = "onceguard/effect-wide/v1"
	labelIdentity = "onceguard/identity/v1"
	labelMark     = "onceguard/mark/v1"
)

// MinKey is the least length of an installation key in bytes.
const MinKey = 32

// Input is what is fingerprinted beside the arguments.
type Input struct {
	Tenant     string
	Effect     string      // effect type
	Scope      []ScopePart // in the order of the policy
	Occurrence string      // a trusted caller key, else ""
}

// ScopePart is one named part of the scope.
type ScopePart struct{ Name, Value string }

// Sum is the fingerprint of one call.
type Sum struct {
	Key  Digest // the effect key: spec, tenant, effect type, occurrence, scope, identity and material arguments
	Wide Digest // the same without scope: equal calls anywhere in the tenant
	// Identity is tenant, effect type and identity arguments: whatever is done to the same thing. It is zero when the
	// spec declares no identity argument, or when none of them names anything (absent, null or blank), so that calls
	// that forgot to say what they act on never share one.
	Identity Digest
	Terms    []Term // sorted by role (identity, material, commentary, volatile), then by name
}

// Maker makes fingerprints under one installation key. It is safe for concurrent use.
type Maker struct {
	macs sync.Pool // of *mac
}

// mac is a keyed hash with scratch space.
type mac struct {
	hash          hash.Hash
	args          message
	identity      message
	head          message
	sum           Digest // where the hash writes, so that results stay off the heap
	namesIdentity bool
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
	k.args, k.identity, k.namesIdentity = k.args[:0], k.identity[:0], false

	var sum Sum
	if args.IsZero() || args.Type() == Object {
		sum.Terms = k.walk(s, args)
	} else {
		sum.Terms = []Term{wholeTerm(args)}
		k.enter(sum.Terms[0], args)
	}
	scope := strconv.Itoa(len(in.Scope))
	k.head = k.head[:0].add(labelKey).add(s.digest).add(in.Tenant).add(in.Effect).add(in.Occurrence).add(scope)
	for _, p := range in.Scope {
		k.head = k.head.add(p.Name).add(p.Value)
	}
	sum.Key = k.digest(k.head, k.args)
	k.head = k.head[:0].add(labelWide).add(s.digest).add(in.Tenant).add(in.Effect).add(in.Occurrence)
	sum.Wide = k.digest(k.head, k.args)
	if k.namesIdentity {
		k.head = k.head[:0].add(labelIdentity).add(in.Tenant).add(in.Effect)
		sum.Identity = k.digest(k.head, k.identity)
	}
	return sum
}

// walk visits the declared and the present arguments together in the order of their names.
func (k *mac) walk(s *Spec, args Value) []Term {
	terms := make([]Term, 0, len(s.arguments)+args.Len())
	declared := s.arguments
	for i := 0; i < args.Len() || len(declared) > 0; {
		order := -1 // of the next declared argument and the next present one
		if i < args.Len() {
			order = 1
			if len(declared) > 0 {
				order = strings.Compare(declared[0].Name, args.sorted(i).name())
			}
		}
		var term Term
		var v Value
		if order >= 0 {
			v = args.sorted(i)
			i++
		}
		if order <= 0 {
			term, v = declared[0].term(call{s, args}, v)
			declared = declared[1:]
		} else {
			term = undeclaredTerm(v)
		}
		k.enter(term, v)
		terms = append(terms, term)
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return a.Role.rank() - b.Role.rank() })
	return terms
}

// enter adds a term to the messages it decides. v is the value that it stands for, a default included.
func (k *mac) enter(t Term, v Value) {
	if t.Normal == "" || !t.Role.Decides() {
		return
	}
	k.args = k.args.add(t.Argument).add(t.Normal)
	if t.Role == Identity {
		k.identity = k.identity.add(t.Argument).add(t.Normal)
		k.namesIdentity = k.namesIdentity || !isBlank(v)
	}
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
