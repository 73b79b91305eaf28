package storetest

import (
	"slices"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// use is what an effect has used up under the key of a limit, unless it is failed.
type use struct {
	effect *guard.Effect
	key    fingerprint.Digest
	amount int64
	at     time.Time
}

func wrongInLimits(limits []guard.Limit) bool {
	amounts := map[fingerprint.Digest]int64{}
	for _, l := range limits {
		amount, met := amounts[l.Key]
		if l.Key.IsZero() || l.Amount < 0 || l.Period <= 0 || l.Period > guard.MaxPeriod || met && amount != l.Amount {
			return true
		}
		amounts[l.Key] = l.Amount
	}
	return len(limits) > guard.MaxLimits
}

// overLimit answers a claim at a moment for which one of the limits has no room; nil where all have. An effect that is claimed
// again does not stand in its own way.
func (s *Reference) overLimit(limits []guard.Limit, own *guard.Effect, now time.Time) *guard.Claimed {
	for i, l := range limits {
		left := l.Max
		for _, u := range s.uses {
			if u.key == l.Key && u.effect != own && u.effect.State != guard.Failed && u.at.After(now.Add(-l.Period)) {
				left = max(left-u.amount, -1) // below zero by how much does not matter, and may be more than a number holds
			}
		}
		if l.Amount > left {
			return &guard.Claimed{Relation: guard.OverLimit, Now: now, Limit: i, Left: max(left, 0)}
		}
	}
	return nil
}

// use records what a claim that was just won uses, in place of what the effect used before.
func (s *Reference) use(e *guard.Effect, limits []guard.Limit) {
	for _, l := range limits {
		s.uses = slices.DeleteFunc(s.uses, func(u use) bool { return u.effect == e && u.key == l.Key })
		s.uses = append(s.uses, use{e, l.Key, l.Amount, e.Updated})
	}
}
