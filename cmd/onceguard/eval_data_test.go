package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// rolesPolicy writes the roles and kinds that people gave to the arguments of the recorded tools as policies.
func rolesPolicy(t *testing.T, roles string) string {
	t.Helper()
	text, err := os.ReadFile(roles)
	if err != nil {
		t.Fatal(err)
	}
	var tools map[string]map[string]struct {
		Role string `json:"role"`
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(text, &tools); err != nil {
		t.Fatal(err)
	}
	type tool struct {
		Name      string `json:"name"`
		Arguments any    `json:"arguments"`
	}
	var list []tool
	for name, arguments := range tools {
		list = append(list, tool{name, arguments})
	}
	// A policy is YAML, and JSON is YAML.
	policies, err := json.Marshal(map[string]any{"version": 1, "tools": list})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "roles.yaml")
	if err := os.WriteFile(file, policies, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// measure is a share of the pairs of one set and some of its labels.
func (r *evalReport) measure(of func(pairRow) int, set string, labels ...string) float64 {
	part, whole := 0, 0
	for _, row := range r.Rows {
		if row.Set == set && slices.Contains(labels, row.Label) {
			part, whole = part+of(row), whole+row.Pairs
		}
	}
	return share(part, whole, 0)
}

func mergedPairs(r pairRow) int    { return r.Merged }
func heldPairs(r pairRow) int      { return r.Held }
func mergedOrHeld(r pairRow) int   { return r.Merged + r.Held }
func jsonEqualPairs(r pairRow) int { return r.JSON }

// The bars that the fingerprint has to clear on real calls of real agents, with policies and without.
func TestEvalOfRealPairs(t *testing.T) {
	data := os.Getenv("ONCEGUARD_DATA")
	if data == "" {
		t.Skip("ONCEGUARD_DATA names no folder with labelled pairs")
	}
	for _, c := range []struct {
		name       string
		policies   string
		afterError float64
		crossAgent float64 // without policies there is no bar: what was reached is kept
	}{
		{"written rules", rolesPolicy(t, filepath.Join(data, "roles.json")), 0.98, 0.90},
		{"inferred rules", "", 0.93, 0.84},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := evalOptions{policies: c.policies, worst: 5, calls: filepath.Join(data, "calls.jsonl")}
			r, err := o.eval(t.Context(), filepath.Join(data, "pairs.jsonl"), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.print(logWriter{t}); err != nil {
				t.Fatal(err)
			}
			atLeast := func(what string, got, bar float64) {
				if t.Logf("%s: %.4f, at least %.3f", what, got, bar); got < bar {
					t.Errorf("%s: %.4f is less than %.3f", what, got, bar)
				}
			}
			atMost := func(what string, got, bar float64) {
				if t.Logf("%s: %.4f, at most %.3f", what, got, bar); got > bar {
					t.Errorf("%s: %.4f is more than %.3f", what, got, bar)
				}
			}
			atLeast("repeats after a success that are merged", r.measure(mergedPairs, "inrun_after_success", "same"), 0.995)
			atLeast("retries after an error that are merged", r.measure(mergedPairs, "inrun_after_error", "same"), c.afterError)
			atLeast("calls of two agents that are merged or held",
				r.measure(mergedOrHeld, "cross_agent", "same_raw", "same_json", "same_typed", "same_but_text"), c.crossAgent)
			atMost("pairs that were merged and must not be", float64(r.MergedDifferent), 0)
			atMost("other texts of a run that are held", r.measure(heldPairs, "inrun_text", "different"), 0.15)
			atLeast("reworded and revised texts of a run that are merged or held", r.measure(mergedOrHeld, "inrun_text", "same", "revision"), 0.85)
			atMost("ordinary writes held of 1,000", r.Calls.Ordinary, 5)
			// A baseline that does as well would mean that the data were read otherwise.
			atMost("retries after an error that are equal as JSON", r.measure(jsonEqualPairs, "inrun_after_error", "same"), 0.65)
		})
	}
}

// logWriter writes to the log of a test.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(text []byte) (int, error) {
	w.t.Helper()
	w.t.Logf("%s", text)
	return len(text), nil
}
