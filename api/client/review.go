package client

import (
	"encoding/json"
	"time"
)

// Review is one effect that waits for a person.
type Review struct {
	ID        string          `json:"id"`
	Effect    string          `json:"effect"`
	State     string          `json:"state"`
	Code      string          `json:"code"` // why a person is needed
	Reason    string          `json:"reason,omitzero"`
	Tool      string          `json:"tool"`
	About     string          `json:"about,omitzero"`   // what identifies the thing acted on
	Related   string          `json:"related,omitzero"` // the effect for which this one was held
	Subject   string          `json:"subject"`
	Agent     string          `json:"agent,omitzero"`
	Run       string          `json:"run,omitzero"`
	Arguments json.RawMessage `json:"arguments"`
	Digest    string          `json:"digest"` // SHA-256 of the recorded argument text, hexadecimal
	Fence     int64           `json:"fence"`
	// Choices lists what may be decided: "approve", "same" and "reject" by Decide, the others by Resolve.
	Choices []string `json:"choices"`
	// People is how many different people have to make a choice after which something is sent; ApprovedBy is who has chosen "approve" or
	// "send_again" so far, DidNotHappenBy who has chosen "did_not_happen". Only of a single review.
	People         int       `json:"people,omitzero"`
	ApprovedBy     []string  `json:"approved_by,omitempty"`
	DidNotHappenBy []string  `json:"did_not_happen_by,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	AgeMS          int64     `json:"age_ms"` // since the effect last changed
	ExpiresAt      time.Time `json:"expires_at,omitzero"`
}

// Queue is one page of reviews, newest first.
type Queue struct {
	Reviews []Review `json:"reviews"`
	Next    string   `json:"next,omitzero"`
}

// Verdict is a person's decision on a held effect, bound to what was shown.
type Verdict struct {
	Decision string `json:"decision"` // "approve", "same" or "reject"
	Fence    int64  `json:"fence"`
	Digest   string `json:"digest,omitzero"` // needed for "approve"
	Reason   string `json:"reason"`
	// Arguments, for "approve", are sent instead of those that were shown; the agent's own call is answered by it.
	Arguments json.RawMessage `json:"arguments,omitzero"`
}
