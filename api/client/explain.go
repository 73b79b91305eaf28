package client

import "encoding/json"

// Question asks for the fingerprint of a call and, with Other, whether the two are the same effect.
type Question struct {
	Tool           string            `json:"tool"`
	Arguments      json.RawMessage   `json:"arguments"`
	Run            string            `json:"run,omitzero"`
	Agent          string            `json:"agent,omitzero"`
	Labels         map[string]string `json:"labels,omitzero"`
	IdempotencyKey string            `json:"idempotency_key,omitzero"`
	Other          *Other            `json:"other,omitzero"`
}

// Other is the second call of a Question. What it leaves out is as in the first.
type Other struct {
	Tool           string            `json:"tool,omitzero"`
	Arguments      json.RawMessage   `json:"arguments,omitzero"`
	Run            string            `json:"run,omitzero"`
	Agent          string            `json:"agent,omitzero"`
	Labels         map[string]string `json:"labels,omitzero"`
	IdempotencyKey string            `json:"idempotency_key,omitzero"`
}

// Fingerprint explains how a call is told apart from others.
type Fingerprint struct {
	Rule        string      `json:"rule,omitzero"`   // the pattern that matched
	Source      string      `json:"source,omitzero"` // its file and line
	Fingerprint string      `json:"fingerprint"`     // hexadecimal
	Spec        string      `json:"spec"`
	Terms       []Term      `json:"terms"`
	Canonical   string      `json:"canonical"`
	Other       []Term      `json:"other,omitzero"`
	Comparison  *Comparison `json:"comparison,omitzero"`
	Recorded    *Effect     `json:"recorded,omitzero"` // the effect under this fingerprint
}

// Term is what one argument contributes.
type Term struct {
	Argument string `json:"argument"`
	Raw      string `json:"raw"`
	Normal   string `json:"normal"`
	Kind     string `json:"kind"`
	Role     string `json:"role"`
	Note     string `json:"note,omitzero"`
}

// Comparison tells two calls apart.
type Comparison struct {
	Same bool `json:"same"`
	// Relation is "same", "near" (but for wording), "other_scope" (equal, but in another run), "same_identity" (another
	// effect on the same thing) or "different". Wording and other runs are only compared where the policy asks for it.
	Relation string         `json:"relation"`
	Sentence string         `json:"sentence"` // for a person who reviews the two; quotes values
	Likeness *Likeness      `json:"likeness,omitzero"`
	Because  []string       `json:"because"`
	Differs  []TermConflict `json:"differs"`
}

// Likeness tells how the wordings of two calls compare that are equal otherwise.
type Likeness struct {
	Verdict  string  `json:"verdict"`           // "different", "alike" or "same wording"
	Score    float64 `json:"score"`             // 0 to 1
	Argument string  `json:"argument,omitzero"` // the text that decides
	Contrast string  `json:"contrast,omitzero"` // why it is surely different
}

// TermConflict is one argument in which two calls differ.
type TermConflict struct {
	Argument string `json:"argument"`
	Role     string `json:"role"`
	Earlier  string `json:"earlier"`
	Now      string `json:"now"`
	Decides  bool   `json:"decides"` // false where the difference does not tell effects apart
}
