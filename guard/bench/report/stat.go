// Package report turns what was measured into medians, ratios, a table, bars that are met or missed, and a plot.
package report

import (
	"cmp"
	"math"
	"slices"
)

// Median is the middle of the values, or the mean of the two in the middle; NaN of none.
func Median[T ~int | ~int64 | ~float64](values []T) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.SortedFunc(slices.Values(values), cmp.Compare)
	n := len(s)
	return (float64(s[(n-1)/2]) + float64(s[n/2])) / 2
}

// Percentile is the least of the sorted values that at least the given part of them does not exceed (nearest rank); the zero
// value of none. part is above 0 and at most 1.
func Percentile[T any](sorted []T, part float64) (v T) {
	if len(sorted) == 0 {
		return v
	}
	rank := int(math.Ceil(part * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ratio is a to b, and NaN where b is no measure.
func Ratio(a, b float64) float64 {
	if !(b > 0) || math.IsInf(b, 0) {
		return math.NaN()
	}
	return a / b
}

// MedianRatio is the median of the ratios of what was measured together: a and b hold the repetitions in the same order. It
// follows the machine's noise less than the ratio of two medians does.
func MedianRatio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if r := Ratio(a[i], b[i]); !math.IsNaN(r) {
			ratios = append(ratios, r)
		}
	}
	return Median(ratios)
}
