package report

import (
	"math"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{1, 1, 1, 1000}, 1},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("the median of %v is %v and not %v", c.values, got, c.want)
		}
	}
	if !math.IsNaN(Median([]float64{})) {
		t.Error("nothing has a median")
	}
	values := []time.Duration{3, 1, 2}
	if Median(values) != 2 || values[0] != 3 {
		t.Error("Median changes what it is given")
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, c := range []struct {
		sorted []int
		part   float64
		want   int
	}{
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 0.991, 100}, {hundred, 1, 100}, {hundred, 0.001, 1},
		{[]int{7}, 0.5, 7}, {[]int{7}, 0.99, 7}, {[]int{1, 2}, 0.5, 1}, {[]int{1, 2}, 0.51, 2}, {nil, 0.5, 0},
	} {
		if got := Percentile(c.sorted, c.part); got != c.want {
			t.Errorf("%v of %d values is %d and not %d", c.part, len(c.sorted), got, c.want)
		}
	}
}

func TestRatios(t *testing.T) {
	if Ratio(6, 3) != 2 || !math.IsNaN(Ratio(1, 0)) || !math.IsNaN(Ratio(1, math.NaN())) || !math.IsNaN(Ratio(1, math.Inf(1))) {
		t.Error("a ratio to no measure is not a number")
	}
	// The machine was slow in the second repetition, for both alike.
	if got := MedianRatio([]float64{100, 10, 120}, []float64{50, 5, 60}); got != 2 {
		t.Errorf("the ratio is %v", got)
	}
	if got := MedianRatio([]float64{8, 9}, []float64{4}); got != 2 {
		t.Errorf("of repetitions without a partner: %v", got)
	}
	if !math.IsNaN(MedianRatio(nil, []float64{1})) {
		t.Error("nothing has no ratio")
	}
}
