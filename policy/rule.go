package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
)

// Rule is the effective policy of one tool, complete with defaults. It is immutable and safe for concurrent use.
type Rule struct {
	Pattern string // the name or glob of the policy, "" for the rule of unknown tools
	Source  string // file:line, "" for built-in
	Digest  string // identifies the rule's content: equal for equal content, wherever it is written
	Effect  string // effect type; the tool's own name where the policy names none
	Kind    Kind
	Mode    Mode
	Unknown bool // no policy names this tool
	// Kept is the number of the version that is kept in the ledger, with which Digest then ends; 0 where a file says it.
	Kept int64
	// Defect is why the policy of this tool cannot be used; its calls must be refused. Only kept policies can have one.
	Defect error
	// OwnEffect says that Effect is the name of the tool at hand, because the rule holds for several tools and names none.
	OwnEffect bool

	Upstream   *Upstream         // nil: the caller runs the tool itself
	Arguments  *fingerprint.Spec // never nil
	Scope      []string          // nil: the run where the call names one, else the subject; see ScopeTenant
	Window     time.Duration     // how long a settled effect answers for equal calls
	Lease      time.Duration     // execute: caller
	Hold       time.Duration     // how long a held call waits for a person; an approval lasts as long
	On         On
	Share      Share
	Keys       Keys
	Idempotent bool // the upstream is certified to honour our key
	Near       Near
	Occurrence Occurrence
	Attempts   int // most attempts for one effect; 0: no limit (definite failures), 3 for on.unknown: retry
	Limits     []Limit
	Approvals  Approvals
	// Annotations are what conditions see as "annotations".
	Annotations Annotations
	// Redact are the paths of arguments whose values nobody is shown: no effect, event, explanation, page or log has them. The ledger
	// keeps them, because what was approved is what is sent.
	Redact []string
	// Seal are the paths of arguments that are shown to nobody either, of effects whose arguments and results the ledger keeps encrypted.
	Seal []string

	schema     *schema
	conditions []condition
	reads      reads // of all conditions
	wordings   fingerprint.Similarity
	outcomes   []outcome
	resource   resource
	refused    bool // defaults.unknown_tools: deny
	lines      *lines
}

// The parts that Rule.Scope can name, beside "label:NAME". The tenant is always part of the scope: ScopeTenant stands alone and
// says that nothing else is.
const (
	ScopeRun     = "run"
	ScopeAgent   = "agent"
	ScopeSubject = "subject"
	ScopeTenant  = "tenant"
	ScopeLabel   = "label:" // prefix
)

// Kind says whether a tool changes the world.
type Kind string

// The kinds. Calls of a Read tool pass unrecorded.
const (
	Write Kind = "write"
	Read  Kind = "read"
)

// Keys says whether callers' idempotency keys distinguish effects.
type Keys string

// The choices for Keys.
const (
	KeysHint    Keys = "hint"    // the default: a new key with an equal fingerprint is the same effect, because models mint fresh keys
	KeysTrusted Keys = "trusted" // a new key is a new effect
)

// Share says who may see a replayed result. No result ever leaves its tenant.
type Share string

// The choices for Share.
const (
	ShareSubject Share = "subject" // the default: the subject that made the first call
	ShareTenant  Share = "tenant"
)

// forTool is the rule as it holds for one tool that its glob matches.
func (r *Rule) forTool(tool string) *Rule {
	if r.Effect != "" {
		return r
	}
	named := *r
	named.Effect, named.OwnEffect = tool, true
	return &named
}

// content is everything in a rule that changes what it does; Digest is made of it. Values from the environment are in it by the
// name of their variable, so that a rotated token is no new rule and the digest tells nothing about it.
type content struct {
	Pattern, Effect     string
	Kind                Kind
	Unknown, Refused    bool
	HTTP                *httpContent    `json:",omitempty"`
	Schema              json.RawMessage `json:",omitempty"`
	Arguments           string
	Scope               []string
	Window, Lease, Hold time.Duration
	On                  On
	Near                Near
	Resource            []string   `json:",omitempty"`
	Occurrence          Occurrence `json:",omitzero"`
	Share               Share
	Keys                Keys
	Idempotent          bool
	Attempts            int
	Conditions          [][3]string
	Outcomes            [][2]string

	// What later versions of the language added is left out where a policy does not say it, so that its digest stays.
	Mode         Mode         `json:",omitempty"`
	Limits       []Limit      `json:",omitempty"`
	Approvals    *Approvals   `json:",omitempty"`
	ApprovalWhen string       `json:",omitempty"`
	Annotations  *Annotations `json:",omitempty"`
	Redact, Seal []string     `json:",omitempty"`
}

// seal computes the digest of a finished rule.
func (r *Rule) seal() {
	r.wordings = wordings(r.Near)
	c := content{
		Pattern: r.Pattern, Effect: r.Effect, Kind: r.Kind, Unknown: r.Unknown, Refused: r.refused, Arguments: r.Arguments.Digest(), Scope: r.Scope,
		Window: r.Window, Lease: r.Lease, Hold: r.Hold, On: r.On, Near: r.Near, Resource: r.resource.sources(), Occurrence: r.Occurrence, Share: r.Share, Keys: r.Keys, Idempotent: r.Idempotent, Attempts: r.Attempts,
	}
	c.Limits, c.Redact, c.Seal = r.Limits, r.Redact, r.Seal
	if r.Mode != ModeEnforce {
		c.Mode = r.Mode
	}
	if r.Annotations != defaultAnnotations() {
		c.Annotations = &r.Annotations
	}
	if a := r.Approvals; a.Roles != nil || a.People > 1 || a.Notify != nil || a.when != nil {
		c.Approvals = &a
		if a.when != nil {
			c.ApprovalWhen = a.when.text
		}
	}
	if r.Upstream != nil && r.Upstream.HTTP != nil {
		h := r.Upstream.HTTP.content()
		c.HTTP = &h
	}
	if r.schema != nil {
		c.Schema = r.schema.text
	}
	for _, k := range r.conditions {
		c.Conditions = append(c.Conditions, [3]string{k.expression.text, string(k.then), k.why})
	}
	for _, o := range r.outcomes {
		c.Outcomes = append(c.Outcomes, [2]string{o.state, o.expression.text})
	}
	text, err := json.Marshal(c)
	if err != nil {
		// Every field is plain data and the schema is valid JSON, so this is a defect of this package.
		panic("policy: digest of a rule: " + err.Error())
	}
	sum := sha256.Sum256(text)
	r.Digest = hex.EncodeToString(sum[:16])
}
