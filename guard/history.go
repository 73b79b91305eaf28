package guard

import (
	"context"

	"github.com/onceguard/onceguard/policy"
)

// history is what the ledger knows of earlier effects on the same thing, for the conditions that look at it; nil where none does,
// and where it cannot be known: then the condition holds the call.
//
// It counts the newest RivalMost of the effects that still answer and were sent or may have been, in all scopes of the tenant, without
// the call's own. It is read before the claim and not with it, so that calls at one moment do not see each other: a limit by
// identity bounds those.
func (g *Guard) history(ctx context.Context, r *proposal) *policy.History {
	if !r.rule.NeedsHistory() {
		return nil
	}
	if r.sum.Key.IsZero() && r.fingerprint() != nil {
		return nil
	}
	var h policy.History
	if r.sum.Identity.IsZero() {
		return &h
	}
	earlier, err := g.store.Rivals(ctx, r.principal.Tenant, SameIdentity, r.sum.Identity, r.sum.Key)
	if err != nil {
		g.log.WarnContext(ctx, "the history of a call cannot be read", "tool", r.call.Tool, "error", err)
		return nil
	}
	for i := range earlier {
		e := &earlier[i]
		if e.Attempts == 0 || r.isAlias(e.Key) {
			continue
		}
		h.Count++
		if e.Since.After(h.Last) {
			h.Last = e.Since
		}
	}
	return &h
}
