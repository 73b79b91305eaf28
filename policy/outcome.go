package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// Evidence is what one attempt showed, for the outcome overrides.
type Evidence struct {
	Status int                 // HTTP status
	Header map[string][]string // of the answer
	Body   []byte              // of the answer, whole
	Args   fingerprint.Value   // of the call
}

// outcomeStates are the states that a policy can read from an answer.
var outcomeStates = []string{"done", "failed", "partial", "unknown"}

// outcome is one of done_when, failed_when, partial_when and unknown_when.
type outcome struct {
	state      string
	expression *expression
}

// maxBodyMembers bounds the values of an answer that is read as JSON; a larger one is seen as text.
const maxBodyMembers = 200_000

// Classify applies done_when, failed_when, partial_when and unknown_when: "done", "failed", "partial" or "unknown"; "" where none
// matches and the defaults of the protocol hold. An override that cannot be evaluated gives "unknown", and so do two that
// match at once: no proof either way is the only thing they prove. An answer of 2xx that a done_when does not match, and no other
// override, is "unknown" too: whoever says what done looks like has said that this is not it. why names the override, without a value of the answer.
func (r *Rule) Classify(ctx context.Context, e Evidence) (state string, why string) {
	if len(r.outcomes) == 0 {
		return "", ""
	}
	headers := make(map[string]string, len(e.Header))
	for name, values := range e.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	vars := map[string]any{"status": int64(e.Status), "headers": headers, "body": celBody(e.Body), "args": everything.of(e.Args)}
	for _, o := range r.outcomes {
		yes, err := o.expression.holds(ctx, vars)
		switch {
		case err != nil:
			return "unknown", fmt.Sprintf("The policy's %s_when at %s could not be evaluated: %s.", o.state, o.expression.source, err)
		case yes && state != "":
			return "unknown", fmt.Sprintf("The policy's %s_when and %s_when at %s both match the answer.", state, o.state, o.expression.source)
		case yes:
			state, why = o.state, fmt.Sprintf("The policy's %s_when at %s matches the answer.", o.state, o.expression.source)
		}
	}
	done := slices.IndexFunc(r.outcomes, func(o outcome) bool { return o.state == "done" })
	if state == "" && done >= 0 && e.Status >= 200 && e.Status < 300 {
		return "unknown", fmt.Sprintf("The answer is not what the policy's done_when at %s asks for.", r.outcomes[done].expression.source)
	}
	return state, why
}

// celBody gives the answer's body as JSON, or as text where it is not strictly JSON.
func celBody(body []byte) any {
	v, err := fingerprint.Decode(body, fingerprint.Limits{Bytes: len(body) + 1, Members: maxBodyMembers})
	if err != nil {
		return strings.ToValidUTF8(string(body), "\ufffd")
	}
	return celValue(v)
}
