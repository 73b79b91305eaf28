package guard

import (
	"context"
	"time"
)

// The ledger forgets in small steps, so that claims never wait long for it.
const (
	pruneEvery = time.Minute
	pruneBatch = 200
	prunePause = 100 * time.Millisecond
)

// prune forgets what no longer answers, as Config.Retention says, until ctx ends.
func (g *Guard) prune(ctx context.Context) {
	if g.retention == (Retention{}) {
		return
	}
	for pause := prunePause; ; {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		gone, err := g.store.Prune(ctx, g.retention, pruneBatch)
		if err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "old effects could not be forgotten; it will be tried again", "error", err)
		}
		if gone != (Pruned{}) {
			g.log.DebugContext(ctx, "old effects were forgotten", "bodies", gone.Bodies, "rows", gone.Rows)
		}
		pause = pruneEvery
		if err == nil && gone.Bodies+gone.Rows >= pruneBatch {
			pause = prunePause
		}
	}
}
