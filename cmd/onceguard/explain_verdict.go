package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// verdictReport is what the rule of a tool says of a call by itself, before any earlier effect is looked at.
type verdictReport struct {
	// Action is "allow", "hold" or "deny"; "pass" for a tool that only reads, and "refuse" for arguments that break the tool's
	// schema.
	Action     string             `json:"action"`
	Why        string             `json:"why,omitzero"`
	Rule       string             `json:"rule,omitzero"` // the condition that decided, file:line
	Violations []policy.Violation `json:"violations,omitzero"`
}

// verdict asks the rule about a call as the guard does. canonical are its arguments.
func (e explainer) verdict(ctx context.Context, call guard.Call, canonical string) (verdictReport, error) {
	rule := e.policies.Current().Match(call.Tool)
	if rule.Kind == policy.Read {
		return verdictReport{Action: "pass", Why: "The tool only reads, so its calls pass and are not recorded."}, nil
	}
	args, err := fingerprint.Decode([]byte(canonical), fingerprint.Limits{})
	if err != nil {
		return verdictReport{}, err
	}
	if broken := rule.Validate(args); len(broken) > 0 {
		return verdictReport{Action: "refuse", Why: "The arguments break the schema of this tool.", Violations: broken}, nil
	}
	if e.principal.Agent != "" {
		call.Agent = e.principal.Agent
	}
	v := rule.Check(ctx, policy.Facts{
		Tool: call.Tool, Tenant: e.principal.Tenant, Subject: e.principal.Subject, Agent: call.Agent, Run: call.Run,
		Labels: call.Labels, Args: args, Now: time.Now(),
	})
	return verdictReport{Action: string(v.Action), Why: v.Why, Rule: v.Rule}, nil
}

// verdictWords are how a verdict is read out.
var verdictWords = map[string]string{
	string(policy.ActAllow): "allowed",
	string(policy.ActHold):  "held for a person",
	string(policy.ActDeny):  "denied",
	"pass":                  "passes",
	"refuse":                "refused",
}

func (v verdictReport) write(b *strings.Builder) {
	fmt.Fprintf(b, "  by itself: %s", verdictWords[v.Action])
	switch {
	case v.Why != "" && v.Rule != "":
		fmt.Fprintf(b, ". %s (%s)", show(v.Why), v.Rule)
	case v.Why != "":
		fmt.Fprintf(b, ". %s", show(v.Why))
	case v.Action == string(policy.ActAllow):
		b.WriteString("; no condition of its policy stands in the way")
	}
	b.WriteByte('\n')
	for _, broken := range v.Violations {
		fmt.Fprintf(b, "    %s %s\n", show(broken.Argument), show(broken.Message))
	}
}
