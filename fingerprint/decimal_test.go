package fingerprint

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func decimal(t testing.TB, s string) Decimal {
	t.Helper()
	d, err := ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecimalString(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00e7": "0", "0e999999999": "0", "1": "1", "1.0": "1", "1e0": "1", "10E-1": "1",
		"-12.50": "-12.5", "0.001": "0.001", "1e3": "1000", "120e-1": "12", "100": "100",
		"9007199254740992": "9007199254740992", "9007199254740993": "9007199254740993",
		"1e20": "100000000000000000000", "1e21": "1e21", "1e-21": "0.000000000000000000001", "1e-22": "1e-22",
		"123e-30": "1.23e-28", "-1.5e999999": "-1.5e999999", "1e+5": "100000",
	} {
		if got := decimal(t, in).String(); got != want {
			t.Errorf("%s is written %s, want %s", in, got, want)
		}
	}
	for _, bad := range []string{
		"", "-", "+1", "01", ".5", "5.", "1e", "1e+", "0x1", "1_0", " 1", "1 ", "NaN", "١", "1e1000000000", "--1",
		strings.Repeat("1", 2000),
	} {
		if d, err := ParseDecimal(bad); err == nil {
			t.Errorf("ParseDecimal(%.20q) = %s", bad, d)
		}
	}
}

func TestDecimalConversions(t *testing.T) {
	for _, c := range []struct {
		in    string
		whole int64
		ok    bool
	}{
		{"7.0", 7, true}, {"-9223372036854775808", math.MinInt64, true}, {"9223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", 0, false}, {"7.5", 0, false}, {"1e999999", 0, false}, {"5e2", 500, true},
	} {
		if got, ok := decimal(t, c.in).Int64(); ok != c.ok || ok && got != c.whole {
			t.Errorf("Int64(%s) = %d, %v", c.in, got, ok)
		}
	}
	if f := decimal(t, "-1e999999").Float64(); !math.IsInf(f, -1) {
		t.Errorf("Float64 = %v", f)
	}
	if f := decimal(t, "0.1").Float64(); f != 0.1 {
		t.Errorf("Float64 = %v", f)
	}
	if got := decimal(t, "2550").Shift(-2).String(); got != "25.5" {
		t.Errorf("Shift = %s", got)
	}
	if got := (Decimal{}).Shift(5); got != (Decimal{}) {
		t.Errorf("0 shifted is %s", got)
	}
	if got := NewDecimal(math.MinInt64).String(); got != "-9223372036854775808" {
		t.Errorf("NewDecimal = %s", got)
	}
}

// decimals generates numbers with small exponents, many of them equal or close to each other.
func decimals() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?`).Draw(t, "mantissa")
		if rapid.Bool().Draw(t, "has exponent") {
			s += fmt.Sprintf("e%+d", rapid.IntRange(-40, 40).Draw(t, "exponent"))
		}
		return s
	})
}

func rational(t interface{ Fatalf(string, ...any) }, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("big.Rat cannot read %s", s)
	}
	return r
}

func TestDecimalAgreesWithRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := decimals().Draw(t, "a")
		b := rapid.OneOf(decimals(), rapid.Just(a), rapid.Just(a+"0")).Draw(t, "b")
		if !isNumber(b) {
			b = a
		}
		x, errX := ParseDecimal(a)
		y, errY := ParseDecimal(b)
		if errX != nil || errY != nil {
			t.Fatalf("%v, %v", errX, errY)
		}
		want := rational(t, a).Cmp(rational(t, b))
		if x.Compare(y) != want || x.Equal(y) != (want == 0) || (x.String() == y.String()) != (want == 0) {
			t.Fatalf("%s against %s: Compare %d, Equal %v, big.Rat %d", a, b, x.Compare(y), x.Equal(y), want)
		}
		if rational(t, x.String()).Cmp(rational(t, a)) != 0 || !isNumber(x.String()) {
			t.Fatalf("%s is written as another number, %s", a, x)
		}
		if x.IsInt() != rational(t, a).IsInt() || x.Sign() != rational(t, a).Sign() {
			t.Fatalf("%s: IsInt %v, Sign %d", a, x.IsInt(), x.Sign())
		}
	})
}

func TestHugeExponentCostsNothing(t *testing.T) {
	allocs := testing.AllocsPerRun(100, func() {
		a, b := decimal(t, "1e999999"), decimal(t, "1e999998")
		if a.Compare(b) != 1 || len(a.String()) > 10 {
			t.Fatal("wrong order")
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations", allocs)
	}
}
