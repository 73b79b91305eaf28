package client

// Health says how the server is.
type Health struct {
	Status   string `json:"status"` // "alive"; from /readyz "ready", "degraded", "draining" or "unavailable"
	Ledger   string `json:"ledger,omitzero"`
	Policies string `json:"policies,omitzero"` // "current", or "reload_refused": the previous policies stay in force
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
}
