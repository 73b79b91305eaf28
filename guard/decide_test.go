package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/onceguard/onceguard/policy"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// defaultOn is what a policy has that says nothing.
var defaultOn = policy.On{
	Pending: policy.Wait, Done: policy.Replay, Failed: policy.Retry, Partial: policy.Hold, Unknown: policy.Hold,
	SameIdentity: policy.Allow, OtherScope: policy.Confirm, Near: policy.Hold,
}

// plain is an equal call of the owner, in the very bytes, with nothing special.
func plain(verdict policy.Action, found *Effect) situation {
	return situation{
		verdict: verdict, rule: &policy.Rule{On: defaultOn}, found: found, relation: SameEffect, now: noon,
		owner: true, mine: true, same: true, execute: ByGuard,
	}
}

func (r ruling) String() string {
	name := [...]string{"send", "hold", "refuse", "replay", "wait", "block", "look"}[r.action]
	if r.code != "" {
		name += " " + string(r.code)
	}
	for flag, set := range map[string]bool{"next": r.next, "again": r.again} {
		if set {
			name += " " + flag
		}
	}
	if r.order {
		name += " by order"
	}
	if r.meant {
		name += " meant"
	}
	return name
}

// TestDecideTable is the table of the design with the defaults of a policy, for each verdict of the rules.
func TestDecideTable(t *testing.T) {
	past, future := noon.Add(-time.Second), noon.Add(time.Hour)
	cases := []struct {
		name              string
		found             *Effect
		allow, hold, deny string
	}{
		{"nothing", nil, "send", "hold held", "refuse denied"},
		{"held", &Effect{State: Held, ExpiresAt: future}, "block held", "block held", "block held"},
		{"held, time over", &Effect{State: Held, ExpiresAt: past}, "look", "look", "look"},
		{"approved", &Effect{State: Approved, ExpiresAt: future}, "send again", "send again", "block denied"},
		{"approved, time over", &Effect{State: Approved, ExpiresAt: past}, "look", "look", "look"},
		{"pending", &Effect{State: Pending, LeaseUntil: future}, "wait", "wait", "wait"},
		{"pending, lease over", &Effect{State: Pending, LeaseUntil: past}, "look", "look", "look"},
		{"pending, lease over this moment", &Effect{State: Pending, LeaseUntil: noon}, "look", "look", "look"},
		{"done", &Effect{State: Done, WindowUntil: future}, "replay replayed", "replay replayed", "replay replayed"},
		{"done, window over", &Effect{State: Done, WindowUntil: past}, "send next", "hold held next", "refuse denied next"},
		{"failed", &Effect{State: Failed, WindowUntil: future}, "send again", "hold held next", "refuse denied next"},
		{"failed, window over", &Effect{State: Failed, WindowUntil: past}, "send next", "hold held next", "refuse denied next"},
		{"failed, contradicted", &Effect{State: Failed, WindowUntil: past, Review: CodeContradiction}, "block contradiction", "block contradiction", "block contradiction"},
		{"partial", &Effect{State: Partial}, "block partial", "block partial", "block partial"},
		{"unknown", &Effect{State: Unknown}, "block unknown", "block unknown", "block unknown"},
		{"rejected", &Effect{State: Refused, Code: CodeRejected, WindowUntil: future}, "block rejected", "block rejected", "block rejected"},
		{"rejected, window over", &Effect{State: Refused, Code: CodeRejected, WindowUntil: past}, "send next", "hold held next", "refuse denied next"},
		{"expired", &Effect{State: Refused, Code: CodeExpired}, "send next", "hold held next", "refuse denied next"},
		{"denied", &Effect{State: Refused, Code: CodeDenied}, "send next", "hold held next", "block denied"},
	}
	for _, c := range cases {
		for verdict, want := range map[policy.Action]string{policy.ActAllow: c.allow, policy.ActHold: c.hold, policy.ActDeny: c.deny} {
			if got := decide(plain(verdict, c.found)).String(); got != want {
				t.Errorf("%s, %s: got %q, want %q", c.name, verdict, got, want)
			}
		}
	}
}

func TestDecideByChoice(t *testing.T) {
	future := noon.Add(time.Hour)
	done, unknown := &Effect{State: Done, WindowUntil: future}, &Effect{State: Unknown, Attempts: 1, Execute: ByGuard}
	failed := &Effect{State: Failed, Attempts: 2, WindowUntil: future}
	cases := []struct {
		name  string
		found *Effect
		set   func(*situation)
		want  string
	}{
		{"pending: block", &Effect{State: Pending, LeaseUntil: future}, func(s *situation) { s.rule.On.Pending = policy.Block }, "block pending"},
		{"done: block", done, func(s *situation) { s.rule.On.Done = policy.Block }, "block already_done"},
		{"done: allow", done, func(s *situation) { s.rule.On.Done = policy.Allow }, "send next by order"},
		{"done: allow, but a rule holds", done, func(s *situation) { s.rule.On.Done, s.verdict = policy.Allow, policy.ActHold }, "hold held next by order"},
		{"done for another subject", done, func(s *situation) { s.owner = false }, "block done_by_other"},
		{"failed: block", failed, func(s *situation) { s.rule.On.Failed = policy.Block }, "block failed"},
		{"failed, attempts used", failed, func(s *situation) { s.rule.Attempts = 2 }, "block attempts_used"},
		{"failed, attempts left", failed, func(s *situation) { s.rule.Attempts = 3 }, "send again"},
		{"failed while this call waited", failed, func(s *situation) { s.waited = true }, "replay failed"},
		{"failed for another while this call waited", failed, func(s *situation) { s.waited, s.owner, s.mine = true, false, false }, "send next"},
		{"failed, and a rival asks for a person", failed, func(s *situation) { s.rival = CodeSameIdentity }, "hold same_identity next"},
		{"nothing, and a rival asks for a person", nil, func(s *situation) { s.rival = CodeOtherScope }, "hold other_scope"},
		{"unknown: block", unknown, func(s *situation) { s.rule.On.Unknown = policy.Block }, "block unknown"},
		{"unknown: retry", unknown, func(s *situation) { s.rule.On.Unknown = policy.Retry }, "send again"},
		{"unknown: retry, by the caller", unknown, func(s *situation) { s.rule.On.Unknown, s.execute = policy.Retry, ByCaller }, "block unknown"},
		{"unknown: retry, but a rule holds", unknown, func(s *situation) { s.rule.On.Unknown, s.verdict = policy.Retry, policy.ActHold }, "block unknown"},
		{"unknown: retry, budget used", &Effect{State: Unknown, Attempts: 3, Execute: ByGuard}, func(s *situation) { s.rule.On.Unknown = policy.Retry }, "block attempts_used"},
		{"unknown: retry, but a caller ran it first", &Effect{State: Unknown, Execute: ByCaller}, func(s *situation) { s.rule.On.Unknown = policy.Retry }, "block unknown"},
		{"unknown: retry, but another rule sent it", &Effect{State: Unknown, Execute: ByGuard, Policy: "older"}, func(s *situation) { s.rule.On.Unknown = policy.Retry }, "block unknown"},
		{"approved for the caller, other bytes", &Effect{State: Approved, Execute: ByCaller}, func(s *situation) { s.same = false }, "block approved_other"},
		{"approved for another subject", &Effect{State: Approved, Execute: ByCaller}, func(s *situation) { s.owner = false }, "block approved_other"},
		{"approved for the guard, but a caller would run it", &Effect{State: Approved, Execute: ByGuard}, func(s *situation) { s.same, s.execute = false, ByCaller }, "block approved_other"},
		{"approved for the guard, other bytes", &Effect{State: Approved, Execute: ByGuard}, func(s *situation) { s.same = false }, "send again"},
		{"key conflict", done, func(s *situation) { s.relation = KeyConflict }, "block key_conflict"},
		{"same identity: hold", done, func(s *situation) { s.relation, s.rule.On.SameIdentity = SameIdentity, policy.Hold }, "hold same_identity"},
		{"same identity: block", done, func(s *situation) { s.relation, s.rule.On.SameIdentity = SameIdentity, policy.Block }, "block same_identity"},
		{"same identity, but a rule denies", done, func(s *situation) { s.relation, s.verdict = SameIdentity, policy.ActDeny }, "refuse denied"},
		{"other scope: replay", done, otherScope(policy.Replay), "replay replayed"},
		{"other scope: hold", done, otherScope(policy.Hold), "hold other_scope"},
		{"other scope: block", done, otherScope(policy.Block), "block other_scope"},
		{"other scope: replay, pending there", &Effect{State: Pending, LeaseUntil: future}, otherScope(policy.Replay), "wait"},
		{"other scope: replay, unknown there", unknown, otherScope(policy.Replay), "block unknown"},
		{"other scope: replay, failed there", failed, otherScope(policy.Replay), "send"},
		{"other scope: replay, approved there", &Effect{State: Approved}, otherScope(policy.Replay), "block other_scope"},
		{"other scope: confirm", done, otherScope(policy.Confirm), "block other_scope"},
		{"other scope: confirm, confirmed", done, confirmed(otherScope(policy.Confirm)), "send confirmed meant"},
		{"other scope: hold, confirmed", done, confirmed(otherScope(policy.Hold)), "hold other_scope"},
		{"other scope: confirm, pending there", &Effect{State: Pending, LeaseUntil: future}, confirmed(otherScope(policy.Confirm)), "wait"},
		{"other scope: confirm, unknown there", unknown, confirmed(otherScope(policy.Confirm)), "block other_scope"},
		{"near: hold", done, near(policy.Hold), "hold near"},
		{"near: hold, confirmed", done, confirmed(near(policy.Hold)), "hold near"},
		{"near: hold, pending there", &Effect{State: Pending, LeaseUntil: future}, near(policy.Hold), "wait"},
		{"near: hold, unknown there", unknown, near(policy.Hold), "block near"},
		{"near: hold, held there", &Effect{State: Held, ExpiresAt: future}, near(policy.Hold), "block near"},
		{"near: hold, failed there", failed, near(policy.Hold), "send"},
		{"near: confirm", done, near(policy.Confirm), "block near"},
		{"near: confirm, confirmed", done, confirmed(near(policy.Confirm)), "send confirmed meant"},
		{"near: confirm, confirmed too often", done, func(s *situation) { confirmed(near(policy.Confirm))(s); s.exhausted = true }, "hold near"},
		{"near: confirm, confirmed, but a rule denies", done, func(s *situation) { confirmed(near(policy.Confirm))(s); s.verdict = policy.ActDeny }, "refuse denied"},
		{"near: confirm, partial there", &Effect{State: Partial}, confirmed(near(policy.Confirm)), "block near"},
		{"near: replay", done, near(policy.Replay), "replay replayed"},
		{"near: replay, unknown there", unknown, near(policy.Replay), "block unknown"},
		{"near: replay, approved there", &Effect{State: Approved}, near(policy.Replay), "block near"},
		{"done: confirm", done, func(s *situation) { s.rule.On.Done = policy.Confirm }, "replay replayed"},
		{"done: confirm, confirmed", done, confirmed(func(s *situation) { s.rule.On.Done = policy.Confirm }), "send next by order meant"},
		{"done: replay, confirmed", done, confirmed(func(*situation) {}), "replay replayed"},
		{"done, superseded", done, func(s *situation) { s.superseded = true }, "send next"},
	}
	for _, c := range cases {
		s := plain(policy.ActAllow, c.found)
		c.set(&s)
		if got := decide(s).String(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func otherScope(c policy.Choice) func(*situation) {
	return func(s *situation) { s.relation, s.rule.On.OtherScope = OtherScope, c }
}

func near(c policy.Choice) func(*situation) {
	return func(s *situation) { s.relation, s.rule.On.Near = NearEffect, c }
}

func confirmed(set func(*situation)) func(*situation) {
	return func(s *situation) {
		set(s)
		s.confirmed = true
	}
}

// TestDecideNeverSendsWhatMayHaveBeenSent walks through every combination of what decide looks at and holds it against
// the promise: a send needs an effect that was never sent, surely failed, was ordered, or stopped answering.
func TestDecideNeverSendsWhatMayHaveBeenSent(t *testing.T) {
	choices := []policy.Choice{policy.Wait, policy.Block, policy.Replay, policy.Allow, policy.Retry, policy.Hold, policy.Confirm}
	seen := 0
	for _, verdict := range []policy.Action{policy.ActAllow, policy.ActHold, policy.ActDeny} {
		for _, state := range States {
			for _, choice := range choices {
				for bits := range 128 {
					s := plain(verdict, &Effect{State: state, Attempts: 1, Execute: ByGuard, Code: CodeRejected})
					s.rule.On = policy.On{Pending: choice, Done: choice, Failed: choice, Partial: choice, Unknown: choice, SameIdentity: choice, OtherScope: choice, Near: choice}
					s.confirmed = bits&64 != 0
					s.owner, s.same, s.waited, s.mine = bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&32 != 0
					end := noon.Add(time.Hour)
					if bits&8 != 0 {
						end = noon.Add(-time.Hour)
					}
					s.found.LeaseUntil, s.found.ExpiresAt, s.found.WindowUntil = end, end, end
					if bits&16 != 0 {
						s.execute, s.found.Execute = ByCaller, ByCaller
					}
					r := decide(s)
					seen++
					if r.action == actSend && !maySend(s, choice, r) {
						t.Errorf("%s, on: %s, %s, %07b: %s", state, choice, verdict, bits, r)
					}
					if r.action == actSend && verdict == policy.ActDeny {
						t.Errorf("%s, on: %s, denied, %07b: %s", state, choice, bits, r)
					}
				}
			}
		}
	}
	if seen != 3*len(States)*len(choices)*128 {
		t.Errorf("walked through %d combinations", seen)
	}
}

func maySend(s situation, choice policy.Choice, r ruling) bool {
	over := s.over(s.found.WindowUntil)
	switch s.found.State {
	case Failed:
		return r.again && s.mine && !over || r.next && (over || !s.mine)
	case Approved:
		return r.again && !over
	case Done:
		return r.next && (over || choice == policy.Allow && r.order || choice == policy.Confirm && s.confirmed && r.order)
	case Refused:
		return r.next && over
	case Unknown:
		return r.again && choice == policy.Retry && s.execute == ByGuard
	}
	return false
}

func TestEveryBlockTellsWhatToDoNext(t *testing.T) {
	codes := []Code{
		CodePending, CodeHeld, CodeDenied, CodeRejected, CodeUnknown, CodePartial, CodeDone, CodeNotShared, CodeFailedAlready,
		CodeExhausted, CodeContradiction, CodeKeyConflict, CodeSameIdentity, CodeOtherScope, CodeOtherBytes,
		CodeNear,
	}
	for _, code := range codes {
		x := explainBlock(situation{found: &Effect{State: Unknown, Created: noon}, now: noon.Add(3 * time.Minute)}, code)
		if x.Message == "" || len(x.Next) == 0 || x.Retry == "" || !strings.HasSuffix(x.Message, ".") {
			t.Errorf("%s: %+v", code, x)
		}
		if fmt.Sprint(x) != fmt.Sprint(explainBlock(situation{found: &Effect{State: Unknown, Created: noon}, now: noon.Add(3 * time.Minute)}, code)) {
			t.Errorf("%s: the text is not fixed", code)
		}
	}
}
