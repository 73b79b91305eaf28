package main

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// didYouMean ends a complaint about a word: with the nearest of the names, or with all of them.
func didYouMean(word string, names []string) string {
	const farthest = 3
	best, distance := "", farthest+1
	for _, name := range names {
		if d := levenshtein.ComputeDistance(word, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; there are " + strings.Join(names, ", ")
}
