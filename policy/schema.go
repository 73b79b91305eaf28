package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/onceguard/onceguard/fingerprint"
)

// schema is the compiled JSON Schema of a tool's arguments. Draft 2020-12 is meant where "$schema" names no other. "format" is an
// annotation, as that draft has it.
type schema struct {
	text       json.RawMessage
	root       any                        // text, decoded
	properties []string                   // names of the declared arguments, sorted
	defaults   map[string]json.RawMessage // of the declared arguments
	closed     bool                       // no other argument is allowed
	unique     bool                       // the schema uses uniqueItems somewhere

	compiling sync.Once
	compiled  *jsonschema.Schema
	defect    error
}

const (
	schemaURL = "policy:///schema"
	// maxExponent bounds the exponent of a number that is checked, because the schema library expands numbers in full.
	maxExponent = 400
	// maxUnique bounds the arrays that are checked with uniqueItems, which compares each pair.
	maxUnique = 500
	// maxViolations is as many as one needs to mend a call.
	maxViolations = 20
)

// schema reads the JSON text of "schema:", and compiles it unless it surely can be compiled later.
func (r *reader) schema(n *node, text []byte) *schema {
	s := &schema{text: text, root: n.value(), unique: bytes.Contains(text, []byte(`"uniqueItems"`))}
	if !isPlain(s.root) {
		if _, err := s.compile(); err != nil {
			r.schemaProblem(n, err)
			return nil
		}
	}
	if err := s.inspect(); err != nil {
		r.add(n.at, "schema: "+err.Error(), "write an object with type, properties and required")
		return nil
	}
	return s
}

// compile compiles the schema, once.
func (s *schema) compile() (*jsonschema.Schema, error) {
	s.compiling.Do(func() {
		c := jsonschema.NewCompiler()
		c.Draft = jsonschema.Draft2020
		c.LoadURL = func(string) (io.ReadCloser, error) { return nil, errRemote }
		if s.defect = c.AddResource(schemaURL, bytes.NewReader(s.text)); s.defect == nil {
			s.compiled, s.defect = c.Compile(schemaURL)
		}
	})
	return s.compiled, s.defect
}

// breach is one node of the library's tree of errors.
type breach = jsonschema.ValidationError

var errRemote = errors.New("it refers to a schema outside this file, and none is ever fetched")

// schemaProblem notes why a schema does not compile, where in the file it can tell.
func (r *reader) schemaProblem(n *node, err error) {
	var invalid *breach
	if errors.Is(err, errRemote) {
		r.add(n.at, "schema: "+errRemote.Error(), "copy the schema into \"$defs\" and refer to it by \"#/$defs/NAME\"")
		return
	}
	if !errors.As(err, &invalid) {
		message := err.Error()
		var wrapped *jsonschema.SchemaError
		if errors.As(err, &wrapped) && wrapped.Err != nil {
			message = wrapped.Err.Error()
		}
		message = strings.NewReplacer("jsonschema: ", "", schemaURL, "").Replace(message)
		r.add(n.at, "schema: "+message, "mend the schema")
		return
	}
	r.invalidSchema(n, invalid, make(map[string]bool))
}

// invalidSchema notes the first breach of the meta-schema at each place; the others there are its consequences.
func (r *reader) invalidSchema(n *node, e *breach, seen map[string]bool) {
	for _, cause := range e.Causes {
		r.invalidSchema(n, cause, seen)
	}
	if len(e.Causes) > 0 || seen[e.InstanceLocation] {
		return
	}
	seen[e.InstanceLocation] = true
	r.add(locate(n, pointer(e.InstanceLocation)), fmt.Sprintf("schema: %s: %s", show(e.InstanceLocation), e.Message), "mend it after JSON Schema, draft 2020-12")
}

func show(location string) string {
	if location == "" {
		return "the whole"
	}
	return pointer(location)
}

// pointer undoes the percent-encoding of the library's locations.
func pointer(location string) string {
	if p, err := url.PathUnescape(location); err == nil {
		return p
	}
	return location
}

// inspect reads what the rest of the policy needs to know of the schema.
func (s *schema) inspect() error {
	object, ok := s.root.(map[string]any)
	if !ok {
		return errors.New("it is no mapping")
	}
	if closed, ok := object["additionalProperties"].(bool); ok {
		s.closed = !closed && object["patternProperties"] == nil
	}
	properties, _ := object["properties"].(map[string]any)
	s.properties = slices.Sorted(maps.Keys(properties))
	s.defaults = make(map[string]json.RawMessage)
	for name, property := range properties {
		declared, _ := property.(map[string]any)
		value, ok := declared["default"]
		if !ok {
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("the default of %q: %w", name, err)
		}
		s.defaults[name] = text
	}
	return nil
}

// Violation is one breach of the tool's argument schema.
type Violation struct {
	Argument string // JSON pointer (RFC 6901) of the value, "" for the arguments as a whole
	Message  string // never contains the value
}

// Validate holds the arguments against the schema. Nil when there is none, or when they fit. At most 20 violations are listed.
func (r *Rule) Validate(args fingerprint.Value) []Violation {
	if r.schema == nil {
		return nil
	}
	return r.schema.validate(args)
}

func (s *schema) validate(args fingerprint.Value) []Violation {
	if v, bad := s.tooCostly(args, new(int)); bad {
		return []Violation{v}
	}
	compiled, err := s.compile()
	instance := args.Any()
	if err == nil {
		if err = compiled.Validate(instance); err == nil {
			return nil
		}
	}
	var invalid *breach
	if compiled == nil || !errors.As(err, &invalid) {
		return []Violation{{Message: "cannot be checked against the tool's schema"}}
	}
	return s.violations(invalid, instance, nil)
}

// tooCostly looks for values that would cost the schema library far more than they cost to send. Pointers are only made for what
// is found, because nearly every call is fine.
func (s *schema) tooCostly(v fingerprint.Value, items *int) (Violation, bool) {
	switch v.Type() {
	case fingerprint.Number:
		raw := v.Raw()
		i := bytes.IndexAny(raw, "eE")
		if i < 0 {
			return Violation{}, false
		}
		if e, err := strconv.Atoi(string(raw[i+1:])); err != nil || e > maxExponent || e < -maxExponent {
			return Violation{Message: fmt.Sprintf("has an exponent beyond %d", maxExponent)}, true
		}
	case fingerprint.Array:
		if *items += v.Len(); s.unique && *items > maxUnique {
			return Violation{Message: fmt.Sprintf("has more items than the %d that can be checked for repetition", maxUnique)}, true
		}
		for i := range v.Len() {
			if bad, found := s.tooCostly(v.Elem(i), items); found {
				return bad.below(strconv.Itoa(i)), true
			}
		}
	case fingerprint.Object:
		for i := range v.Len() {
			name, member := v.Member(i)
			if bad, found := s.tooCostly(member, items); found {
				return bad.below(escapePointer(name)), true
			}
		}
	}
	return Violation{}, false
}

// below is the violation as seen from the container whose member it is in.
func (v Violation) below(step string) Violation {
	v.Argument = cut("/" + step + v.Argument)
	return v
}

var pointerEscapes, pointerUnescapes = strings.NewReplacer("~", "~0", "/", "~1"), strings.NewReplacer("~1", "/", "~0", "~")

func escapePointer(name string) string { return pointerEscapes.Replace(cut(name)) }
