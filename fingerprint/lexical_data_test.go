package fingerprint

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// realPair is one line of pairs.jsonl: two calls of a tool, or two wordings of one of its texts.
type realPair struct {
	Set, Label, Tool, A, B string
	AText                  *string `json:"a_text"`
	BText                  *string `json:"b_text"`
}

// tally counts the pairs of a set and label: those that are merged or held, and all.
type tally map[string][2]float64

func (t tally) enter(name string, found bool) {
	n := t[name]
	if found {
		n[0]++
	}
	n[1]++
	t[name] = n
}

// share is the part of the pairs of some sets and labels that was found.
func (t tally) share(names ...string) float64 {
	found, all := 0.0, 0.0
	for _, name := range names {
		found, all = found+t[name][0], all+t[name][1]
	}
	return found / all
}

// TestLexicalOnRealTexts holds the likeness to what it reaches on calls of real agents at the recommended thresholds, with all
// tools and with each left out. The data are not part of the project.
func TestLexicalOnRealTexts(t *testing.T) {
	folder := os.Getenv("ONCEGUARD_DATA")
	if folder == "" {
		t.Skip("ONCEGUARD_DATA names no folder with pairs.jsonl and roles.json")
	}
	all, without := tally{}, map[string]tally{}
	specs, pairs := realSpecs(t, folder), realPairs(t, folder)
	for _, p := range pairs {
		without[p.Tool] = tally{}
	}
	lexical, maker := NewLexical(nil), newMaker(t)
	for _, p := range pairs {
		found := p.found(t, specs[p.Tool], maker, lexical)
		all.enter(p.Set+" "+p.Label, found)
		for tool, w := range without {
			if tool != p.Tool {
				w.enter(p.Set+" "+p.Label, found)
			}
		}
	}
	same := []string{"cross_agent same_raw", "cross_agent same_json", "cross_agent same_typed", "cross_agent same_but_text"}
	check := func(of string, counted tally) {
		if held := counted.share("inrun_text different"); !(held <= 0.15) {
			t.Errorf("%s: %.3f of the different texts of one run are held", of, held)
		}
		if recall := counted.share("inrun_text same", "inrun_text revision"); !(recall >= 0.85) {
			t.Errorf("%s: only %.3f of the rewordings in one run are held", of, recall)
		}
		if recall := counted.share(same...); !(recall >= 0.90) {
			t.Errorf("%s: only %.3f of the same effects of two agents are merged or held", of, recall)
		}
		if held := counted.share("cross_text different"); !(held <= 0.10) {
			t.Errorf("%s: %.3f of the texts of different orders are held", of, held)
		}
	}
	check("all", all)
	for tool, counted := range without {
		check("without "+tool, counted)
	}
	for name, n := range all {
		t.Logf("%-36s %4.0f of %4.0f merged or held", name, n[0], n[1])
	}
}

// found reports whether a pair is merged or held.
func (p realPair) found(t *testing.T, s *Spec, m *Maker, l *Lexical) bool {
	if p.AText != nil {
		s = newSpec(t, Argument{Name: "text", Kind: Kind{"text"}})
		p.A, p.B = `{"text":`+quote(*p.AText)+`}`, `{"text":`+quote(*p.BText)+`}`
	}
	a, err := Decode([]byte(p.A), Limits{})
	if err != nil {
		return p.A == p.B
	}
	b, err := Decode([]byte(p.B), Limits{})
	if err != nil {
		return false
	}
	x, y := m.Sum(s, Input{}, a), m.Sum(s, Input{}, b)
	if x.Key == y.Key || x.Near.IsZero() || x.Near != y.Near {
		return x.Key == y.Key
	}
	n, err := Judge(context.Background(), l, s.Texts(a), s.Texts(b), DefaultNear, DefaultSame)
	if err != nil {
		t.Fatal(err)
	}
	return n.Verdict != Different
}

func realPairs(t *testing.T, folder string) (pairs []realPair) {
	f, err := os.Open(filepath.Join(folder, "pairs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var p realPair
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return pairs
}

// realSpecs reads roles.json: the role and kind of each argument of a tool.
func realSpecs(t *testing.T, folder string) map[string]*Spec {
	text, err := os.ReadFile(filepath.Join(folder, "roles.json"))
	if err != nil {
		t.Fatal(err)
	}
	var roles map[string]map[string]Argument
	if err := json.Unmarshal(text, &roles); err != nil {
		t.Fatal(err)
	}
	specs := map[string]*Spec{}
	for tool, arguments := range roles {
		var list []Argument
		for name, a := range arguments {
			a.Name = name
			list = append(list, a)
		}
		specs[tool] = newSpec(t, list...)
	}
	return specs
}
