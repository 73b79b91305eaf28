package client

import (
	"fmt"
	"strings"
	"time"
)

// Problem is an error of the API, in the form of RFC 9457. It means that no decision was made.
type Problem struct {
	Type     string `json:"type"` // always "about:blank": Code is what programs look at
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitzero"`
	Instance string `json:"instance,omitzero"` // the id of the request
	Code     string `json:"code"`
	Field    string `json:"field,omitzero"` // JSON pointer into the request's body, or the name of a parameter or header
	EffectID string `json:"effect_id,omitzero"`

	Effect       *Effect  `json:"effect,omitzero"` // as it stands, for conflicts
	RetryAfterMS int64    `json:"retry_after_ms,omitzero"`
	Problems     []Defect `json:"problems,omitzero"` // of a policy
	Answer       *Answer  `json:"answer,omitzero"`   // the decision, where "Prefer: handling=strict" made it a problem
}

// Error says what was wrong, where, and which request it was.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", p.Status, p.Code)
	if p.Field != "" {
		fmt.Fprintf(&b, " at %s", p.Field)
	}
	if p.Detail != "" {
		fmt.Fprintf(&b, ": %s", p.Detail)
	}
	if p.Instance != "" {
		fmt.Fprintf(&b, " (request %s)", p.Instance)
	}
	return b.String()
}

// RetryAfter is how long the server asks to wait; 0 when it does not say.
func (p *Problem) RetryAfter() time.Duration { return time.Duration(p.RetryAfterMS) * time.Millisecond }
