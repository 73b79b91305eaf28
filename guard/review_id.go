package guard

import "strings"

// A review is an open state of an effect and never a record of its own, so its id is made from the effect's.
const (
	effectPrefix = "ef_"
	reviewPrefix = "rv_"
)

// ReviewID is the id of the review of an effect.
func ReviewID(effect string) string { return reviewPrefix + strings.TrimPrefix(effect, effectPrefix) }

// ReviewedEffect is the id of the effect of a review; ok is false for what is no id of a review.
func ReviewedEffect(review string) (effect string, ok bool) {
	rest, ok := strings.CutPrefix(review, reviewPrefix)
	if !ok {
		return "", false
	}
	return effectPrefix + rest, true
}
