package fingerprint

import (
	"fmt"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number of any size: ±digits × 10^exponent. It is never expanded, so that 1e999999 costs
// as little as 1. Equal numbers are equal under ==. The zero Decimal is 0.
type Decimal struct {
	digits   string // without leading and trailing zeros; "" for zero
	exponent int64
	negative bool
}

// maxExponent bounds the exponent as it is written, so that sums of exponents never overflow.
const maxExponent = 999_999_999

// maxPadding is the most zeros that String adds to avoid an exponent.
const maxPadding = 20

// ParseDecimal reads a number in JSON's grammar (RFC 8259, section 6) with up to DefaultLimits.Digits digits.
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > DefaultLimits.Digits+len("-.e-") {
		return Decimal{}, fmt.Errorf("a number of %d characters is too long, the limit is %d digits", len(s), DefaultLimits.Digits)
	}
	if !isNumber(s) {
		return Decimal{}, fmt.Errorf("%q is not a number as JSON writes it, such as -12.50 or 1e6", s)
	}
	d, ok := scanDecimal(s)
	if !ok {
		return Decimal{}, fmt.Errorf("the exponent of %q is not within ±%d", s, maxExponent)
	}
	return d, nil
}

// NewDecimal returns the number i.
func NewDecimal(i int64) Decimal {
	d, _ := scanDecimal(strconv.FormatInt(i, 10))
	return d
}

// isNumber reports whether s follows JSON's grammar of numbers.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, rest := leadingDigits(s)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	if after, found := strings.CutPrefix(rest, "."); found {
		var fraction string
		if fraction, rest = leadingDigits(after); fraction == "" {
			return false
		}
	}
	if rest == "" {
		return true
	}
	if rest[0]|0x20 != 'e' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	exponent, rest := leadingDigits(rest)
	return exponent != "" && rest == ""
}

func leadingDigits(s string) (digits, rest string) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	return s[:end], s[end:]
}

// scanDecimal reads a token that is known to follow JSON's grammar. It fails only for an exponent that is too large.
func scanDecimal(token string) (Decimal, bool) {
	s, negative := strings.CutPrefix(token, "-")
	mantissa, exponent := s, int64(0)
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		n, err := strconv.ParseInt(s[e+1:], 10, 64)
		if err != nil || n > maxExponent || n < -maxExponent {
			return Decimal{}, false
		}
		mantissa, exponent = s[:e], n
	}
	digits := mantissa
	if whole, fraction, found := strings.Cut(mantissa, "."); found {
		fraction = strings.TrimRight(fraction, "0")
		exponent -= int64(len(fraction))
		digits = whole
		if fraction != "" {
			digits = whole + fraction
		}
	}
	return newDecimal(digits, exponent, negative), true
}

// newDecimal returns ±digits × 10^exponent. digits may have zeros at both ends.
func newDecimal(digits string, exponent int64, negative bool) Decimal {
	digits = strings.TrimLeft(digits, "0")
	significant := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(significant))
	if significant == "" {
		return Decimal{}
	}
	return Decimal{digits: significant, exponent: exponent, negative: negative}
}

// String writes d as JSON in one way only: plainly where at most 20 zeros are added for it, else as d.ddde±n.
func (d Decimal) String() string { return string(d.append(nil)) }

func (d Decimal) append(dst []byte) []byte {
	if d.digits == "" {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	point := d.point()
	switch {
	case d.exponent > maxPadding || point < -maxPadding:
		dst = append(dst, d.digits[0])
		if len(d.digits) > 1 {
			dst = append(append(dst, '.'), d.digits[1:]...)
		}
		dst = append(dst, 'e')
		return strconv.AppendInt(dst, point-1, 10)
	case d.exponent >= 0:
		dst = append(dst, d.digits...)
		return appendZeros(dst, d.exponent)
	case point > 0:
		dst = append(append(dst, d.digits[:point]...), '.')
		return append(dst, d.digits[point:]...)
	default:
		dst = appendZeros(append(dst, "0."...), -point)
		return append(dst, d.digits...)
	}
}

func appendZeros(dst []byte, n int64) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

// point is the number of digits before the decimal point; it is not positive for numbers below 0.1 in size.
func (d Decimal) point() int64 { return int64(len(d.digits)) + d.exponent }

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

// Equal reports whether the numbers are the same.
func (d Decimal) Equal(other Decimal) bool { return d == other }

// Compare returns -1, 0 or 1 as d is less than, equal to or greater than other.
func (d Decimal) Compare(other Decimal) int {
	if s, o := d.Sign(), other.Sign(); s != o {
		if s < o {
			return -1
		}
		return 1
	}
	size := d.compareSize(other)
	if d.negative {
		return -size
	}
	return size
}

// compareSize compares without the signs. Both are zero or neither is.
func (d Decimal) compareSize(other Decimal) int {
	if p, q := d.point(), other.point(); p != q {
		if p < q {
			return -1
		}
		return 1
	}
	// The points are aligned and neither has trailing zeros, so that a proper prefix is the smaller number.
	return strings.Compare(d.digits, other.digits)
}

// IsInt reports whether d is a whole number.
func (d Decimal) IsInt() bool { return d.exponent >= 0 }

// Int64 returns d as an int64; false when it is not whole or does not fit.
func (d Decimal) Int64() (int64, bool) {
	if !d.IsInt() || d.point() > 19 {
		return 0, false
	}
	i, err := strconv.ParseInt(d.String(), 10, 64)
	return i, err == nil
}

// Float64 returns the nearest float64, which is ±Inf for numbers beyond its range. It is not exact: never compare by it.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// Shift returns d × 10^n.
func (d Decimal) Shift(n int) Decimal {
	if d.digits != "" {
		d.exponent += int64(n)
	}
	return d
}

// MarshalJSON writes the exact number.
func (d Decimal) MarshalJSON() ([]byte, error) { return d.append(nil), nil }
