package guard

import (
	"encoding/json"
	"time"
)

// Call is one request of an agent to run one named tool.
type Call struct {
	Tool string
	// Arguments is the JSON text as it came: an object, or a JSON string that holds one, as some providers send it.
	// These bytes, or what the string holds, are what is fingerprinted, shown and sent.
	Arguments json.RawMessage
	// Reading is Arguments as they were read by who had to read them to make the call; else nil.
	Reading        *Reading
	CallID         string            // the provider's id of the call; correlation only
	Run            string            // the run, thread or ticket within which equal calls are the same effect
	Agent          string            // used only when the credential names none
	Labels         map[string]string // for conditions and scopes
	IdempotencyKey string
	Occurrence     int           // 2 for the second of the same, where the policy lets callers declare it; 0 and 1 for the first
	Confirm        Confirm       // declares that the call is meant, although it looks like an earlier one
	TraceParent    string        // W3C Trace Context, passed on to the upstream; the caller has checked its form
	Execute        Execute       // "" for what the policy says: the guard where there is an upstream, else the caller
	Wait           time.Duration // how long the caller is ready to wait; 0 for the default, negative for not at all
}

// Limits of a call's texts, in bytes.
const (
	MaxToolName = 256
	MaxHandle   = 512 // CallID, Run, Agent, IdempotencyKey, names and values of labels
	MaxLabels   = 32
)

// AnswerKind is the guard's decision on a call.
type AnswerKind string

// The decisions.
const (
	AnswerForwarded AnswerKind = "forwarded" // the guard sent it; Effect.State tells the outcome
	AnswerProceed   AnswerKind = "proceed"   // the caller may run the tool, under the lease
	AnswerReplayed  AnswerKind = "replayed"  // nothing was sent; Result is the recorded one
	AnswerPending   AnswerKind = "pending"   // an equal call is under way; ask again after RetryAfter
	AnswerBlocked   AnswerKind = "blocked"   // nothing was sent; Explanation says why and what to do
)

// Answer is what a call gets. Every decision is an Answer; an error means that no decision was made and nothing sent.
type Answer struct {
	Kind        AnswerKind
	Effect      *Effect // nil where nothing is recorded: reads, and calls that break the tool's schema
	Result      *Result
	Lease       *Lease
	RetryAfter  time.Duration // for AnswerPending
	Explanation Explanation
}

// IsError reports whether a model should read the answer as an error of the tool.
func (a *Answer) IsError() bool {
	switch a.Kind {
	case AnswerPending, AnswerBlocked:
		return true
	case AnswerProceed:
		return false
	}
	if a.Effect != nil && a.Effect.State != Done {
		return true
	}
	return a.Result != nil && a.Result.IsError
}

// Lease is the caller's permission to run the tool.
type Lease struct {
	Fence   int64
	Expires time.Time
}

// Explanation is the part of an answer that is written for the model. Its form is a contract.
type Explanation struct {
	Code        Code
	Message     string       // one sentence, fixed wording, no argument values
	Matched     *Matched     // the earlier effect, where there is one
	SameBecause []string     // why differently written arguments are equal
	Differs     []Difference // arguments that differ, with what that means
	Retry       RetryAdvice
	Warned      Code     // what the policy would have answered, were it enforced; "" where it was, and where it would have done the same
	Confirm     *Offer   // lets the agent declare that one more is meant; nil where it may not
	Next        []string // what to do now, in order, and how to go on if the repeat is meant
}

// RetryAdvice says what sending the same call again would do.
type RetryAdvice string

// The advices.
const (
	RetryUseless RetryAdvice = "useless" // it gets the same answer
	RetryLater   RetryAdvice = "later"   // the answer will change by itself
	RetrySafe    RetryAdvice = "safe"    // nothing was applied: an equal call is sent
	RetryNever   RetryAdvice = "never"   // it may apply the effect twice; the guard does not let it through
)

// Matched is an earlier effect as an explanation shows it.
type Matched struct {
	Effect  string
	Tool    string
	State   State
	Code    Code
	Created time.Time
	Age     time.Duration
	Agent   string
	Run     string
	// Result is quoted only where the caller may see it.
	Result *Result
}

// Difference is one argument in which the call differs from the earlier one. Values are JSON texts, cut at 200
// characters.
type Difference struct {
	Argument string
	Role     string
	Earlier  string
	Now      string
}

// Report is what a caller who ran the tool tells about it.
type Report struct {
	Effect  string
	Fence   int64
	State   State           // Done, Failed, Partial or Unknown
	Result  json.RawMessage // nil for none
	IsError bool
	Reason  string // one sentence
}

// Choice is a person's decision on an effect.
type Choice string

// The choices. Approve and Reject are for held effects; the others settle unknown and partial ones.
const (
	Approve      Choice = "approve"
	Reject       Choice = "reject"
	Same         Choice = "same"           // held, and the same as the effect for which it was held: answered from that one
	Happened     Choice = "happened"       // it was applied (for partial: by now completely)
	DidNotHappen Choice = "did_not_happen" // it was not applied (for partial: what was, has been undone)
	SendAgain    Choice = "send_again"     // send it once more, whatever happened to the first
)

// Judgement is a Choice, bound to what the person was shown.
type Judgement struct {
	Effect string
	Choice Choice
	Fence  int64           // as shown
	Digest [32]byte        // ArgumentsDigest as shown; needed for Approve and SendAgain
	Reason string          // at most 2,000 bytes
	Result json.RawMessage // for Happened; nil for none
	// Arguments, for Approve, are sent instead of those that were shown: edit and run. The agent's own call, as it came,
	// is answered by it from then on. Nil for the ones that were shown.
	Arguments json.RawMessage
}
