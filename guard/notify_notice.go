package guard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// The bounds of the arguments in one notice, in bytes of JSON. Standard Webhooks advises against messages over 20 KB.
const (
	maxToldValue = 2 << 10
	maxToldAll   = 12 << 10
)

// id identifies the notice to its receiver. Effects have ids that nobody else's have, so it needs no more. It is a digest because the
// name of an endpoint may hold a full stop, which separates the parts that are signed.
func (k *noticeKey) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s", k.effect, k.fence, k.code, k.endpoint))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// notice is what an endpoint is told of an effect under review.
func (g *Guard) notice(k *noticeKey, e *Effect, events []Event, rule *policy.Rule, to *policy.Endpoint) Notice {
	n := Notice{
		ID: k.id(), At: openedAt(e, events), Review: ReviewID(e.ID), Effect: e.ID, Tenant: e.Tenant, Tool: e.Tool,
		State: e.State, Code: e.Review, Why: whyReviewed(e, rule), Until: e.ExpiresAt, Arguments: toldArguments(e, rule, to.Arguments),
	}
	if g.reviewURL != "" {
		n.URL = g.reviewURL + n.Review
	}
	return n
}

// whyReviewed says why a person is needed. Of the recorded reason only what the policy itself says is told: the rest of it can
// be an agent's words.
func whyReviewed(e *Effect, rule *policy.Rule) string {
	switch e.Review {
	case CodeHeld:
		return withReason("A rule of the policy wants a person to decide on this call.", rule.OwnWords(e.Reason))
	case CodeOverLimit:
		return withReason("A limit of the policy has no room for this call.", rule.OwnWords(e.Reason))
	case CodeNear:
		return "A call that differs from this one in wording at most is on record."
	case CodeOtherScope:
		return "An equal call in another run is on record."
	case CodeSameIdentity:
		return "Another effect on the same thing is on record."
	case CodeUnknown:
		return "The call was sent, and whether it was carried out is not known."
	case CodeLapsed:
		return "The call was given to its tool and no outcome was reported in time, so whether it was carried out is not known."
	case CodeExpired:
		return "An order to send the call again was not carried out in time, and whether the first send was is still not known."
	case CodePartial:
		return "The call was carried out only in part."
	case CodeContradiction:
		return "Evidence came that speaks against what is recorded of this call."
	}
	return "A person has to decide on this call."
}

// toldArguments are the values that an endpoint may know, in the order of its paths. What the policy of the tool conceals is left out,
// and so is whatever holds or lies within something concealed.
func toldArguments(e *Effect, rule *policy.Rule, paths []string) []ToldArgument {
	if len(paths) == 0 {
		return nil
	}
	args, err := decodeArguments(e.Arguments)
	if err != nil {
		return nil // pruned, or not to be read: nothing can be told
	}
	hidden := steps(slices.Concat(rule.Seal, rule.Redact))
	var told []ToldArgument
	size := 0
	for i, path := range steps(paths) {
		if slices.ContainsFunc(hidden, func(h []string) bool { return overlap(h, path) }) {
			continue
		}
		value := valueAt(args, path)
		if value == nil {
			continue
		}
		if len(value) > maxToldValue || size+len(value) > maxToldAll {
			value = fmt.Appendf(nil, `"[%d bytes, too many for a message]"`, len(value))
		}
		size += len(value)
		told = append(told, ToldArgument{Path: paths[i], Value: value})
	}
	return told
}

// overlap reports whether one of two paths leads to or through what the other leads to.
func overlap(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] && a[i] != "*" && b[i] != "*" {
			return false
		}
	}
	return true
}

// valueAt is the JSON of what a path leads to; nil for nothing.
func valueAt(v fingerprint.Value, path []string) json.RawMessage {
	if !slices.Contains(path, "*") {
		for _, step := range path {
			var ok bool
			if v, ok = v.Get(step); !ok {
				return nil
			}
		}
		return slices.Clone(json.RawMessage(v.Raw()))
	}
	var all []string
	collect(v, path, &all)
	if all == nil {
		return nil
	}
	return json.RawMessage("[" + strings.Join(all, ",") + "]")
}

// collect adds the JSON of everything that a path leads to.
func collect(v fingerprint.Value, path []string, all *[]string) {
	switch {
	case len(path) == 0:
		*all = append(*all, string(v.Raw()))
	case path[0] != "*":
		if next, ok := v.Get(path[0]); ok {
			collect(next, path[1:], all)
		}
	case v.Type() == fingerprint.Array:
		for i := range v.Len() {
			collect(v.Elem(i), path[1:], all)
		}
	case v.Type() == fingerprint.Object:
		for i := range v.Len() {
			_, member := v.Member(i)
			collect(member, path[1:], all)
		}
	}
}
