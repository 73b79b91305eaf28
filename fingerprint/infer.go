package fingerprint

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// InferVersion names the rules by which names and values are read here. It is part of the digest of every spec that
// infers: a change that reads any argument differently needs a new version, and this one must stay readable for as long
// as effects that were recorded under it are in their window.
const InferVersion = "infer/v1"

// Inference is what is taken to be true of an argument that nobody declared.
type Inference struct {
	Role Role
	Kind Kind
	Why  string // a clause: "an identifier, by its name"
	Sure bool   // false where a person should look
	// Named is false where the name says nothing, so that values are read by their shape.
	Named bool
}

// Infer tells what the name of an argument says about it, beside what the other arguments of its tool are called. It is a pure
// function of names, such as those that the arguments of many tools have; it knows no tool. It errs on the side of keeping calls
// apart: nothing is Commentary, and only a name that can hardly mean anything else than an idempotency key is Volatile.
func Infer(name string, beside ...string) Inference {
	g := guessOf(name)
	i := Inference{Role: g.Role, Kind: g.Kind, Why: g.why, Sure: g.sure, Named: g != unnamed}
	if !g.ambiguous {
		return i
	}
	for _, other := range beside {
		if other != name && besideData(other) {
			i.Kind = unnamed.Kind
			i.Why = fmt.Sprintf("by the shape of its value, because beside %q case and white space may count", shorten(other))
			break
		}
	}
	return i
}

// NewInferringSpec is NewSpec for tools of which not everything is known: an argument without a declaration is not compared
// exactly, but as Infer says of its name. Where the value does not fit its name, or the name says nothing, its JSON type
// and shape decide (readAuto).
//
// A name that means prose (a body, a comment) is not taken for it where case and white space may count: when the value
// looks like data, and for some names when it looks like a program or another argument names a file, an address or a program beside it. An idempotency key
// is none where it is the only argument.
func NewInferringSpec(args []Argument) (*Spec, error) {
	s, err := NewSpec(args)
	if err != nil {
		return nil, err
	}
	s.infers, s.texts = true, true
	s.digest, s.deciding = inferDigest(labelSpec, s.digest), inferDigest(labelDeciding, s.deciding)
	return s, nil
}

// Infers reports whether the spec reads undeclared arguments as Infer says.
func (s *Spec) Infers() bool { return s != nil && s.infers }

func inferDigest(label, digest string) string {
	sum := sha256.Sum256(message(nil).add(label).add(InferVersion).add(digest))
	return hex.EncodeToString(sum[:])
}

// declaration returns the declaration under which an argument of a call is read.
func (s *Spec) declaration(args Value, name string) *declared {
	if d := s.find(name); d != undeclared {
		return d
	}
	return s.undeclared(args, name)
}

// undeclared returns the declaration that stands for the one that an argument of a call does not have.
func (s *Spec) undeclared(args Value, name string) *declared {
	if !s.infers {
		return undeclared
	}
	g := guessOf(name)
	// What stands alone names the thing, even where its name is that of an idempotency key.
	if g.prose && !g.readsAsProse(args, name) || !g.Role.Decides() && args.Len() == 1 {
		g = unnamed
	}
	return &g.declared
}

// readsAsProse reports whether a value under a name that means prose is prose.
func (g *guess) readsAsProse(args Value, name string) bool {
	v, _ := args.Get(name)
	if v.Type() != String || looksLikeData(v.Text()) {
		return false
	}
	if !g.ambiguous {
		return true
	}
	if looksLikeProgram(v.Text()) {
		return false
	}
	for i := range args.Len() {
		other, _ := args.Member(i)
		if other != name && besideData(other) {
			return false
		}
	}
	return true
}

// looksLikeData reports whether a text has the outer form of a JSON object or array, or begins as a script does.
func looksLikeData(s string) bool {
	s = strings.TrimSpace(s)
	switch {
	case strings.HasPrefix(s, "{"):
		return strings.HasSuffix(s, "}")
	case strings.HasPrefix(s, "["):
		return strings.HasSuffix(s, "]")
	default:
		return strings.HasPrefix(s, "#!")
	}
}
