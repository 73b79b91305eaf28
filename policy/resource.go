package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onceguard/onceguard/fingerprint"
)

// resource is what the effects of several tools act on in turn: the templates of "resource:", which name one thing
// together.
type resource []resourceTemplate

// resourceTemplate is a text with variables, which stand for arguments.
type resourceTemplate struct {
	source string
	parts  []part
}

// maxResource is the most templates of one resource.
const maxResource = 10

// resourceDoc is "resource:".
type resourceDoc struct {
	at        place
	resource  resource
	templates []*node // of resource, in the same order
}

// resource reads one template or a list of them.
func (r *reader) resource(e entry) *resourceDoc {
	doc := &resourceDoc{at: e.key}
	nodes := []*node{e.value}
	if e.value.kind == listNode {
		nodes = e.value.items
		if len(nodes) == 0 || len(nodes) > maxResource {
			r.add(e.value.at, "resource has "+count(len(nodes), "template"), fmt.Sprintf("write from 1 to %d, such as \"file:{path}\"", maxResource))
			return doc
		}
	}
	for _, n := range nodes {
		source := r.string(n, "resource")
		if source == "" {
			continue
		}
		parts, err := splitResource(source)
		if err != nil {
			r.add(n.at, fmt.Sprintf("resource: %v", err), "write a text with the names of arguments in braces, such as \"file:{path}\"")
			continue
		}
		doc.resource = append(doc.resource, resourceTemplate{source, parts})
		doc.templates = append(doc.templates, n)
	}
	return doc
}

var resourceVariable = regexp.MustCompile(`\{[^{}]*\}`)

// splitResource cuts a template into a literal text, which may be empty, and then variables and literal texts that are not.
func splitResource(source string) ([]part, error) {
	var parts []part
	end := 0
	for _, m := range append(resourceVariable.FindAllStringIndex(source, -1), []int{len(source), len(source)}) {
		literal := source[end:m[0]]
		switch {
		case strings.HasSuffix(literal, "$"):
			return nil, fmt.Errorf("%q reads the environment, which says nothing about a call", literal[len(literal)-1:]+source[m[0]:m[1]])
		case strings.ContainsAny(literal, "{}"):
			return nil, errors.New("a brace stands alone")
		case literal != "" || end == 0:
			parts = append(parts, part{literal: literal})
		}
		if m[0] == m[1] {
			break
		}
		name := source[m[0]+1 : m[1]-1]
		if name == "" || strings.TrimSpace(name) != name {
			return nil, fmt.Errorf("%q names no argument", source[m[0]:m[1]])
		}
		parts = append(parts, part{variable: name})
		end = m[1]
	}
	return parts, nil
}

// sources lists the templates as they were written.
func (r resource) sources() []string {
	var list []string
	for _, t := range r {
		list = append(list, t.source)
	}
	return list
}

// checkResource holds the variables against the arguments that the policy or its schema names.
func (c *compiler) checkResource(t *toolDoc, s *schema) {
	known := t.known(s)
	for i, template := range t.resource.resource {
		where := t.resource.templates[i].at
		for _, p := range template.parts {
			if p.variable == "" {
				continue
			}
			if len(known) > 0 && !slices.Contains(known, p.variable) {
				c.add(where, fmt.Sprintf("the resource needs the argument %q, which neither arguments nor schema name", p.variable), suggest(p.variable, known))
				continue
			}
			for _, a := range t.arguments {
				if a.decl.Name == p.variable && !a.decl.Role.Decides() {
					c.add(where, fmt.Sprintf("the resource is told by the argument %q, whose role is %s, in which no difference counts", p.variable, a.decl.Role),
						"give it the role identity, or name another argument")
				}
			}
		}
	}
}

// Resource returns what the call acts on, as the rule's resource templates tell it: a list of parts that is equal for
// equal resources, of whatever tool. Arguments are compared in their normal forms, so tools share a resource when their
// templates have the same literal texts, and their arguments, of whatever name, the same kind. It is nil where the rule names
// none, or where an argument that it needs is missing or blank.
func (r *Rule) Resource(args fingerprint.Value) []string {
	var parts []string
	for _, t := range r.resource {
		for i, p := range t.parts {
			// The first character keeps texts, forms and the beginnings of templates apart.
			switch {
			case p.variable != "":
				form, ok := r.Arguments.Form(args, p.variable)
				if !ok {
					return nil
				}
				parts = append(parts, ":"+form)
			case i == 0:
				parts = append(parts, "+"+p.literal)
			default:
				parts = append(parts, "="+p.literal)
			}
		}
	}
	return parts
}
