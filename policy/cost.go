package policy

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
)

const (
	// costLimit bounds the work of one expression, in CEL's own units: some 10 ms.
	costLimit = 100_000
	// largestValue is far above the bytes and items of any value that a call or an answer can hold.
	largestValue = 64 << 20
)

// isCheap reports whether an expression stays below the cost limit whatever it looks at, so that its cost need not be
// counted while it is evaluated.
func isCheap(env *cel.Env, checked *cel.Ast) bool {
	worst, err := env.EstimateCost(checked, anySize{})
	return err == nil && worst.Max <= costLimit
}

// anySize estimates the values of a call: they can be of any size.
type anySize struct{}

// EstimateSize bounds the size of a value.
func (anySize) EstimateSize(cost.AstNode) *cost.SizeEstimate {
	return &cost.SizeEstimate{Max: largestValue}
}

// EstimateCallCost leaves the cost of each function to CEL.
func (anySize) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
