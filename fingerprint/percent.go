package fingerprint

import "strings"

// readPercent reads a share in percent points.
//
// It joins the spellings of the points: 5, 5.0, "5", "5%", "5 %", "5 percent" and "5 per cent" (the space is that of ISO
// 80000-1), and a decimal comma before one or two digits. A bare number is percent points as it is written, so that 0.05 is
// never 5 %: a rule for a tool that wants a ratio declares a number instead.
//
// It keeps apart every two different numbers, since nothing is rounded. Compared exactly are per mille, "percentage
// points" and "pp", which can say by how much a share changes, grouped digits, and other types.
func readPercent(dst []byte, in call, v Value) (form []byte, note string, ok bool) {
	switch v.Type() {
	case Number:
		return v.Number().append(append(dst, "percent "...)), "", true
	case String:
		if d, ok := numberText(withPoint(cutPercent(v.Text()))); ok {
			return d.append(append(dst, "percent "...)), "", true
		}
		return nil, "the string is not a percentage", false
	default:
		return nil, "not a percentage", false
	}
}

func cutPercent(s string) string {
	s = strings.TrimSpace(s)
	for _, mark := range []string{"%", "percent", "per cent"} {
		if start := len(s) - len(mark); start > 0 && strings.EqualFold(s[start:], mark) {
			return s[:start]
		}
	}
	return s
}

// withPoint writes a decimal comma as a point where it cannot be grouping.
func withPoint(s string) string {
	s = strings.TrimSpace(s)
	whole, fraction, found := strings.Cut(s, ",")
	if !found || len(fraction) < 1 || len(fraction) > 2 || strings.Trim(fraction, "0123456789") != "" {
		return s
	}
	return whole + "." + fraction
}
