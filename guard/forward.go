package guard

import (
	"context"
	"time"
)

// Forwarder performs calls. Package forwardtest runs the promise below against every driver.
type Forwarder interface {
	// Send makes exactly one attempt and says what it proved. It puts the request on the wire at most once: no retry,
	// no redirect, no second connection after the first byte. It returns when the outcome is known or ctx ends, and
	// never panics.
	//
	// Outcome.State is Failed only if it is certain that nothing was applied: nothing was written, or the upstream
	// answered with a status that means so. It is Done only for a complete, readable answer that says so. Everything
	// else is Unknown.
	Send(ctx context.Context, a Attempt) Outcome
}

// Attempt is one send of one effect.
type Attempt struct {
	Effect string // id, for logs
	Tool   string

	Method  string
	URL     string
	Header  map[string][]string
	Body    []byte
	Private bool          // the policy allows private and loopback addresses
	Timeout time.Duration // for the whole attempt; also bounded by ctx
	Reuse   time.Duration // how long its connection may be kept for another attempt that allows it; 0 for a connection of its own
}

// Outcome is what an attempt proved.
type Outcome struct {
	State  State // Done, Failed or Unknown
	Code   Code
	Detail string // one sentence without argument values, for people and models
	Sent   bool   // at least one byte of the request may have left
	Result *Result
	Header map[string][]string // of the answer, for the policy's outcome conditions
}

// Codes of outcomes.
const (
	CodeUpstreamDone     Code = "upstream_done"        // 2xx
	CodeUpstreamRefused  Code = "upstream_refused"     // a status that means: not applied
	CodeUpstreamStatus   Code = "upstream_status"      // 3xx, or a 5xx: it may have been applied
	CodeUpstreamTimeout  Code = "upstream_timeout"     // no complete answer in time
	CodeUpstreamLost     Code = "upstream_lost"        // the connection broke after bytes were written
	CodeUpstreamGarbled  Code = "upstream_garbled"     // an answer that cannot be read: truncated, malformed
	CodeUpstreamOversize Code = "upstream_oversize"    // an answer over the limit
	CodeByPolicy         Code = "outcome_by_policy"    // an outcome condition of the policy decided
	CodeNotRecorded      Code = "outcome_not_recorded" // the ledger could not be told
	CodeLate             Code = "late_answer"          // an answer after the fence had moved on
	CodeReported         Code = "reported"             // the caller who ran the tool says so
	CodeNotSent          Code = "not_sent"             // nothing was written: name, dial or TLS failed, or the address is not allowed
)
