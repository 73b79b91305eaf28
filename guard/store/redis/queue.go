package redis

import "sync"

// queue holds what waits for Redis. Of equal keys it keeps the newest value, and when it is full it drops what is put: losing
// some of it is what everybody here is ready for.
type queue[K comparable, V any] struct {
	most  int
	ready chan struct{} // has one element while something may wait

	mu      sync.Mutex
	waiting map[K]V
}

func newQueue[K comparable, V any](most int) *queue[K, V] {
	return &queue[K, V]{most: most, ready: make(chan struct{}, 1), waiting: map[K]V{}}
}

func (q *queue[K, V]) put(k K, v V) {
	q.mu.Lock()
	_, known := q.waiting[k]
	if known || len(q.waiting) < q.most {
		q.waiting[k] = v
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take returns all that waits and leaves nothing.
func (q *queue[K, V]) take() map[K]V {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = map[K]V{}
	return all
}
