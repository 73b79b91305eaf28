package fingerprint

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// specText is how a Spec is written down.
type specText struct {
	Arguments []Argument `json:"arguments,omitempty"`
	Infer     string     `json:"infer,omitempty"` // InferVersion, where undeclared arguments are inferred
}

// MarshalJSON writes the spec, so that UnmarshalJSON of this or a later version makes one with the same Digest.
func (s *Spec) MarshalJSON() ([]byte, error) {
	t := specText{Arguments: s.orEmpty().Arguments()}
	if s.Infers() {
		t.Infer = InferVersion
	}
	return json.Marshal(t)
}

// UnmarshalJSON reads what MarshalJSON has written. What this version does not know is an error.
func (s *Spec) UnmarshalJSON(text []byte) error {
	var t specText
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	makeSpec := NewSpec
	switch t.Infer {
	case "":
	case InferVersion:
		makeSpec = NewInferringSpec
	default:
		return fmt.Errorf("spec: arguments are inferred by %q, which this version does not know; it knows %q", t.Infer, InferVersion)
	}
	read, err := makeSpec(t.Arguments)
	if err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	*s = *read
	return nil
}
