package sqlite

import "slices"

// The bounds of what recent holds.
const (
	maxRecent      = 2048    // effects
	maxRecentBytes = 8 << 20 // of arguments
)

// recent remembers the effects that the writer has just claimed, so that it need not read them again to settle them. It
// is never more than a guess: what is derived from it is written only if the effect is still at the event that the
// guess knows (errMoved), and else is derived again from what the file says.
type recent struct {
	records map[string]*record // by the effect's id
	bytes   int
}

// add remembers a claimed effect. When it is full it forgets all, which costs the next settlements a read each.
func (m *recent) add(r *record) {
	if m.records == nil || len(m.records) >= maxRecent || m.bytes+len(r.Arguments) > maxRecentBytes {
		m.clear()
	}
	if len(r.Arguments) > maxRecentBytes {
		return
	}
	kept := *r
	kept.Arguments = slices.Clone(r.Arguments) // the caller may use its bytes for something else
	m.records[r.ID] = &kept
	m.bytes += len(kept.Arguments)
}

// take returns and forgets an effect; nil when it is not known.
func (m *recent) take(id string) *record {
	r := m.records[id]
	if r != nil {
		delete(m.records, id)
		m.bytes -= len(r.Arguments)
	}
	return r
}

// clear forgets all. It follows each batch that failed, whose effects do not exist.
func (m *recent) clear() {
	m.records, m.bytes = map[string]*record{}, 0
}
