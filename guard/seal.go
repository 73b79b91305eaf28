package guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// A policy conceals arguments in two ways: seal keeps the bytes of the effect encrypted in the ledger, redact does not, and
// neither is ever shown. What is shown is decided here, when it is read, by the rule that the tool has today: every method by which
// people and models read effects passes through shown, so that no page and no answer has to think of it. The exact bytes stay in the
// ledger, are sent to the tool, and are what approvals are bound to (Effect.ArgumentsDigest).
//
// What the caller of an effect says in its own words, such as why it failed, is kept in the plain and shown; it is left out where it
// repeats a concealed value as a whole (spoken).
//
// In place of a concealed value stands a text such as "[sealed 3f9a1c0b]". Its digits are a keyed digest of the tenant and the
// value, so that a reader sees whether two values are the same and learns nothing else.

// seals reports whether the bytes of a rule's effects are kept encrypted.
func seals(r *policy.Rule) bool { return len(r.Seal) > 0 }

func conceals(r *policy.Rule) bool { return len(r.Seal)+len(r.Redact) > 0 }

// shown is an effect as people and models may see it.
func (g *Guard) shown(e Effect) Effect {
	v, concealing := g.veil(&e)
	if !concealing {
		return e
	}
	if len(e.Arguments) > 0 {
		e.Digest, e.Arguments = e.ArgumentsDigest(), v.arguments(e.Arguments)
	}
	e.Result = v.result(e.Result)
	return e
}

// shownError is an error with what may be seen of the effect that it carries.
func (g *Guard) shownError(err error) error {
	ge, ok := errors.AsType[*Error](err)
	if !ok || ge.Effect == nil {
		return err
	}
	copied, effect := *ge, g.shown(*ge.Effect)
	copied.Effect = &effect
	return &copied
}

// shownEvents are the events of an effect as they may be seen. The hashes of what was taken out stay, so that the chain still
// verifies. The list is the caller's own.
func (g *Guard) shownEvents(e *Effect, events []Event) []Event {
	v, concealing := g.veil(e)
	if !concealing {
		return events
	}
	for i := range events {
		ev := &events[i]
		v.learn(ev.Arguments)
		if len(ev.Arguments) > 0 {
			if ev.ArgumentsHash == [32]byte{} {
				ev.ArgumentsHash = sha256.Sum256(ev.Arguments)
			}
			ev.Arguments = v.arguments(ev.Arguments)
		}
	}
	for i := range events {
		events[i].Result = v.result(events[i].Result)
	}
	return events
}

// shownAnswer is the answer to a call as people may see it.
func (g *Guard) shownAnswer(a Answer) Answer {
	if a.Effect == nil {
		return a
	}
	v, concealing := g.veil(a.Effect)
	if !concealing {
		return a
	}
	e := g.shown(*a.Effect)
	a.Effect, a.Result = &e, v.result(a.Result)
	if m := a.Explanation.Matched; m != nil {
		matched := *m
		matched.Result = v.result(m.Result)
		a.Explanation.Matched = &matched
	}
	return a
}

// resultOf is the result of what was found, for the caller. Where the policy conceals arguments, only who sent the effect's call, or
// the very same bytes, gets what may repeat them.
func (r *proposal) resultOf(s situation) *Result {
	e := s.found
	if s.same || e.Subject == r.principal.Subject || e.Result == nil {
		return e.Result
	}
	if v, concealing := veilOf(r.maker, r.set.Match(e.Tool), e); concealing {
		return v.result(e.Result)
	}
	return e.Result
}

// veil covers what the policy conceals of one effect.
type veil struct {
	maker          *fingerprint.Maker
	tenant         string
	sealed, redact [][]string // paths
	values         []string   // that were concealed, as they stand in the text and as they are meant
}

func (g *Guard) veil(e *Effect) (*veil, bool) {
	return veilOf(g.maker, g.ruleOf(e), e)
}

func veilOf(maker *fingerprint.Maker, r *policy.Rule, e *Effect) (*veil, bool) {
	if !conceals(r) {
		return nil, false
	}
	v := &veil{maker: maker, tenant: e.Tenant, sealed: steps(r.Seal), redact: steps(r.Redact)}
	v.learn(e.Arguments)
	return v, true
}

func steps(paths []string) [][]string {
	list := make([][]string, len(paths))
	for i, p := range paths {
		list[i] = strings.Split(p, ".")
	}
	return list
}

// learn remembers the concealed values of arguments, so that a result which repeats one is known.
func (v *veil) learn(arguments []byte) {
	if len(arguments) > 0 {
		v.arguments(arguments)
	}
}

// arguments are arguments with marks in place of what is concealed. Bytes that cannot be read are concealed as a whole.
func (v *veil) arguments(text []byte) json.RawMessage {
	args, err := decodeArguments(text)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return v.append(nil, args, v.sealed, v.redact)
}

// append adds the JSON of a value. The paths are those that are left of it.
func (v *veil) append(dst []byte, value fingerprint.Value, sealed, redact [][]string) []byte {
	switch deeper := value.Type() == fingerprint.Object || value.Type() == fingerprint.Array; {
	case reached(sealed, deeper):
		return v.mark(dst, "sealed", value)
	case reached(redact, deeper):
		return v.mark(dst, "redacted", value)
	case len(sealed)+len(redact) == 0:
		return append(dst, value.Raw()...)
	case value.Type() == fingerprint.Object:
		dst = append(dst, '{')
		for i := range value.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			name, member := value.Member(i)
			quoted, _ := json.Marshal(name) // a string always can be
			dst = append(append(dst, quoted...), ':')
			dst = v.append(dst, member, below(sealed, name), below(redact, name))
		}
		return append(dst, '}')
	}
	dst = append(dst, '[')
	for i := range value.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = v.append(dst, value.Elem(i), below(sealed, "*"), below(redact, "*"))
	}
	return append(dst, ']')
}

// reached reports whether one of the paths ends here, or wants to go on where nothing is below: into a JSON text within a string,
// say.
func reached(paths [][]string, deeper bool) bool {
	return slices.ContainsFunc(paths, func(p []string) bool { return len(p) == 0 }) || !deeper && len(paths) > 0
}

// below are the paths that go on under a name.
func below(paths [][]string, name string) [][]string {
	var list [][]string
	for _, p := range paths {
		if p[0] == name || p[0] == "*" {
			list = append(list, p[1:])
		}
	}
	return list
}

// mark stands in place of a value.
func (v *veil) mark(dst []byte, how string, value fingerprint.Value) []byte {
	v.remember(value)
	digest := v.maker.Mark("concealed", v.tenant, string(value.AppendCanonical(nil)))
	return append(dst, `"[`+how+" "+hex.EncodeToString(digest[:4])+`]"`...)
}

// remember notes a value, or all values within it.
func (v *veil) remember(value fingerprint.Value) {
	switch value.Type() {
	case fingerprint.Object, fingerprint.Array:
		for i := range value.Len() {
			v.remember(value.Elem(i))
		}
	case fingerprint.String:
		v.values = append(v.values, strings.Trim(string(value.Raw()), `"`), value.Text())
	case fingerprint.Number:
		v.values = append(v.values, string(value.Raw()))
	}
}

// result is a result as it may be seen. One that is kept encrypted is not shown, and neither is one that repeats a concealed
// value.
func (v *veil) result(r *Result) *Result {
	if r == nil || len(r.Body) == 0 {
		return r
	}
	how := "redacted"
	if len(v.sealed) > 0 {
		how = "sealed"
	} else if !v.repeats(r.Body) {
		return r
	}
	copied := *r
	copied.Body = []byte(`"[` + how + `]"`)
	if copied.BodyHash == [32]byte{} {
		copied.BodyHash = sha256.Sum256(r.Body)
	}
	return &copied
}

// repeats reports whether a text holds a concealed value, also in the spellings of JSON, of URLs and of base64.
func (v *veil) repeats(text []byte) bool {
	if slices.ContainsFunc(v.values, func(value string) bool { return holds(text, value) }) {
		return true
	}
	// JSON has many spellings of one string.
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if s, ok := token.(string); ok && slices.ContainsFunc(v.values, func(value string) bool { return value != "" && strings.Contains(s, value) }) {
			return true
		}
	}
}

func holds(text []byte, value string) bool {
	if value == "" {
		return false
	}
	escaped, _ := json.Marshal(value) // a string always can be
	spellings := append(base64Within(value), value, string(escaped[1:len(escaped)-1]), url.QueryEscape(value), url.PathEscape(value))
	return slices.ContainsFunc(spellings, func(s string) bool { return bytes.Contains(text, []byte(s)) })
}

// base64Within are the characters that stand for a value within longer texts, by where it begins. Of a short value they would be found
// by chance.
func base64Within(value string) []string {
	const enough = 6
	if len(value) < enough {
		return nil
	}
	var list []string
	for before := range 3 {
		padded := append(make([]byte, before), value...)
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := e.EncodeToString(padded)
			if len(padded)%3 != 0 {
				text = text[:len(text)-1] // it is also made of what follows
			}
			list = append(list, text[(before*8+5)/6:])
		}
	}
	return list
}

// spoken is a text of the caller of an effect as it goes on record, where nothing of it is encrypted.
func (v *veil) spoken(text string) string {
	if v.repeats([]byte(text)) {
		return "The text repeats a value that the policy conceals, and was left out."
	}
	return text
}

// spoken is what the caller of an effect says about it, as it goes on record.
func (g *Guard) spoken(e *Effect, text string) string {
	if v, concealing := g.veil(e); concealing {
		return v.spoken(text)
	}
	return text
}

// isVeiled reports whether arguments hold a mark that stood for a concealed value when they were shown.
func isVeiled(arguments []byte) bool {
	return bytes.Contains(arguments, []byte(`"[sealed `)) || bytes.Contains(arguments, []byte(`"[redacted `))
}

// veilDifferences takes the concealed values out of what differs between a call and an earlier one.
func veilDifferences(differs []Difference, rules ...*policy.Rule) {
	for _, r := range rules {
		if !conceals(r) {
			continue
		}
		hidden := concealed(r)
		for i := range differs {
			if name, _, _ := strings.Cut(differs[i].Argument, "."); hidden[name] {
				differs[i].Earlier, differs[i].Now = "[concealed]", "[concealed]"
			}
		}
	}
}
