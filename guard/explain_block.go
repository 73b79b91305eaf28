package guard

import (
	"fmt"
	"strconv"
)

// explainBlock is the text of every answer with which nothing was sent.
func explainBlock(s situation, code Code) Explanation {
	x := Explanation{Code: code, Retry: RetryUseless}
	switch code {
	case CodePending:
		x.Retry = RetryLater
		x.Message = "An equal call is under way; nothing was sent for this one."
		x.Next = []string{"Wait, then send the same call again: it gets the result of the first one.", "Do not change the wording to get past this."}
	case CodeHeld:
		x.Retry = RetryLater
		x.Message = "A person must decide on this call first; nothing was sent."
		x.Next = []string{"Go on with other work, or end your turn and say that an approval is pending.", "Send the same call again later: it gets the decision."}
	case CodeDenied:
		x.Message = "A rule forbids this call; nothing was sent."
		x.Next = []string{"Do not repeat it. Find another way, or ask the user."}
	case CodeSame:
		x.Retry = RetryLater
		x.Message = "A person said that this call is the same as another one, which is approved and was not sent yet; nothing was sent."
		x.Next = []string{"Send the other call, or this one again later: it gets the result of the other one."}
	case CodeRejected:
		x.Message = "A person refused this call; nothing was sent."
		x.Next = []string{"Do not repeat it. Tell the user that it was refused."}
	case CodeUnknown, CodeLapsed:
		x.Retry = RetryNever
		x.Message = fmt.Sprintf("This call was given to its tool, and for %s it has not been known whether it was carried out; it was not sent again.", age(s))
		x.Next = []string{
			"Look at the target with a read-only tool to see whether it happened.",
			"Do not send it in other words. A person can settle it; then send the same call again to get the outcome.",
		}
	case CodePartial:
		x.Retry = RetryNever
		x.Message = fmt.Sprintf("This call was carried out only in part %s ago; it was not sent again.", age(s))
		x.Next = []string{"Do not repeat the whole call. A person must complete it or undo it."}
	case CodeDone:
		x.Message = fmt.Sprintf("This call was already carried out %s ago; nothing was sent.", age(s))
		x.Next = []string{"Go on as done.", "If a second effect is meant, it must differ in an argument that matters, or a person must allow it."}
	case CodeNotShared:
		x.Message = fmt.Sprintf("An equal call of another subject was already carried out %s ago; nothing was sent, and its result is not shared.", age(s))
		x.Next = []string{"Go on as done, or read the result from the target.", "The policy can share results within the tenant (share: tenant)."}
	case CodeFailedAlready:
		x.Message = "An equal call failed, and the policy allows no second try; nothing was sent."
		x.Next = []string{"Change what made it fail, or ask the user."}
	case CodeExhausted:
		x.Message = fmt.Sprintf("This effect has been tried %d times, which is all that the policy allows; it was not sent again.", s.found.Attempts)
		x.Next = []string{"Stop trying and ask the user."}
		if s.found.State == Unknown {
			x.Retry = RetryNever
			x.Message += " Whether it was carried out is not known."
			x.Next = []string{"Look at the target with a read-only tool to see whether it happened.", "A person can settle it; do not send it in other words."}
		}
	case CodeContradiction:
		x.Retry = RetryNever
		x.Message = "This effect is recorded as failed, but evidence came later that it was carried out; it was not sent again."
		x.Next = []string{"Look at the target with a read-only tool to see whether it happened.", "A person must settle it; then send the same call again to get the outcome."}
	case CodeKeyConflict:
		x.Message = "This idempotency key was already used for another call; nothing was sent."
		x.Next = []string{"If this is another effect, send it with another idempotency_key.", "If it is a retry, send the arguments of the first call."}
	case CodeSameIdentity:
		x.Message = fmt.Sprintf("Another effect on the same thing was recorded %s ago; nothing was sent.", age(s))
		x.Next = []string{"Compare the differing arguments.", "If both are meant, a person must allow this one."}
	case CodeOtherScope:
		x.Message = fmt.Sprintf("An equal call in another run was recorded %s ago; nothing was sent.", age(s))
		x.Next = []string{"If it is the same effect, go on as done.", "If both are meant, a person must allow this one."}
	case CodeNear:
		x.Message = fmt.Sprintf("A call that differs from this one in wording only was recorded %s ago; nothing was sent.", age(s))
		x.Next = []string{"Compare the differing texts.", "If it is the same effect, go on as done.", "If both are meant, a person must allow this one."}
	case CodeOverLimit:
		x.Message = "A limit of the policy has no room for this call; nothing was sent."
		x.Next = []string{"Do not split it up to get past the limit. Wait until there is room again, or ask the user."}
		x.Retry = RetryLater
	case CodeOtherBytes:
		x.Message = "A person approved this effect, but for other arguments or for another subject; nothing was sent."
		x.Next = []string{"Send exactly the approved arguments, which are those of the matched effect."}
	}
	return x
}

// answerStopped explains that an admin has stopped the sends of the tool or the agent.
func (r *proposal) answerStopped(s situation, sw Switched) Answer {
	x := Explanation{
		Code: CodeSwitchedOff, Retry: RetryLater,
		Message: fmt.Sprintf("An admin has stopped all sends of this %s; nothing was sent. The reason given: %s", sw.Kind, strconv.Quote(cut(sw.Reason))),
		Next:    []string{"Stop trying. Tell the user that the " + string(sw.Kind) + " was stopped.", "Send the same call again when it is allowed again: nothing of it was lost."},
	}
	r.match(&x, s)
	return Answer{Kind: AnswerBlocked, Effect: s.found, Explanation: x}
}
