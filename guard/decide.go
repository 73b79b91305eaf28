package guard

import (
	"time"

	"github.com/onceguard/onceguard/policy"
)

// situation is all that decide may look at.
type situation struct {
	verdict  policy.Action
	rule     *policy.Rule
	found    *Effect // nil: nothing stands in the way
	relation Relation
	now      time.Time // of the store, when found was read
	owner    bool      // the principal may see found's result and use its approval
	mine     bool      // found is a call of the same subject to the same tool, which another attempt may take over
	same     bool      // the call has the very bytes of found
	execute  Execute
	waited   bool          // the call has waited for found while it was pending
	rival    Code          // why another effect asks for a person; "" where none does
	limit    policy.Action // of a limit without room for the call: hold or deny; "" where there is none

	superseded bool // found is done, and another effect on the same resource was done since
	likeness   likeness
	confirmed  bool // the call carries a token that declares it as meant beside found
	exhausted  bool // the run has declared so often that a person is asked
}

// action is what to do next with a call.
type action uint8

const (
	actSend   action = iota // claim, then forward or hand the lease to the caller
	actHold                 // record as held
	actRefuse               // record as refused
	actReplay               // answer with found's result
	actWait                 // wait until found is no longer pending, then decide again
	actBlock                // answer with a reason
	actLook                 // found's time is over: sweep, then decide again
)

// ruling is what decide says.
type ruling struct {
	action action
	code   Code
	next   bool // claim the next generation of found
	again  bool // claim found itself once more
	order  bool // although found's window lasts
	meant  bool // because the agent has declared it
}

// Codes of answers, beside those of outcomes and those of Effect.Code.
const (
	CodeForwarded     Code = "forwarded"
	CodeProceed       Code = "proceed"
	CodePassed        Code = "passed" // a read: not recorded
	CodeReplayed      Code = "replayed"
	CodeFailedAlready Code = "failed" // the equal call that was waited for failed, or on.failed is block
	CodePending       Code = "pending"
	CodeHeld          Code = "held"           // a rule wants a person to decide
	CodeDenied        Code = "denied"         // a rule forbids it
	CodeRejected      Code = "rejected"       // a person refused it
	CodeSame          Code = "same"           // a person said that it is the same as another effect
	CodeExpired       Code = "expired"        // nobody decided in time
	CodeDone          Code = "already_done"   // on.done is block
	CodeNotShared     Code = "done_by_other"  // done for another subject; the result is not shared
	CodeUnknown       Code = "unknown"        // the outcome of the earlier send is not known
	CodePartial       Code = "partial"        // the earlier send was applied in part
	CodeExhausted     Code = "attempts_used"  // the policy allows no more attempts
	CodeKeyConflict   Code = "key_conflict"   // the idempotency key was used for another call
	CodeSameIdentity  Code = "same_identity"  // another effect on the same thing
	CodeOtherScope    Code = "other_scope"    // an equal effect in another scope
	CodeNear          Code = "near"           // an effect that differs in wording at most
	CodeConfirmed     Code = "confirmed"      // the agent declared that one more is meant
	CodeOtherBytes    Code = "approved_other" // the approval is for other bytes, or for another subject
	CodeBadArguments  Code = "invalid_arguments"
	CodeOverLimit     Code = "over_limit" // a limit of the policy has no room
	CodeSwitchedOff   Code = "stopped"    // an admin has stopped the sends of the tool or the agent
	CodeLapsed        Code = "lease_over" // the holder did not report in time
	CodeApproved      Code = "approved"
	CodeResolved      Code = "resolved_by_person"
	CodeOrdered       Code = "ordered_by_person"
	CodeContradiction Code = "contradiction" // evidence speaks against the recorded state
)

// unknownRetries bounds on.unknown: retry where the policy names no number of attempts.
const unknownRetries = 3

// decide says what to do with a call. It is pure: the whole table is here, and in its test.
//
//	found                         allow              hold               deny
//	nothing, window over          send               hold               refuse
//	held                          block held         block held         block held
//	approved                      send it            send it            block denied
//	pending, lease over           look               look               look
//	pending                       on.pending         on.pending         on.pending
//	done                          on.done            on.done            on.done
//	done, superseded              send               hold               refuse
//	failed                        on.failed          hold               refuse
//	failed, contradicted          block              block              block
//	failed, window over           send               hold               refuse
//	failed, of another subject    send               hold               refuse
//	partial                       on.partial         on.partial         on.partial
//	unknown                       on.unknown         block unknown      block unknown
//	refused by a person           block rejected     block rejected     block rejected
//	refused as the same           as what it is the same as, while that answers; else send, hold or refuse
//	refused by rule or by time    send               hold               block denied, refuse
//
// Where another effect on the same thing, in another scope, or of near wording asks for a person, allow becomes hold. Where a
// limit has no room, allow becomes what the limit says. A
// choice of confirm, for near wording and another scope:
//
//	found                         without a token    with its token
//	pending                       on.pending         on.pending
//	done                          block, with token  send
//	held, approved, partial,
//	unknown                       block              block
//
// because beside an effect that may yet happen nobody but a person can say that another one is meant.
//
// What was found is looked at before the verdict, because an effect that exists must be answered from its record:
// a rule that now denies a refund does not undo the one that was paid.
func decide(s situation) ruling {
	if s.found == nil {
		return begin(s, false)
	}
	switch s.relation {
	case KeyConflict:
		return ruling{action: actBlock, code: CodeKeyConflict}
	case SameIdentity:
		return related(s, s.rule.On.SameIdentity, CodeSameIdentity)
	case OtherScope:
		if s.rule.On.OtherScope != policy.Replay {
			return related(s, s.rule.On.OtherScope, CodeOtherScope)
		}
	case NearEffect:
		if s.rule.On.Near != policy.Replay {
			return related(s, s.rule.On.Near, CodeNear)
		}
	}
	switch s.found.State {
	case Held:
		if s.over(s.found.ExpiresAt) {
			return ruling{action: actLook}
		}
		return ruling{action: actBlock, code: CodeHeld}
	case Approved:
		return decideApproved(s)
	case Pending:
		return decidePending(s)
	case Done:
		return decideDone(s)
	case Failed:
		return decideFailed(s)
	case Partial:
		return ruling{action: actBlock, code: CodePartial}
	case Unknown:
		return decideUnknown(s)
	default:
		return decideRefused(s)
	}
}

// begin starts an effect of its own: the first under its key, or the next generation.
func begin(s situation, next bool) ruling {
	switch {
	case s.verdict == policy.ActDeny:
		return ruling{action: actRefuse, code: CodeDenied, next: next}
	case s.limit == policy.ActDeny:
		return ruling{action: actRefuse, code: CodeOverLimit, next: next}
	case s.verdict == policy.ActHold:
		return ruling{action: actHold, code: CodeHeld, next: next}
	case s.limit == policy.ActHold:
		return ruling{action: actHold, code: CodeOverLimit, next: next}
	case s.rival != "":
		return ruling{action: actHold, code: s.rival, next: next}
	}
	return ruling{action: actSend, next: next}
}

func related(s situation, c policy.Choice, code Code) ruling {
	switch {
	case s.verdict == policy.ActDeny:
		return ruling{action: actRefuse, code: CodeDenied}
	case c == policy.Block:
		return ruling{action: actBlock, code: code}
	case c == policy.Confirm || code == CodeNear:
		return decideLikely(s, c, code)
	}
	return ruling{action: actHold, code: code}
}

// decideLikely decides on a call that is likely to ask for what found is about: held, or asked back.
func decideLikely(s situation, c policy.Choice, code Code) ruling {
	switch s.found.State {
	case Pending:
		return decidePending(s)
	case Failed, Refused:
		return ruling{action: actSend} // it has come to nothing since it was named
	case Done:
		switch {
		case s.over(s.found.WindowUntil):
			return ruling{action: actSend}
		case c == policy.Confirm && s.confirmed && !s.exhausted:
			return ruling{action: actSend, code: CodeConfirmed, meant: true}
		case c == policy.Confirm && !s.exhausted:
			return ruling{action: actBlock, code: code}
		}
		return ruling{action: actHold, code: code}
	}
	if s.over(s.found.ExpiresAt) {
		return ruling{action: actLook}
	}
	return ruling{action: actBlock, code: code}
}

// over reports whether a time of the effect has come by the store's clock.
func (s situation) over(t time.Time) bool { return !t.IsZero() && !s.now.Before(t) }

// otherKey reports whether found lives under another key, so that it can be answered from but not claimed.
func (s situation) otherKey() bool {
	return s.relation == OtherScope || s.relation == NearEffect || s.relation == ToldEffect
}

func decideApproved(s situation) ruling {
	switch {
	case s.over(s.found.ExpiresAt):
		return ruling{action: actLook}
	case s.verdict == policy.ActDeny:
		return ruling{action: actBlock, code: CodeDenied}
	case s.relation == NearEffect:
		return ruling{action: actBlock, code: CodeNear}
	case s.relation == ToldEffect:
		return ruling{action: actBlock, code: CodeSame}
	case s.otherKey():
		return ruling{action: actBlock, code: CodeOtherScope}
	case (s.execute == ByCaller || s.found.Execute == ByCaller) && (!s.owner || !s.same):
		// The guard would send the approved bytes, but a caller sends its own.
		return ruling{action: actBlock, code: CodeOtherBytes}
	}
	return ruling{action: actSend, again: true}
}

func decidePending(s situation) ruling {
	switch {
	case s.over(s.found.LeaseUntil):
		return ruling{action: actLook}
	case s.rule.On.Pending == policy.Block:
		return ruling{action: actBlock, code: CodePending}
	}
	return ruling{action: actWait}
}

func decideDone(s situation) ruling {
	switch {
	case s.over(s.found.WindowUntil), s.superseded:
		return begin(s, !s.otherKey())
	case s.rule.On.Done == policy.Confirm && s.confirmed && !s.exhausted && !s.otherKey():
		r := begin(s, true)
		r.order, r.meant = true, true
		return r
	case s.rule.On.Done == policy.Allow:
		r := begin(s, !s.otherKey())
		r.order = true
		return r
	case s.rule.On.Done == policy.Block:
		return ruling{action: actBlock, code: CodeDone}
	case !s.owner:
		return ruling{action: actBlock, code: CodeNotShared}
	}
	return ruling{action: actReplay, code: CodeReplayed}
}

func decideFailed(s situation) ruling {
	switch {
	case s.otherKey():
		return begin(s, false)
	case s.found.Review == CodeContradiction:
		return ruling{action: actBlock, code: CodeContradiction}
	case s.waited && s.owner:
		// Calls that waited for one attempt share its failure; otherwise each of them would try in turn.
		return ruling{action: actReplay, code: CodeFailedAlready}
	case s.verdict != policy.ActAllow, s.rival != "", s.limit != "", !s.mine, s.over(s.found.WindowUntil):
		return begin(s, true)
	case s.found.Code == CodeNotSent:
		return ruling{action: actSend, again: true} // no try was used up
	case s.rule.On.Failed == policy.Block:
		return ruling{action: actBlock, code: CodeFailedAlready}
	case s.rule.Attempts > 0 && s.found.Attempts >= s.rule.Attempts:
		return ruling{action: actBlock, code: CodeExhausted}
	}
	return ruling{action: actSend, again: true}
}

func decideUnknown(s situation) ruling {
	most := s.rule.Attempts
	if most == 0 {
		most = unknownRetries
	}
	switch {
	case s.verdict != policy.ActAllow, s.otherKey(), s.rule.On.Unknown != policy.Retry, s.execute != ByGuard, s.waited:
		return ruling{action: actBlock, code: CodeUnknown}
	case s.found.Execute != ByGuard, s.found.Policy != s.rule.Digest:
		// The first send may not have carried our key, or have gone elsewhere.
		return ruling{action: actBlock, code: CodeUnknown}
	case s.found.Attempts >= most:
		return ruling{action: actBlock, code: CodeExhausted}
	}
	return ruling{action: actSend, again: true}
}

func decideRefused(s situation) ruling {
	switch {
	case s.said():
		r := begin(s, true) // the effect that it is the same as no longer answers
		r.order = true
		return r
	case s.found.Code == CodeRejected && !s.over(s.found.WindowUntil):
		return ruling{action: actBlock, code: CodeRejected}
	case s.verdict == policy.ActDeny && s.found.Code == CodeDenied && !s.otherKey():
		// The refusal is on record; the repeat is only counted.
		return ruling{action: actBlock, code: CodeDenied}
	case s.limit == policy.ActDeny && s.found.Code == CodeOverLimit && !s.otherKey():
		return ruling{action: actBlock, code: CodeOverLimit}
	}
	return begin(s, !s.otherKey())
}
