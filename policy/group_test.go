package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Two globs overlap exactly when some name is matched by both. A name as long as both patterns together is long enough.
func TestOverlap(t *testing.T) {
	var names []string
	for _, a := range []string{"", "a", "b"} {
		for _, b := range []string{"", "a", "b"} {
			for _, c := range []string{"", "a", "b"} {
				for _, d := range []string{"", "a", "b", "ab", "ba", "aa", "bb"} {
					names = append(names, a+b+c+d)
				}
			}
		}
	}
	matches := func(pattern, name string) bool { return Matcher(pattern)(name) }
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.Custom(func(t *rapid.T) string {
			s := rapid.StringOfN(rapid.SampledFrom([]rune("ab*")), 1, 3, -1).Draw(t, "pattern")
			for strings.Contains(s, "**") {
				s = strings.ReplaceAll(s, "**", "*")
			}
			return s
		})
		a, b := pattern.Draw(t, "a"), pattern.Draw(t, "b")
		want := false
		for _, name := range names {
			want = want || matches(a, name) && matches(b, name)
		}
		if got := overlap(a, b); got != want {
			t.Fatalf("%q and %q overlap: %v, want %v", a, b, got, want)
		}
	})
}

// A group may be for a part of a glob's tools when another entry has that part.
func TestGroupOfAPartThatHasAnEntry(t *testing.T) {
	set := mustParse(t, `version: 1
groups: [{apply_to: ["github__create_*"], window: 1h}]
tools: [{name: "github__*"}, {name: "github__create_*"}, {name: github__create_issue, lease: 1m}]`)
	for tool, hours := range map[string]float64{"github__create_issue": 1, "github__create_pull": 1, "github__delete": 24} {
		if got := set.Match(tool).Window.Hours(); got != hours {
			t.Errorf("%s: %v h, want %v", tool, got, hours)
		}
	}
}
