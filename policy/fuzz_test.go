package policy

import (
	"errors"
	"os"
	"testing"
)

// FuzzParse holds that any text is either a set that answers, or a list of complete problems.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"working_*", "broken/*"} {
		for _, path := range globTestdata(f, pattern) {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := Parse("p.yaml", text)
		if err == nil {
			rule := set.Match("some_tool")
			args := arguments(t, `{"amount": 5}`)
			rule.Check(t.Context(), Facts{Args: args})
			rule.Validate(args)
			if rule.Upstream != nil {
				_, _ = rule.Upstream.HTTP.Render(args, "key")
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("error %v", err)
		}
		for _, p := range problems {
			if p.File == "" || p.Message == "" {
				t.Fatalf("incomplete problem %+v", p)
			}
		}
	})
}
