package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/policy"
)

// redirected gives the policies with the simulated upstream in place of the real ones. All else stays as it is written,
// except that tools which no policy names and no recorded call writes with are reads.
func (r *rehearsal) redirected(upstream *simulation) (*policy.Set, error) {
	rules := map[string]policy.Rule{}
	for number, tool := range r.survey.toolNames() {
		target, err := simulatedUpstream(upstream.address(number))
		if err != nil {
			return nil, err
		}
		rule := *r.rules.Match(tool)
		if rule.Unknown && !r.survey.tools[tool] && r.rules.UnknownTools() == "guard" {
			rule.Kind = policy.Read
		}
		upstream.honours[tool] = rule.Idempotent && !r.forget
		rule.Upstream = target
		// Each recorded run had a world of its own: an equal call in another one says nothing.
		rule.On.OtherScope = policy.Allow
		rules[tool] = rule
	}
	return r.rules.With(rules), nil
}

// simulatedUpstream is the upstream of a rule that sends to address and shows its idempotency keys.
func simulatedUpstream(address string) (*policy.Upstream, error) {
	set, err := policy.Parse("replay", fmt.Appendf(nil, `version: 1
tools:
  - name: simulated
    upstream:
      http: {url: %q, network: private, idempotency_header: Idempotency-Key}
`, address))
	if err != nil {
		return nil, err
	}
	return set.Match("simulated").Upstream, nil
}

// compareSpecs makes sure that a running guard tells the arguments of the recorded tools apart as the policies on the command line
// do. Without policies there is nothing to compare.
func (r *rehearsal) compareSpecs(ctx context.Context, c *client.Client) error {
	if r.policies == "" {
		return nil
	}
	var other []string
	for _, tool := range r.survey.toolNames() {
		f, err := c.Fingerprint(ctx, client.Question{Tool: tool, Arguments: json.RawMessage("{}"), Run: r.runPrefix + "check"})
		if err != nil {
			return fmt.Errorf("asking the guard at %s about the tool %q: %w", r.url, tool, err)
		}
		if f.Spec != r.rules.Match(tool).Arguments.Digest() {
			other = append(other, tool)
		}
	}
	if len(other) == 0 {
		return nil
	}
	return fmt.Errorf("the guard at %s compares the arguments of %s otherwise than %s says (the first: %s): give it these policies, or leave out --policies",
		r.url, plural(len(other), "tool"), r.policies, strings.Join(other[:min(3, len(other))], ", "))
}
