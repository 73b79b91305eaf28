package guard

import "sync"

// maxWaiters bounds the calls that wait for one effect; further ones are answered "pending" at once.
const maxWaiters = 1000

// hub wakes the calls that wait for an effect, and those who follow changes. A wake-up is a hint: waiters look at the ledger before they wait and
// after they wake, and also look from time to time, because another process may have settled the effect.
type hub struct {
	mu        sync.Mutex
	topics    map[string]*topic
	followers map[string][]*follower // by tenant
	following int                    // all of them
}

type topic struct {
	woken   chan struct{}
	waiters int
}

func newHub() *hub {
	return &hub{topics: map[string]*topic{}, followers: map[string][]*follower{}}
}

// subscribe registers a waiter before it looks. ok is false when too many wait already. leave must be called once.
func (h *hub) subscribe(id string) (woken <-chan struct{}, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[id]
	if t == nil {
		t = &topic{woken: make(chan struct{})}
		h.topics[id] = t
	}
	if t.waiters >= maxWaiters {
		return nil, nil, false
	}
	t.waiters++
	return t.woken, func() { h.leave(id, t) }, true
}

func (h *hub) leave(id string, t *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.waiters--
	if t.waiters == 0 && h.topics[id] == t {
		delete(h.topics, id)
	}
}

// publish wakes all who wait for the effect now, and tells those who follow the changes of its tenant.
func (h *hub) publish(tenant, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.followers[tenant] {
		f.add(id)
	}
	if t := h.topics[id]; t != nil {
		close(t.woken)
		delete(h.topics, id)
	}
}
