package policy

import (
	"strings"
	"testing"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/debug"
	"pgregory.net/rapid"
)

// What the quick parser takes, CEL's own one must take for the same: its word at load is what a call relies on.
func TestQuickParserAgrees(t *testing.T) {
	tokens := []string{
		"args", "norm", "has", "exists", "map", "all", "in", "true", "null", "i", "as", "r", "b", "u", "X1", "e5", "_", "0", "1", "08", "2.5", "1.0", `"a"`, "'a'", `"é"`, `"'"`, `"//"`, " ", "\n",
		"+", "-", "*", "/", "%", "<", ">", "=", "!", "&", "|", "?", ":", ".", ",", "(", ")", "[", "]", "==", "!=", "&&", "||", "<=", ">=", "//",
		"args.x", "args.x > 5", "has(args.x)", "args.items.exists(i, i.n > 1)", "[1, 2]", "(1 + 2)", "a ? b : c", "-1", "!x", "x in y", "f(1)", "a[0]", ".a",
	}
	d := conditionDialect()
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 1, 7).Draw(t, "tokens"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		if !usualTokens.MatchString(text) {
			return
		}
		quick, errs := d.quick.Parse(common.NewTextSource(text))
		if len(errs.GetErrors()) > 0 {
			return
		}
		taken++
		parsed, issues := d.Parse(text)
		if issues.Err() != nil {
			t.Fatalf("only the quick parser takes %q: %v", text, issues.Err())
		}
		got, want := debug.ToDebugString(quick.Expr()), debug.ToDebugString(parsed.NativeRep().Expr())
		if got != want {
			t.Fatalf("%q is %s for the quick parser and %s for the other", text, got, want)
		}
	})
	if taken == 0 {
		t.Error("the quick parser took nothing")
	}
}

func TestUnusualTokensAreForTheOtherParser(t *testing.T) {
	for _, text := range []string{"0X1 == 1", "0x1 == 1", "1u == 1u", "1e5 > 2.0", `args.a == "\n"`, `args.a == """b"""`, "args.a == r'\\d'", "`a` == 1", "args.a == ''", "{'a': 1}.a == 1", "é", "args.a\x00"} {
		if usualTokens.MatchString(text) {
			t.Errorf("%q", text)
		}
	}
}
