package client

import "time"

// Health says how the server is.
type Health struct {
	Status   string `json:"status"` // "alive"; from /readyz "ready", "degraded", "draining" or "unavailable"
	Ledger   string `json:"ledger,omitzero"`
	Policies string `json:"policies,omitzero"` // "current", or "reload_refused": some of the newest, in files or ledger, are not in force
}

// Me is who a key belongs to.
type Me struct {
	Tenant     string `json:"tenant"`
	Subject    string `json:"subject"`
	Agent      string `json:"agent,omitzero"`
	Role       string `json:"role"`
	SelfReview bool   `json:"self_review,omitzero"`
}

// Policies lists the rules in force.
type Policies struct {
	UnknownTools string   `json:"unknown_tools"` // "guard", "deny" or "pass"
	Status       string   `json:"status"`        // "current" or "reload_refused"
	Policies     []Policy `json:"policies"`
	Problems     []Defect `json:"problems,omitzero"` // why newer files, or newer versions in the ledger, are not in force
}

// Defect is one thing that is wrong with a policy.
type Defect struct {
	Place   string `json:"place"`           // the file or version
	Line    int    `json:"line,omitzero"`   // counts from 1; 0 where the whole is meant
	Column  int    `json:"column,omitzero"` // in characters, from 1
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitzero"`
}

// Policy is one rule, in brief.
type Policy struct {
	Name    string            `json:"name"` // tool or glob
	Source  string            `json:"source,omitzero"`
	Digest  string            `json:"digest,omitzero"`
	Effect  string            `json:"effect,omitzero"`
	Kind    string            `json:"kind"`
	Execute string            `json:"execute"` // who runs the tool when the call does not say
	Scope   []string          `json:"scope"`
	Window  string            `json:"window"` // such as "24h0m0s"
	On      map[string]string `json:"on"`
	Version int64             `json:"version,omitzero"` // in the ledger; 0 where a file says it
	Refused bool              `json:"refused,omitzero"` // no version of it can be used, so calls of the tool are refused
}

// PolicyEdit is a version of a policy that the ledger is to keep.
type PolicyEdit struct {
	Text   string `json:"text"` // a policy file that holds this one tool
	Reason string `json:"reason"`
	Onto   int64  `json:"onto,omitzero"` // the version that its author has seen; 0 for none
}

// PolicyVersion is a version of a policy that the ledger keeps. The policy of effects that it decided ends with "@" and its number.
type PolicyVersion struct {
	Number  int64     `json:"number"`
	Tool    string    `json:"tool"`
	Text    string    `json:"text,omitzero"` // "" where the policy was deleted
	Author  string    `json:"author,omitzero"`
	Reason  string    `json:"reason,omitzero"`
	At      time.Time `json:"at"`
	Onto    int64     `json:"onto,omitzero"`
	InForce bool      `json:"in_force"`
	Digest  string    `json:"digest,omitzero"`
	Diff    string    `json:"diff,omitzero"` // unified, from the version before
}

// PolicyVersions are the versions of one policy, the latest first.
type PolicyVersions struct {
	Versions []PolicyVersion `json:"versions"`
}
