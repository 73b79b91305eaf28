package guard

import (
	"iter"

	"github.com/onceguard/onceguard/fingerprint"
)

// mark stands for a digest: half of one, which is wide enough where nobody looks for collisions.
type mark [16]byte

// own is the half of a key that calls in other scopes do not share.
func own(key fingerprint.Digest) mark { return mark(key[fingerprint.CommonBytes:]) }

func half(d fingerprint.Digest) mark { return mark(d[:fingerprint.CommonBytes]) }

// past is an effect that was carried out.
type past struct {
	ref uint64
	at  int64 // microseconds since 1970; 0 where nobody knows
}

// side is one of the two ledgers of a backtest.
type side int

const (
	currentSide side = iota
	draftSide
	bothSides
)

// numbers are the effects that the two ledgers have under one mark; 0 is none. A draft leaves most fingerprints as they are, so that
// one entry serves both.
type numbers [bothSides]uint32

// pastMemory is what a backtest remembers. Each effect that either ledger has recorded has a number, the first 1, and the maps go from
// a digest to numbers. No map holds a pointer, so that the garbage collector never looks into them, and all of them grow by
// small steps.
type pastMemory struct {
	effects map[mark]numbers // by key
	common  map[mark]numbers // the latest by what equal calls in all scopes share
	things  map[mark]numbers // the latest by identity
	acted   map[mark]numbers // how often, by identity, where a condition asks for it
	near    map[mark]numbers // the latest by all but their wording
	latest  map[mark]numbers // the latest by resource

	log   column[past]              // by number
	alike [bothSides]column[uint32] // by number, the effect before it that is equal in all but its wording
	last  uint32                    // the number given last
}

func newPastMemory() *pastMemory {
	return &pastMemory{
		effects: map[mark]numbers{}, common: map[mark]numbers{}, things: map[mark]numbers{},
		acted: map[mark]numbers{}, near: map[mark]numbers{}, latest: map[mark]numbers{},
	}
}

// add gives an effect its number.
func (m *pastMemory) add(p past) uint32 {
	m.last++
	*m.log.at(m.last) = p
	return m.last
}

// find returns the effect that a ledger has under a mark.
func (m *pastMemory) find(of map[mark]numbers, key mark, s side) (past, bool) {
	n := of[key][s]
	if n == 0 {
		return past{}, false
	}
	return *m.log.at(n), true
}

func (s side) set(of map[mark]numbers, key mark, n uint32) {
	both := of[key]
	both[s] = n
	of[key] = both
}

// wordings goes through the effects that are equal in all but their wording, from the latest back.
func (m *pastMemory) wordings(near mark, s side) iter.Seq[past] {
	return func(yield func(past) bool) {
		for n := m.near[near][s]; n != 0 && yield(*m.log.at(n)); n = *m.alike[s].at(n) {
		}
	}
}

// column is a list that grows without being copied.
type column[T any] struct{ chunks [][]T }

const columnChunk = 1 << 12

func (c *column[T]) at(n uint32) *T {
	i := int(n / columnChunk)
	for len(c.chunks) <= i {
		c.chunks = append(c.chunks, nil)
	}
	if c.chunks[i] == nil {
		c.chunks[i] = make([]T, columnChunk)
	}
	return &c.chunks[i][n%columnChunk]
}
