package main

import (
	"errors"
	"strings"
	"testing"
)

func TestParseConfigFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want, problem string }{
		{name: "empty", text: ""},
		{name: "a comment", text: "# nothing yet\n"},
		{name: "null", text: "~\n"},
		{name: "one", text: "addr: localhost:1\n", want: "addr=localhost:1@f:1:1"},
		{name: "kinds", text: "wait: 5s\nflights: 7\ndev: true\noidc_name: ''\n", want: "wait=5s@f:1:1 flights=7@f:2:1 dev=true@f:3:1 oidc_name=@f:4:1"},
		{name: "quoted key", text: "\"addr\": \"x\"\n", want: "addr=x@f:1:1"},
		{name: "a list", text: "wait: [1]\n", problem: "f:1:1: wait needs one plain value"},
		{name: "a mapping", text: "wait: {a: 1}\n", problem: "f:1:1: wait needs one plain value"},
		{name: "no value", text: "wait:\n", problem: "f:1:1: wait needs one plain value"},
		{name: "an alias", text: "wait: &a 5s\nsweep: *a\n", problem: "f:1:1: wait needs one plain value\nf:2:1: sweep needs one plain value"},
		{name: "a number as a key", text: "7: x\n", problem: "f:1:1: the name of a setting is a plain word"},
		{name: "twice", text: "wait: 1s\nwait: 2s\n", problem: "f:2:1: not valid YAML: "},
		{name: "two documents", text: "wait: 1s\n---\nsweep: 2s\n", problem: "f:3:"},
		{name: "a word", text: "hello\n", problem: "f:1:1: write one setting a line"},
		{name: "no YAML", text: "a: [\n", problem: "not valid YAML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			entries, err := parseConfigFile("f", []byte(c.text))
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Fatalf("error %v, want one with %q", err, c.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, e.key+"="+e.value+"@"+e.place)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}

// FuzzParseConfigFile looks for texts that end the program instead of being refused.
func FuzzParseConfigFile(f *testing.F) {
	for _, text := range []string{"addr: x\n", "a: &b [1, *b]\n", "? [a]\n: b\n", "%YAML 1.2\n---\n- |\n  x\n", "<<: 1\n", "\xff", "!!binary a: b"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parseConfigFile("f", text)
		if err != nil && !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("the error does not name the file: %v", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.place, "f:") {
				t.Errorf("the entry %q has the place %q", e.key, e.place)
			}
		}
	})
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	names := []string{"addr", "data", "policies", "wait"}
	for word, want := range map[string]string{
		"adr":       `; did you mean "addr"?`,
		"polices":   `; did you mean "policies"?`,
		"something": "; there are addr, data, policies, wait",
		"":          "; there are addr, data, policies, wait",
	} {
		if got := didYouMean(word, names); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("x"), exitFailure},
		{errReported, exitFailure},
		{usageError{errors.New("x")}, exitUsage},
		{errors.Join(errors.New("x"), usageError{errors.New("y")}), exitUsage},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}
