package fingerprint

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the results of this program into testdata/vectors.json")

const vectorsFile = "testdata/vectors.json"

// vectors is testdata/vectors.json; testdata/README.md explains it.
type vectors struct {
	Algorithm string            `json:"algorithm"`
	Key       string            `json:"key"`
	Canonical []canonicalVector `json:"canonical"`
	Refused   []refusedVector   `json:"refused"`
	Sums      []sumVector       `json:"sums"`
	Marks     []markVector      `json:"marks"`
	Pairs     []pairVector      `json:"pairs"`
}

type canonicalVector struct {
	Text      string `json:"text"`
	Canonical string `json:"canonical"`
}

type refusedVector struct {
	Hex  string     `json:"hex"`
	Code DecodeCode `json:"code"`
}

type sumVector struct {
	Name       string              `json:"name"`
	Spec       []argumentVector    `json:"spec"`
	Tenant     string              `json:"tenant"`
	Effect     string              `json:"effect"`
	Scope      [][2]string         `json:"scope"`
	Occurrence string              `json:"occurrence"`
	Arguments  string              `json:"arguments"`
	Terms      []map[string]string `json:"terms"`
	SpecDigest string              `json:"spec_digest"`
	Key        Digest              `json:"key"`
	Identity   Digest              `json:"identity"`
	Near       Digest              `json:"near"`
}

type argumentVector struct {
	Name         string              `json:"name,omitempty"`
	As           string              `json:"as,omitempty"`
	Role         Role                `json:"role,omitempty"`
	Kind         Kind                `json:"kind"`
	Currency     string              `json:"currency,omitempty"`
	Minor        bool                `json:"minor,omitempty"`
	Aliases      map[string][]string `json:"aliases,omitempty"`
	Zone         string              `json:"zone,omitempty"`
	Round        string              `json:"round,omitempty"`
	Region       string              `json:"region,omitempty"`
	Providers    []string            `json:"providers,omitempty"`
	Fields       []argumentVector    `json:"fields,omitempty"`
	Default      json.RawMessage     `json:"default,omitempty"`
	NullIsAbsent bool                `json:"null_is_absent,omitempty"`
}

func (a argumentVector) argument() Argument {
	var fields []Argument
	for _, f := range a.Fields {
		fields = append(fields, f.argument())
	}
	return Argument{Name: a.Name, As: a.As, Role: a.Role, Kind: a.Kind, Currency: a.Currency, Minor: a.Minor, Aliases: a.Aliases,
		Zone: a.Zone, Round: a.Round, Region: a.Region, Providers: a.Providers, Fields: fields, Default: a.Default, NullIsAbsent: a.NullIsAbsent}
}

type markVector struct {
	Purpose string   `json:"purpose"`
	Parts   []string `json:"parts"`
	Digest  Digest   `json:"digest"`
}

// pairVector holds two values of one argument; same is written by hand and never updated.
type pairVector struct {
	argumentVector
	A       string `json:"a"`
	B       string `json:"b"`
	Same    bool   `json:"same"`
	ANormal string `json:"a_normal"`
	BNormal string `json:"b_normal"`
}

func TestVectors(t *testing.T) {
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want vectors
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if len(want.Canonical) == 0 || len(want.Refused) == 0 || len(want.Sums) == 0 || len(want.Marks) == 0 || len(want.Pairs) == 0 {
		t.Fatal("a list of vectors is empty")
	}
	got := replay(t, want)
	if *update {
		write(t, got)
		return
	}
	report(t, want.Canonical, got.Canonical)
	report(t, want.Refused, got.Refused)
	report(t, want.Sums, got.Sums)
	report(t, want.Marks, got.Marks)
	report(t, want.Pairs, got.Pairs)
}

func report[V any](t *testing.T, want, got []V) {
	t.Helper()
	for i := range want {
		if !reflect.DeepEqual(want[i], got[i]) {
			t.Errorf("%T %d:\n got %+v\nwant %+v", want[i], i, got[i], want[i])
		}
	}
}

func write(t *testing.T, v vectors) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replay fills the results of all vectors in.
func replay(t *testing.T, in vectors) vectors {
	key, err := hex.DecodeString(in.Key)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMaker(key)
	if err != nil {
		t.Fatal(err)
	}
	out := vectors{Algorithm: in.Algorithm, Key: in.Key}
	for _, v := range in.Canonical {
		v.Canonical = string(decode(t, v.Text).AppendCanonical(nil))
		out.Canonical = append(out.Canonical, v)
	}
	for _, v := range in.Refused {
		out.Refused = append(out.Refused, refusedVector{v.Hex, refusal(t, v.Hex)})
	}
	for _, v := range in.Sums {
		out.Sums = append(out.Sums, v.replay(t, m))
	}
	for _, v := range in.Marks {
		v.Digest = m.Mark(v.Purpose, v.Parts...)
		out.Marks = append(out.Marks, v)
	}
	for _, v := range in.Pairs {
		out.Pairs = append(out.Pairs, v.replay(t, m))
	}
	return out
}

func refusal(t *testing.T, text string) DecodeCode {
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Decode(raw, Limits{})
	if e := (*DecodeError)(nil); errors.As(err, &e) {
		return e.Code
	}
	t.Errorf("Decode(%q) = %v, want a refusal", raw, err)
	return ""
}

func (v sumVector) replay(t *testing.T, m *Maker) sumVector {
	var args []Argument
	for _, a := range v.Spec {
		args = append(args, a.argument())
	}
	spec := newSpec(t, args...)
	in := Input{Tenant: v.Tenant, Effect: v.Effect, Occurrence: v.Occurrence}
	for _, p := range v.Scope {
		in.Scope = append(in.Scope, ScopePart{p[0], p[1]})
	}
	sum := m.Sum(spec, in, decode(t, v.Arguments))
	v.SpecDigest, v.Key, v.Identity, v.Near = spec.Digest(), sum.Key, sum.Identity, sum.Near
	v.Terms = nil
	for _, term := range spec.Terms(decode(t, v.Arguments)) {
		v.Terms = append(v.Terms, map[string]string{"argument": term.Argument, "role": term.Role.String(), "normal": term.Normal})
	}
	return v
}

func (v pairVector) replay(t *testing.T, m *Maker) pairVector {
	a := v.argument()
	a.Name = "x"
	spec := newSpec(t, a)
	a1, a2 := decode(t, `{"x":`+v.A+`}`), decode(t, `{"x":`+v.B+`}`)
	x, y := m.Sum(spec, Input{}, a1), m.Sum(spec, Input{}, a2)
	if (x.Key == y.Key) != v.Same {
		t.Errorf("kind %s: %s and %s: same is %v, want %v", v.Kind, v.A, v.B, x.Key == y.Key, v.Same)
	}
	v.ANormal, v.BNormal = normalForm(spec, a1), normalForm(spec, a2)
	return v
}

func normalForm(s *Spec, args Value) string {
	for _, t := range s.Terms(args) {
		if t.Argument == "x" {
			return t.Normal
		}
	}
	return ""
}
