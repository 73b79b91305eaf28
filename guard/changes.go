package guard

import (
	"context"
	"time"
)

const (
	maxFollowers = 1000
	maxUnread    = 256 // ids; who leaves more of them unread has to look at everything
)

// Changes tells which effects of the principal's tenant change, until ctx ends; then the channel is closed. An id comes once however
// often its effect has changed since it was read last, and "" means that ids were lost: look at everything. What comes is a
// hint: a change that another replica made may come late or never, unless the store hears of those (Watcher), and an effect
// may have come back to what it was.
func (g *Guard) Changes(ctx context.Context, p Principal) (<-chan string, error) {
	if !p.Reviews() {
		return nil, &Error{Code: CodeForbidden, Op: "changes", Message: "only reviewers and admins may follow the changes of a tenant"}
	}
	f := &follower{tenant: p.Tenant, woken: make(chan struct{}, 1)}
	if !g.hub.follow(f) {
		return nil, &Error{Code: CodeBusy, Op: "changes", Message: "too many follow the changes already", Retry: 5 * time.Second}
	}
	ids := make(chan string)
	go func() {
		defer close(ids)
		defer g.hub.unfollow(f)
		for {
			select {
			case <-f.woken:
			case <-ctx.Done():
				return
			}
			for id, ok := g.hub.next(f); ok; id, ok = g.hub.next(f) {
				select {
				case ids <- id:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return ids, nil
}

// follower is one reader of changes. Its fields are guarded by the hub.
type follower struct {
	tenant string
	woken  chan struct{} // has room for one
	unread []string      // in the order in which they came, each once
	lost   bool
}

func (f *follower) add(id string) {
	switch {
	case f.lost:
	case len(f.unread) == maxUnread:
		f.lost, f.unread = true, nil
	default:
		for _, known := range f.unread {
			if known == id {
				return
			}
		}
		f.unread = append(f.unread, id)
	}
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

func (h *hub) follow(f *follower) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.followers) >= maxFollowers {
		return false
	}
	h.followers[f] = struct{}{}
	return true
}

func (h *hub) unfollow(f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.followers, f)
}

// next takes the oldest unread id; "" once where some were lost.
func (h *hub) next(f *follower) (id string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case f.lost:
		f.lost = false
		return "", true
	case len(f.unread) == 0:
		return "", false
	}
	id, f.unread = f.unread[0], f.unread[1:]
	return id, true
}

// watch passes on what the store hears of other replicas, until ctx ends.
func (g *Guard) watch(ctx context.Context) {
	if g.watcher == nil {
		return
	}
	for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, time.Minute) {
		err := g.watcher.Watch(ctx, g.hub.publish)
		if ctx.Err() != nil {
			return
		}
		g.log.WarnContext(ctx, "changes of other replicas are not heard of; it will be tried again", "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}
