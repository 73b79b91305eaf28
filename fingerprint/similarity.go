package fingerprint

import "context"

// Wording is one text of an earlier call and of a present one.
type Wording struct{ Earlier, Now string }

// Likeness tells how alike two wordings are.
type Likeness struct {
	// Score is between 0, nothing in common, and 1, the same.
	Score float64
	// Contrast says in a clause why the two are surely different whatever the score, such as "only one says 2nd"; "" where
	// nothing does. It may quote at most two words of each text.
	Contrast string
	// Empty says that one of the two has no wording to speak of: blank, "...", a placeholder.
	Empty bool
}

// Similarity compares wordings. It returns one Likeness for each pair, in order. Implementations are safe for concurrent
// use; an error means that the caller falls back to the default.
type Similarity interface {
	Compare(ctx context.Context, pairs []Wording) ([]Likeness, error)
}
