package client

import (
	"encoding/json"
	"time"
)

// Call asks for one run of one named tool.
type Call struct {
	Tool string `json:"tool"`
	// Arguments is a JSON object, or a JSON string that holds one. Its bytes are what is compared, shown and sent.
	Arguments      json.RawMessage   `json:"arguments"`
	CallID         string            `json:"call_id,omitzero"`         // the provider's id; correlation only
	Run            string            `json:"run,omitzero"`             // the run, thread or ticket of the agent
	Agent          string            `json:"agent,omitzero"`           // used when the key names no agent
	Labels         map[string]string `json:"labels,omitzero"`          // for conditions and scopes
	IdempotencyKey string            `json:"idempotency_key,omitzero"` // at most 512 bytes
	Occurrence     int               `json:"occurrence,omitzero"`      // 2 for the second of the same, where the policy allows it
	Confirm        *Confirm          `json:"confirm,omitzero"`         // declares that the call is meant beside an earlier one
	Execute        string            `json:"execute,omitzero"`         // "guard" or "caller"; "" for what the policy says

	// Wait is how long to wait for an equal call that is under way, in whole seconds and at most 50 s. 0 leaves it to
	// the server, less than 0 means not at all. It travels as "Prefer: wait=N".
	Wait time.Duration `json:"-"`
}

// The decisions of an Answer.
const (
	Forwarded = "forwarded" // the guard sent the call; Effect.State tells what came of it
	Proceed   = "proceed"   // run the tool now, under the lease, and report the outcome
	Replayed  = "replayed"  // nothing was sent; Result is the recorded one
	Pending   = "pending"   // an equal call is under way; ask again after RetryAfterMS
	Blocked   = "blocked"   // nothing was sent; Explanation says why and what to do
)

// Answer is the guard's decision on a call.
type Answer struct {
	Decision string  `json:"decision"`
	Effect   *Effect `json:"effect,omitzero"` // nil where nothing is recorded
	// Result is the upstream's body: its own bytes where it is JSON, else a JSON string of its text or its base64.
	Result         json.RawMessage `json:"result,omitzero"`
	ResultEncoding string          `json:"result_encoding,omitzero"` // "" for JSON, else "text" or "base64"
	IsError        bool            `json:"is_error"`                 // a model should read the answer as an error
	Explanation    Explanation     `json:"explanation"`
	Lease          *Lease          `json:"lease,omitzero"`
	RetryAfterMS   int64           `json:"retry_after_ms,omitzero"`
	ReviewURL      string          `json:"review_url,omitzero"` // where a person decides

	// Replayed tells whether the answer came with the header "Idempotent-Replayed: true".
	Replayed bool `json:"-"`
}

// Lease is the permission to run the tool. Its end means "look", never "run again".
type Lease struct {
	Fence     int64     `json:"fence"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Explanation is written for the model. Its form is a contract.
type Explanation struct {
	Code        string       `json:"code"`
	Message     string       `json:"message"`
	Matched     *Matched     `json:"matched,omitzero"`
	SameBecause []string     `json:"same_because"`
	Differs     []Difference `json:"differs"`
	Retry       string       `json:"retry,omitzero"`  // "useless", "later", "safe" or "never"
	Warned      string       `json:"warned,omitzero"` // what the policy, which only warns, would have answered
	Confirm     *Offer       `json:"confirm,omitzero"`
	Next        []string     `json:"next"`
}

// Offer is a token with which the agent may declare that the call is meant. It is good for this very call, once.
type Offer struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Confirm sends the token of an Offer back, with the same call.
type Confirm struct {
	Token  string `json:"token"`
	Reason string `json:"reason"` // why one more is meant; at most 500 bytes
}

// Matched is the earlier effect that an answer speaks of.
type Matched struct {
	Effect    string    `json:"effect"`
	Tool      string    `json:"tool"`
	State     string    `json:"state"`
	Code      string    `json:"code,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	AgeMS     int64     `json:"age_ms"`
	Agent     string    `json:"agent,omitzero"`
	Run       string    `json:"run,omitzero"`
	Result    *Result   `json:"result,omitzero"`
}

// Difference is one argument in which a call differs from the earlier one. The values are JSON texts and may be cut.
type Difference struct {
	Argument string `json:"argument"`
	Role     string `json:"role"`
	Earlier  string `json:"earlier"`
	Now      string `json:"now"`
}
