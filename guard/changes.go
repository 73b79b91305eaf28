package guard

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// How many may follow changes at one time on this process. Each follower is a connection, so nobody gets all of them.
const (
	maxFollowers       = 4000
	maxTenantFollowers = 400 // of one tenant
	maxOwnFollowers    = 40  // of one subject, who has some windows open
)

const maxUnread = 256 // ids; who leaves more of them unread has to look at everything

// Changes tells which effects of the principal's tenant change, until ctx ends; then the channel is closed. An id comes once however
// often its effect has changed since it was read last, and "" means that ids were lost: look at everything. What comes is a
// hint: a change that another replica made may come late or never, unless the store hears of those (Watcher), and an effect
// may have come back to what it was.
func (g *Guard) Changes(ctx context.Context, p Principal) (<-chan string, error) {
	if !p.Reviews() {
		return nil, &Error{Code: CodeForbidden, Op: "changes", Message: "only reviewers and admins may follow the changes of a tenant"}
	}
	f := &follower{tenant: p.Tenant, subject: p.Subject, woken: make(chan struct{}, 1)}
	if full := g.hub.follow(f); full != "" {
		return nil, &Error{Code: CodeBusy, Op: "changes", Message: full, Retry: 5 * time.Second}
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
	tenant  string
	subject string
	woken   chan struct{} // has room for one
	unread  []string      // in the order in which they came, each once
	lost    bool
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

// follow adds a follower, or says why there is no room for it.
func (h *hub) follow(f *follower) (full string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.followers[f.tenant]
	own := 0
	for _, other := range list {
		if other.subject == f.subject {
			own++
		}
	}
	switch {
	case own >= maxOwnFollowers:
		return fmt.Sprintf("you follow the changes %d times already; close some windows or programs", own)
	case len(list) >= maxTenantFollowers:
		return fmt.Sprintf("%d of your tenant follow the changes already, which is its share of this server", len(list))
	case h.following >= maxFollowers:
		return "too many follow the changes on this server already"
	}
	h.followers[f.tenant] = append(list, f)
	h.following++
	return ""
}

func (h *hub) unfollow(f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.followers[f.tenant]
	i := slices.Index(list, f)
	if i < 0 {
		return
	}
	h.following--
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(h.followers, f.tenant)
		return
	}
	h.followers[f.tenant] = list
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
