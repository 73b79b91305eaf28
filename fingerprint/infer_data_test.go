package fingerprint

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInferenceOnRealPairs holds what inference alone reaches on recorded calls of real agents: retries after an error are
// found, and nothing that people labelled different is merged. The data are not part of the project.
func TestInferenceOnRealPairs(t *testing.T) {
	folder := os.Getenv("ONCEGUARD_DATA")
	if folder == "" {
		t.Skip("ONCEGUARD_DATA names no folder with pairs.jsonl")
	}
	f, err := os.Open(filepath.Join(folder, "pairs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	maker, err := NewMaker([]byte(strings.Repeat("k", MinKey)))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := NewInferringSpec(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := func(tool, arguments string) (Sum, bool) {
		v, err := Decode([]byte(arguments), Limits{})
		return maker.Sum(spec, Input{Tenant: "t", Effect: tool}, v), err == nil
	}
	pairs, merged, near := map[string]int{}, map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var p struct{ Set, Label, Tool, A, B, AText, BText string }
		var raw map[string]string
		if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
			t.Fatal(err)
		}
		p.Set, p.Label, p.Tool, p.A, p.B = raw["set"], raw["label"], raw["tool"], raw["a"], raw["b"]
		if p.A == "" {
			// Two wordings of one text argument.
			a, _ := json.Marshal(map[string]string{"message": raw["a_text"]})
			b, _ := json.Marshal(map[string]string{"message": raw["b_text"]})
			p.A, p.B = string(a), string(b)
		}
		name := p.Set + "/" + p.Label
		pairs[name]++
		a, aOK := key(p.Tool, p.A)
		b, bOK := key(p.Tool, p.B)
		switch {
		case aOK && bOK && a.Key == b.Key:
			merged[name]++
			if p.Label == "different" {
				t.Errorf("merged though different: %s %s | %s", p.Tool, shorten(p.A), shorten(p.B))
			}
		case a.Near == b.Near && !a.Near.IsZero():
			near[name]++
		case os.Getenv("ONCEGUARD_SHOW") == p.Set:
			t.Logf("%s %s\n  %s\n  %s", p.Label, p.Tool, p.A, p.B)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for name, n := range pairs {
		t.Logf("%-40s %5d pairs  %.3f merged  %.3f equal but for wording", name, n, float64(merged[name])/float64(n), float64(near[name])/float64(n))
	}
	for name, least := range map[string]float64{"inrun_after_error/same": 0.93, "inrun_after_success/same": 0.995} {
		if share := float64(merged[name]) / float64(pairs[name]); share < least {
			t.Errorf("%s: %.3f merged, at least %.3f wanted", name, share, least)
		}
	}
}
