package postgres

import (
	"slices"
	"sync"
)

// The bounds of what recent holds.
const (
	maxRecent      = 2048    // effects
	maxRecentBytes = 8 << 20 // of arguments
)

// recent remembers the effects that this store has just claimed, so that it need not read them again to settle them. It
// is never more than a guess: what is derived from it is written only if the effect is still as the guess knows it
// (errMoved), and else is derived again from what the database says.
type recent struct {
	mu      sync.Mutex
	records map[string]*record // by the effect's id
	bytes   int
}

// add remembers a claimed effect. When it is full it forgets all, which costs the next settlements a read each.
func (m *recent) add(r *record) {
	if len(r.Arguments) > maxRecentBytes {
		return
	}
	kept := *r
	kept.Arguments = slices.Clone(r.Arguments) // the caller may use its bytes for something else
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil || len(m.records) >= maxRecent || m.bytes+len(kept.Arguments) > maxRecentBytes {
		m.records, m.bytes = map[string]*record{}, 0
	}
	m.records[kept.ID] = &kept
	m.bytes += len(kept.Arguments)
}

// take returns and forgets an effect; nil when it is not known.
func (m *recent) take(id string) *record {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.records[id]
	if r != nil {
		delete(m.records, id)
		m.bytes -= len(r.Arguments)
	}
	return r
}
