package guard

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// Explanations are fixed sentences with typed fields. Nothing that another agent or an upstream wrote is ever part of a
// sentence: it stands in Matched.Result and Differs, as data.

// answerBlocked explains why nothing was sent.
func (r *proposal) answerBlocked(s situation, code Code) Answer {
	x := explainBlock(s, code)
	if code == CodeNear || code == CodeOtherScope {
		r.explainLikely(&x, s, code)
	}
	switch {
	case code == CodeHeld && r.verdict.Action == policy.ActHold, code == CodeDenied:
		x.Message = withReason(x.Message, r.verdict.Why)
	case code == CodeOverLimit && r.over != nil:
		x.Message = withReason(x.Message, r.over.String())
	case code == CodeRejected && s.owner && s.found.Reason != "":
		x.Message += " The reason given: " + strconv.Quote(cut(s.found.Reason))
	}
	r.match(&x, s)
	return Answer{Kind: AnswerBlocked, Effect: s.found, Explanation: x}
}

func (r *proposal) answerReplayed(s situation, code Code) Answer {
	x := Explanation{
		Code: code, Retry: RetryUseless,
		Message: "This call was already carried out " + age(s) + " ago; nothing was sent again, and this is the result of the first time.",
		Next:    []string{"Go on with this result.", repeatAdvice(r.rule)},
	}
	if s.found.Result == nil {
		x.Message = "This call was already carried out " + age(s) + " ago; nothing was sent again, and no result of it is on record."
		x.Next[0] = "Go on as done."
	}
	if code == CodeFailedAlready {
		x.Retry = RetrySafe
		x.Message = "An equal call was under way and failed; nothing was applied, and this is its error."
		x.Next = []string{"Mend what the error names, or send the same call again: it will be tried once more."}
	}
	if s.relation == ToldEffect {
		x.Message = "A person said that this call is the same as one that was carried out " + age(s) + " ago; nothing was sent, and this is its result."
	}
	if s.relation == NearEffect {
		x.Message = "A call that differs in wording only was carried out " + age(s) + " ago; the policy takes both for one, so nothing was sent, and this is its result."
	}
	if s.found.State == Done && r.rule.On.Done == policy.Confirm && s.relation == SameEffect && !s.exhausted {
		r.offerTo(&x, s)
	}
	r.match(&x, s)
	return Answer{Kind: AnswerReplayed, Effect: s.found, Result: r.resultOf(s), Explanation: x}
}

// answerSent answers a call that was sent and whose outcome its caller could not wait for.
func (r *proposal) answerSent(s situation) Answer {
	a := r.answerPending(s)
	a.Explanation.Message = "The call was sent and has not been answered yet."
	return a
}

func (r *proposal) answerPending(s situation) Answer {
	x := explainBlock(s, CodePending)
	if s.relation == NearEffect {
		x.Message = "A call that differs in wording only is under way; nothing was sent for this one."
		x.Next[0] = "Wait, then send the same call again: it is decided once the outcome of the first one is known."
	}
	r.match(&x, s)
	after := min(max(s.found.LeaseUntil.Sub(s.now)/4, time.Second), 15*time.Second)
	return Answer{Kind: AnswerPending, Effect: s.found, RetryAfter: after, Explanation: x}
}

// answerTaken answers a call whose own claim, hold or refusal was just recorded. earlier is what stood there before.
func (r *proposal) answerTaken(s situation, earlier *Effect) Answer {
	switch e := s.found; e.State {
	case Pending:
		x := Explanation{
			Code: CodeProceed, Retry: RetryLater,
			Message: "This effect is new: run the tool now, once, and report its outcome before the lease ends.",
			Next: []string{
				"Run the tool, then report the outcome with the fence of the lease.",
				"Renew the lease while the tool still runs; if the outcome cannot be told, report unknown.",
			},
		}
		if r.warned != "" {
			x.Message = "Run the tool now, once, and report its outcome before the lease ends." // new or not: the policy only warns
		}
		if earlier != nil && earlier.ID == e.ID {
			x.Message = whyAgain(earlier) + " Run the tool now, once, and report its outcome before the lease ends."
		}
		return Answer{Kind: AnswerProceed, Effect: e, Lease: &Lease{Fence: e.Fence, Expires: e.LeaseUntil}, Explanation: x}
	case Refused:
		return r.answerBlocked(s, e.Code)
	case Held:
		if r.rival != nil && e.Code == r.rivalCode {
			rival := r.situation(r.rival, SameIdentity, s.now)
			rival.exhausted = true // a person was asked; no token is offered beside that
			a := r.answerBlocked(rival, e.Code)
			a.Effect, a.Explanation.Retry = e, RetryLater
			a.Explanation.Next = []string{
				"A person was asked. Send the same call again later: it gets the decision.",
				"If it is the same effect as the earlier one, go on as done.",
			}
			return a
		}
	}
	return r.answerBlocked(s, s.found.Code)
}

// whyAgain says why an effect that is on record may be carried out now.
func whyAgain(earlier *Effect) string {
	switch {
	case earlier.State == Approved && earlier.Attempts == 0:
		return "A person approved this call."
	case earlier.State == Approved:
		return "A person ordered this call to be sent again."
	}
	return "The earlier attempt failed, and nothing was applied."
}

// answerFlight answers the call that was sent.
func (r *proposal) answerFlight(l landing) Answer {
	if !l.recorded {
		return r.answerUnrecorded(l)
	}
	e := l.effect
	s := r.situation(&e, SameEffect, e.Updated)
	x := Explanation{Code: e.Code, Retry: RetryUseless}
	switch e.State {
	case Done:
		x.Code, x.Message, x.Next = CodeForwarded, "The call was sent and carried out.", []string{"Go on with this result."}
	case Failed:
		x.Message = withReason("The call failed and nothing was applied.", l.outcome.Detail)
		if e.Code == CodeNotSent {
			x.Message = withReason("The call was not sent.", l.outcome.Detail)
		}
		x.Retry, x.Next = RetrySafe, []string{"Mend what the error names, or send the same call again if the cause is gone: it will be tried once more."}
		if next := decide(s); next.action == actBlock {
			x.Retry, x.Next = RetryUseless, explainBlock(s, next.code).Next
		}
	case Partial:
		x = explainBlock(s, CodePartial)
		x.Message = withReason("The call was sent and carried out only in part.", l.outcome.Detail)
	default:
		x = explainBlock(s, CodeUnknown)
		x.Code, x.Message = e.Code, withReason("The call was sent, but whether it was carried out is not known.", l.outcome.Detail)
	}
	a := Answer{Kind: AnswerForwarded, Effect: &e, Result: r.resultOf(s), Explanation: x}
	if e.Code == CodeNotSent {
		a.Kind = AnswerBlocked
	}
	if !s.owner {
		// The bytes that were sent are those of another subject's call, and so is the result.
		a.Result = nil
		a.Explanation.Message = withReason(x.Message, "The result belongs to another subject and is not shared.")
	}
	return a
}

func (r *proposal) answerUnrecorded(l landing) Answer {
	x := explainBlock(situation{found: &l.effect}, CodeUnknown)
	x.Code, x.Message = CodeNotRecorded, "The call was sent, but its outcome could not be recorded, so it counts as unknown."
	return Answer{Kind: AnswerForwarded, Effect: &l.effect, Result: l.outcome.Result, Explanation: x}
}

// answerPassed answers a read that the guard sent.
func (r *proposal) answerPassed(out Outcome) Answer {
	x := r.explainPassed()
	switch off := r.rule.Mode == policy.ModeOff; {
	case out.State == Done:
	case off && out.State != Failed:
		x.Retry = RetryNever
		x.Code, x.Message = out.Code, withReason("The call was sent, but whether it was carried out is not known, and it is not on record.", out.Detail)
	case off:
		x.Code, x.Message = out.Code, withReason("The call failed and nothing was applied.", out.Detail)
	default:
		x.Code, x.Message = out.Code, withReason("The read failed; it changes nothing, so it may be tried again.", out.Detail)
	}
	a := Answer{Kind: AnswerForwarded, Result: out.Result, Explanation: x}
	if a.Result == nil {
		a.Result = &Result{ContentType: "text/plain; charset=utf-8", Body: []byte(x.Message), IsError: true, Source: FromUpstream}
	}
	return a
}

func (r *proposal) explainPassed() Explanation {
	if r.rule.Mode == policy.ModeOff {
		return Explanation{Code: CodePassed, Retry: RetryNever, Message: "The policy of this tool is off, so the call passes and is not recorded."}
	}
	return Explanation{Code: CodePassed, Retry: RetrySafe, Message: "This tool only reads, so the call passes and is not recorded."}
}

// answerViolations answers arguments that break the tool's schema. Nothing is recorded: a call that can do nothing is
// no effect.
func (r *proposal) answerViolations(broken []policy.Violation) Answer {
	var b strings.Builder
	b.WriteString("The arguments break the schema of this tool:")
	for i, v := range broken {
		if i == 5 {
			fmt.Fprintf(&b, " and %d more", len(broken)-i)
			break
		}
		fmt.Fprintf(&b, " %s %s;", v.Argument, v.Message)
	}
	return Answer{Kind: AnswerBlocked, Explanation: Explanation{
		Code: CodeBadArguments, Retry: RetryUseless, Message: strings.TrimSuffix(b.String(), ";") + ". Nothing was sent.",
		Next: []string{"Correct the arguments and send the call again."},
	}}
}

// match adds the earlier effect and how the call differs from it. The result is shown to its owner only.
func (r *proposal) match(x *Explanation, s situation) {
	e := s.found
	if e == nil {
		return
	}
	x.Matched = &Matched{Effect: e.ID, Tool: e.Tool, State: e.State, Code: e.Code, Created: e.Created, Age: s.now.Sub(e.Created)}
	if !s.owner {
		return
	}
	x.Matched.Agent, x.Matched.Run, x.Matched.Result = e.Agent, e.Run, r.resultOf(s)
	if s.same {
		return
	}
	earlier, err := decodeArguments(e.Arguments)
	if err != nil {
		return
	}
	c := fingerprint.Compare(r.specOf(e).Terms(earlier), r.rule.Arguments.Terms(r.args))
	x.SameBecause = c.Because
	if !c.Same && r.isAlias(e.Key) {
		x.Message += " It was recorded under an earlier version of this tool's policy, by which the two calls are equal in spite of what differs."
	}
	if !c.Same && e.Key == r.sum.Key && e.Tool == r.call.Tool {
		x.Message += " A person changed its arguments before it was sent; what differs is shown."
	}
	for _, d := range c.Differs {
		x.Differs = append(x.Differs, Difference{Argument: d.Argument, Role: d.Role.String(), Earlier: cut(d.Earlier), Now: cut(d.Now)})
	}
	veilDifferences(x.Differs, r.rule, r.set.Match(e.Tool))
}

func cut(s string) string {
	const most = 200
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func withReason(message, why string) string {
	if why == "" {
		return message
	}
	return message + " " + why
}

// age says in words since when the found effect is as it is.
func age(s situation) string {
	if s.now.IsZero() {
		return "a moment"
	}
	switch d := s.now.Sub(s.found.Since); {
	case d < 2*time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " seconds"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " minutes"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " hours"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + " days"
	}
}

// explainLikely adds how a call that looks like an earlier one can go on.
func (r *proposal) explainLikely(x *Explanation, s situation, code Code) {
	if s.found.State == Pending {
		x.Retry = RetryLater
		x.Next = []string{"Wait, then send the same call again: it is decided once the outcome of the earlier one is known."}
		return
	}
	if s.found.State != Done {
		x.Retry = RetryNever
		x.Next = []string{
			"Do not send it in other words: whether the earlier one happens is not decided yet.",
			"A person must settle the earlier one; then send the same call again.",
		}
		return
	}
	choice := r.rule.On.OtherScope
	if code == CodeNear {
		choice = r.rule.On.Near
	}
	if choice == policy.Confirm && !s.exhausted {
		r.offerTo(x, s)
	}
}

// offerTo adds a token, and tells exactly how it is used.
func (r *proposal) offerTo(x *Explanation, s situation) {
	x.Confirm = r.offer(s)
	switch {
	case len(r.meant) > 0:
		x.Message += " The token that came with this call is good, but was given for another earlier one only; a new one is for both."
	case r.call.Confirm.Token != "":
		x.Message += " The token that came with this call is not for it: it was used, is over, or was given for another call."
	}
	use := fmt.Sprintf(`If one more is meant, send this call again, unchanged, with "confirm": {"token": %q, "reason": "why one more is meant"}; the token is good for this call, once, until %s.`,
		x.Confirm.Token, x.Confirm.Expires.UTC().Format(time.RFC3339))
	x.Next = []string{"If it is the same effect, go on as done.", use}
	if s.relation == SameEffect {
		x.Next[0] = "Go on with this result."
	}
}

// repeatAdvice tells how a repeat that is meant can be told apart.
func repeatAdvice(r *policy.Rule) string {
	switch o := r.Occurrence; {
	case r.Keys == policy.KeysTrusted:
		return "If a second effect is meant, send the call with another idempotency_key."
	case o.Argument != "":
		return fmt.Sprintf("If a second effect is meant, give it another %s.", o.Argument)
	case o.Label != "":
		return fmt.Sprintf("If a second effect is meant, send the call with another label %q.", o.Label)
	case o.Caller > 1:
		return fmt.Sprintf("If one more is meant, send the call with the next \"occurrence\", which is 2 for the second; the policy allows up to %d.", o.Caller)
	}
	return "If a second effect is meant, it must differ in an argument that matters, or a person must allow it."
}
