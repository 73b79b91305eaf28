package fingerprint

import "strings"

// readNumber reads a quantity without a unit.
//
// It joins the spellings of a number, as JSON numbers or as strings that hold one (RFC 8259, section 6, and a leading
// plus): 10000, 1e4 and "10000.0". Nothing is rounded. It keeps apart strings with grouping, a decimal comma, leading
// zeros, a unit or a percent sign; those are compared exactly, as are other types.
func readNumber(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	switch v.Type() {
	case Number:
		return v.Number().append(append(dst, "number "...)), "", true
	case String:
		if d, ok := numberText(v.Text()); ok {
			return d.append(append(dst, "number "...)), "", true
		}
		return nil, "the string is not a plain number", false
	default:
		return nil, "not a number", false
	}
}

func numberText(s string) (Decimal, bool) {
	s = strings.TrimSpace(s)
	if unsigned, plus := strings.CutPrefix(s, "+"); plus && !strings.HasPrefix(unsigned, "-") {
		s = unsigned
	}
	d, err := ParseDecimal(s)
	return d, err == nil
}

// readBool reads a yes or no.
//
// It joins true with the strings true, yes and on, and false with false, no and off, in any case. It keeps apart 1 and
// 0, "y", "t" and the like, null and "", which mean different things in different places; they are compared exactly.
func readBool(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	switch v.Type() {
	case Bool:
		return append(append(dst, "bool "...), v.raw()...), "", true
	case String:
		switch strings.ToLower(strings.TrimSpace(v.Text())) {
		case "true", "yes", "on":
			return append(dst, "bool true"...), "", true
		case "false", "no", "off":
			return append(dst, "bool false"...), "", true
		}
	}
	return nil, "not clearly yes or no", false
}
