package guard_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// A history is an effect and its events, as they were read.
type history struct {
	effect guard.Effect
	events []guard.Event
}

// sealed makes the chain of hashes anew, as somebody would who can write to the ledger.
func (h *history) sealed() {
	var head [32]byte
	for i := range h.events {
		h.events[i].Hash = h.events[i].Seal(head)
		head = h.events[i].Hash
	}
	h.effect.Head = head
}

// lived returns the history of an effect that was held, approved, sent, unknown, sent once more, and done, and noted upon.
func lived(t *testing.T) history {
	t.Helper()
	clock := storetest.NewClock()
	s := storetest.NewReference(clock.Now)
	r := storetest.NewCall("acme")
	claimed, err := s.Claim(t.Context(), storetest.Parked(r))
	must := func(e guard.Effect, err error) guard.Effect {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		clock.Move(time.Second)
		return e
	}
	e := must(claimed.Effect, err)
	e = must(s.Decide(t.Context(), storetest.Verdict(e, guard.EventApproved, guard.Approved)))
	claimed, err = s.Claim(t.Context(), storetest.Again(r, e))
	e = must(s.Settle(t.Context(), storetest.Outcome(must(claimed.Effect, err), guard.Unknown)))
	claimed, err = s.Claim(t.Context(), storetest.Again(r, e))
	e = must(s.Settle(t.Context(), storetest.Outcome(must(claimed.Effect, err), guard.Done)))
	must(e, s.Note(t.Context(), []guard.Note{{Tenant: "acme", ID: e.ID, Code: "repeat", Count: 2}}))
	return read(t, s, e.ID)
}

func read(t *testing.T, s guard.Store, id string) history {
	t.Helper()
	e, err := s.Get(context.Background(), "acme", id)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(context.Background(), "acme", id)
	if err != nil {
		t.Fatal(err)
	}
	return history{e, events}
}

// TestAudit tampers with a sound history, once for each sentence that Audit has, and expects that sentence. Where seal is set, the
// hashes were made anew, so that nothing else gives the change away.
func TestAudit(t *testing.T) {
	const hour = time.Hour
	for want, c := range map[string]struct {
		seal   bool
		tamper func(h *history)
	}{
		"The effect has no events.":                                                      {false, func(h *history) { h.events = nil }},
		"The row counts 7 events, and there are 6.":                                      {false, func(h *history) { h.events = h.events[:6] }},
		"Event 3 belongs to effect \"another\".":                                         {true, func(h *history) { h.events[2].Effect = "another" }},
		"Event 3 has the number 4.":                                                      {false, func(h *history) { h.events = slices.Delete(h.events, 2, 3) }},
		"Event 2 does not verify: it was changed, or one before it was.":                 {false, func(h *history) { h.events[1].Actor.Name = "mallory" }},
		"Event 4 starts from \"held\", where the effect was \"pending\".":                {true, func(h *history) { h.events[3].From = guard.Held }},
		"Event 2 is not allowed: nothing that was \"held\" can be approved to \"done\".": {true, func(h *history) { h.events[1].To = guard.Done }},
		"Event 5 has fence 9, where 4 is due.":                                           {true, func(h *history) { h.events[4].Fence = 9 }},
		"Event 5 is of 2030-01-02T02:04:09.678901Z, before the event before it.":         {true, func(h *history) { h.events[4].At = h.events[4].At.Add(-hour) }},
		"Event 4 is settled for claim \"forged\", where the latest is":                   {true, func(h *history) { h.events[3].Claim = "forged" }},
		"Event 2 is settled, and nothing was claimed before it.":                         {true, func(h *history) { h.events[1].Kind = guard.EventSettled }},
		"Event 2 is lapsed, and nothing was claimed before it.":                          {true, func(h *history) { h.events[1].Kind = guard.EventLapsed }},
		"Event 2 makes an effect of 0 attempts unknown.": {true, func(h *history) {
			h.events[1].Kind, h.events[1].To = guard.EventExpired, guard.Unknown
		}},
		"The row names another last event.":                             {false, func(h *history) { h.effect.Head[0]++ }},
		"The row's state is failed, and by the events it is done.":      {false, func(h *history) { h.effect.State = guard.Failed }},
		"The row's code is ok, and by the events it is upstream_done.":  {false, func(h *history) { h.effect.Code = "ok" }},
		"The row's reason is because, and by the events it is .":        {false, func(h *history) { h.effect.Reason = "because" }},
		"The row's fence is 1, and by the events it is 4.":              {false, func(h *history) { h.effect.Fence = 1 }},
		"The row's claim is forged, and by the events it is":            {false, func(h *history) { h.effect.Claim = "forged" }},
		"The row's number of attempts is 1, and by the events it is 2.": {false, func(h *history) { h.effect.Attempts = 1 }},
		"The row's number of failures is 1, and by the events it is 0.": {false, func(h *history) { h.effect.Failures = 1 }},
		"The row's time of creation is":                                 {false, func(h *history) { h.effect.Created = h.effect.Created.Add(-hour) }},
		"The row's time of its last change is":                          {false, func(h *history) { h.effect.Updated = h.effect.Updated.Add(hour) }},
		"The row's time since which it is so is":                        {false, func(h *history) { h.effect.Since = h.effect.Since.Add(-hour) }},
		"The row's arguments are not those of the events.":              {false, func(h *history) { h.effect.Arguments = []byte(`{"amount":"9999"}`) }},
		"The row's result is not that of the events.":                   {false, func(h *history) { h.effect.Result = nil }},
		"An effect that is done has a lease until 2030":                 {false, func(h *history) { h.effect.LeaseUntil = h.effect.Since }},
		"An effect that is done expires at 2030":                        {false, func(h *history) { h.effect.ExpiresAt = h.effect.Since }},
		"The window ends at no time, and by its length at 2030":         {false, func(h *history) { h.effect.WindowUntil = time.Time{} }},
		"An effect that is unknown has a window until 2030": {true, func(h *history) {
			h.events = h.events[:4]
			h.effect.State = guard.Unknown
		}},
		"An effect that is held expires at no time.": {true, func(h *history) {
			h.events = h.events[:1]
			h.effect.State = guard.Held
		}},
	} {
		h := lived(t)
		if faults := guard.Audit(h.effect, h.events); len(faults) > 0 {
			t.Fatalf("a sound history has faults: %q", faults)
		}
		c.tamper(&h)
		if c.seal {
			h.sealed()
		}
		faults := guard.Audit(h.effect, h.events)
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("want %q among %q", want, faults)
		}
	}
}

// TestAuditOfPruned vouches for bytes that are gone by their hashes.
func TestAuditOfPruned(t *testing.T) {
	clock := storetest.NewClock()
	s := storetest.NewReference(clock.Now)
	claimed, err := s.Claim(t.Context(), storetest.NewCall("acme"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Settle(t.Context(), storetest.Outcome(claimed.Effect, guard.Done)); err != nil {
		t.Fatal(err)
	}
	clock.Move(storetest.Window)
	if pruned, err := s.Prune(t.Context(), guard.Retention{Bodies: 1}, 1); err != nil || pruned.Bodies != 1 {
		t.Fatalf("pruned %+v, %v", pruned, err)
	}
	h := read(t, s, claimed.Effect.ID)
	if faults := guard.Audit(h.effect, h.events); len(faults) > 0 {
		t.Errorf("a pruned history has faults: %q", faults)
	}
	h.events[0].ArgumentsHash[0]++
	if faults := guard.Audit(h.effect, h.events); len(faults) == 0 {
		t.Error("another hash of the arguments was not noticed")
	}
	h = read(t, s, claimed.Effect.ID)
	h.effect.Result.BodyHash[0]++
	if faults := guard.Audit(h.effect, h.events); len(faults) != 1 {
		t.Errorf("another hash of the result gave %q", faults)
	}
}
