package redis

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// firstEntry is before every entry of a stream.
const firstEntry = "0-0"

// takeOver returns entries that were given to a server which does not renew them: it has died, or does not reach Redis. When all were looked
// through, the next look is due after half of Idle.
func (i *Intake) takeOver(ctx context.Context, room int) ([]redis.XMessage, error) {
	entries, next, err := i.client.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: i.options.Stream, Group: i.options.Group, Consumer: i.options.Consumer,
		MinIdle: i.options.Idle, Start: i.cursor, Count: int64(room),
	}).Result()
	if err != nil {
		return nil, err
	}
	if i.cursor = next; next == firstEntry {
		i.due = time.Now().Add(i.options.Idle / 2)
	}
	if len(entries) > 0 {
		i.options.Log.Info("calls of a stream were taken over", "entries", len(entries))
	}
	return entries, nil
}

// deliveries is how often an entry was given to a server. Renewing it does not count.
func (i *Intake) deliveries(ctx context.Context, id string) (int64, error) {
	pending, err := i.client.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: i.options.Stream, Group: i.options.Group, Start: id, End: id, Count: 1,
	}).Result()
	if err != nil || len(pending) == 0 {
		return 0, err
	}
	return pending[0].RetryCount, nil
}

// renewAll tells Redis from time to time that the entries under way are in good hands, until ctx ends.
func (i *Intake) renewAll(ctx context.Context) {
	for sleep(ctx, i.options.Idle/3) {
		ids := i.held.all()
		if len(ids) == 0 {
			continue
		}
		err := i.client.XClaimJustID(ctx, &redis.XClaimArgs{
			Stream: i.options.Stream, Group: i.options.Group, Consumer: i.options.Consumer, Messages: ids,
		}).Err()
		if err != nil {
			i.options.Log.Warn("calls of a stream could not be renewed; another server may run them, too, which does no harm", "error", err)
		}
	}
}

// held is the ids of the entries under way.
type held struct {
	mu  sync.Mutex
	ids map[string]bool
}

// add reports whether the entry was not under way yet.
func (h *held) add(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids[id] {
		return false
	}
	if h.ids == nil {
		h.ids = map[string]bool{}
	}
	h.ids[id] = true
	return true
}

func (h *held) remove(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.ids, id)
}

func (h *held) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.ids))
}
