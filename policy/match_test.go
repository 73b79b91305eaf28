package policy

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func setOf(t testing.TB, names ...string) *Set {
	t.Helper()
	var b strings.Builder
	b.WriteString("version: 1\ntools:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  - name: %q\n", name)
	}
	return mustParse(t, b.String())
}

func TestPrecedence(t *testing.T) {
	set := setOf(t, "*", "git*", "github__*", "*__delete_*", "github__*_issue", "github__delete_issue", "xy*cd", "x*bcd", "p*r*", "p*q*", "a*c", "a*b*c", "*a*a*")
	for tool, want := range map[string]string{
		"github__delete_issue": "github__delete_issue", // exact
		"github__create_issue": "github__*_issue",      // most literal characters
		"github__delete_repo":  "*__delete_*",          // 10 against 8
		"xybcd":                "xy*cd",                // 4 each: the longer prefix
		"pqr":                  "p*q*",                 // the same prefix: by name
		"gitlab":               "git*",
		"slack__delete_all":    "*__delete_*",
		"anything":             "*",
		"":                     "*",
		"abc":                  "a*b*c",
		"ac":                   "a*c",
		"xaxax":                "*a*a*",
		"GITHUB__DELETE_ISSUE": "*", // names are compared byte by byte
	} {
		for range 2 { // the second from the cache
			if got := set.Match(tool); got.Pattern != want || got.Effect != tool {
				t.Errorf("%q has the rule %q with effect %q, want %q", tool, got.Pattern, got.Effect, want)
			}
		}
	}
	if rule := setOf(t, "a*").Match("b"); !rule.Unknown || rule.Pattern != "" {
		t.Errorf("got %+v", rule)
	}
}

func TestGlobWithAnEffectKeepsIt(t *testing.T) {
	set := mustParse(t, "version: 1\ntools: [{name: \"*_refund\", effect: refund}]")
	if got := set.Match("pay_refund"); got.Effect != "refund" {
		t.Errorf("effect %q", got.Effect)
	}
}

// The index, the cache and a plain search over all globs agree for any names.
func TestMatchAgreesWithAPlainSearch(t *testing.T) {
	letters := []rune("ab*")
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.SampledFrom(letters), 1, 6, -1), 0, 12, rapid.ID[string]).Draw(t, "patterns")
		var rules []*Rule
		for _, p := range patterns {
			rules = append(rules, &Rule{Pattern: p, Arguments: emptySpec()})
		}
		set := newSet(rules, Empty().unknown, unknownGuard, nil)
		name := rapid.StringOfN(rapid.SampledFrom([]rune("ab")), 0, 8, -1).Draw(t, "name")
		want := plainMatch(patterns, name)
		if got := set.Match(name).Pattern; got != want {
			t.Fatalf("%q of %q: %q, want %q", name, patterns, got, want)
		}
		if got := set.Match(name).Pattern; got != want {
			t.Fatalf("from the cache: %q of %q: %q, want %q", name, patterns, got, want)
		}
	})
}

// plainMatch is the documented order, written without regard to speed.
func plainMatch(patterns []string, name string) string {
	best := ""
	literals := func(p string) int { return len(p) - strings.Count(p, "*") }
	for _, p := range patterns {
		if p == name {
			return p
		}
		if !strings.Contains(p, "*") || !fits(p, name) {
			continue
		}
		prefix, bestPrefix := strings.Index(p, "*"), strings.Index(best, "*")
		switch {
		case best == "", literals(p) > literals(best),
			literals(p) == literals(best) && prefix > bestPrefix,
			literals(p) == literals(best) && prefix == bestPrefix && p < best:
			best = p
		}
	}
	return best
}

func fits(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	if pattern[0] == '*' {
		return fits(pattern[1:], name) || name != "" && fits(pattern, name[1:])
	}
	return name != "" && name[0] == pattern[0] && fits(pattern[1:], name[1:])
}

func TestCacheIsBounded(t *testing.T) {
	set := setOf(t, "a*")
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range 3 * maxCached {
				name := fmt.Sprintf("a%d-%d", w, i)
				if rule := set.Match(name); rule.Effect != name {
					t.Errorf("%s has effect %s", name, rule.Effect)
				}
			}
		})
	}
	group.Wait()
	entries := 0
	set.cache.present.Load().rules.Range(func(any, any) bool { entries++; return true })
	// Those that raced past the bound may be a few.
	if entries > maxCached+4 {
		t.Errorf("%d entries", entries)
	}
	long := strings.Repeat("a", maxCachedName+1)
	set.Match(long)
	if _, ok := set.cache.get(long); ok {
		t.Error("a long name is kept")
	}
}
