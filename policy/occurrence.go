package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// Occurrence says how a call tells that it is meant as one more of the same. At most one field is set.
type Occurrence struct {
	Argument string // an argument, whose value tells occurrences apart
	Label    string // a label, whose value does
	Caller   int    // callers may declare occurrences up to this number
}

// The occurrences that a caller may be allowed to declare.
const (
	minOccurrences = 2
	maxOccurrences = 1000
)

// occurrenceDoc is "occurrence:".
type occurrenceDoc struct {
	at place
	Occurrence
}

var occurrenceKeys = keys{now: []string{"caller"}}

func (r *reader) occurrence(e entry) occurrenceDoc {
	doc := occurrenceDoc{at: e.value.at}
	if e.value.kind == mappingNode {
		f := r.fields(e.value, "occurrence", occurrenceKeys)
		if caller, ok := f.get("caller"); ok {
			doc.Caller = r.integer(caller.value, "occurrence.caller", minOccurrences, maxOccurrences)
		} else {
			r.add(doc.at, "occurrence says nothing", "write the name of an argument, \"label:NAME\", or {caller: 3}")
		}
		return doc
	}
	if e.value.kind == listNode {
		r.wrongType(e.value, "occurrence", "the name of one argument, \"label:NAME\", or {caller: 3}")
		return doc
	}
	text := r.string(e.value, "occurrence")
	name, label := strings.CutPrefix(text, ScopeLabel)
	switch {
	case !label:
		doc.Argument = text
	case name == "" || len(name) > maxName:
		r.add(doc.at, fmt.Sprintf("%q in occurrence names no label", text), "write \"label:NAME\"")
	default:
		doc.Label = name
	}
	return doc
}

// occurrenceArgument returns the declaration of the argument that tells occurrences apart, where the policy has none.
func (t *toolDoc) occurrenceArgument(r *report, s *schema) []fingerprint.Argument {
	name := t.occurrence.Argument
	if name == "" {
		return nil
	}
	for _, a := range t.arguments {
		if a.decl.Name == name {
			t.checkOccurrence(r, a.decl)
			return nil
		}
	}
	if s != nil && s.closed && !slices.Contains(s.properties, name) {
		r.add(t.occurrence.at, fmt.Sprintf("the schema allows no argument %q, which occurrence names", name), suggest(name, s.properties))
	}
	return []fingerprint.Argument{{Name: name, Role: fingerprint.Material, Kind: idKind}}
}

// checkOccurrence refuses an argument in which a difference makes no other effect, or only perhaps.
func (t *toolDoc) checkOccurrence(r *report, a fingerprint.Argument) {
	if !a.Role.Decides() {
		r.add(t.occurrence.at, fmt.Sprintf("the argument %q tells occurrences apart, but its role is %s, in which no difference counts", a.Name, a.Role),
			"give it the role material, or let another argument tell occurrences apart")
	}
	if isWording(a.Kind) {
		r.add(t.occurrence.at, fmt.Sprintf("the argument %q tells occurrences apart, but its kind %s compares wording", a.Name, a.Kind),
			"give it the kind id or number, or let another argument tell occurrences apart")
	}
}

// isWording reports whether a kind compares wording.
func isWording(k fingerprint.Kind) bool {
	name := k.String()
	return slices.Contains([]string{"text", "markdown", "html"}, name[strings.LastIndexByte(name, ' ')+1:])
}
