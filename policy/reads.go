package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"

	"github.com/onceguard/onceguard/fingerprint"
)

// reads is the part of the arguments that expressions can look at, so that no other is converted for them.
type reads struct {
	members []string // named as in args.NAME
	all     bool     // args is also used in another way
	norm    []string // named as in norm.NAME
	history bool     // history is looked at
}

var everything = reads{all: true}

// inspect notes what a parsed expression needs to be evaluated. It reports false where norm is used as a whole.
func (e *expression) inspect(parsed *ast.AST) bool {
	e.reads, e.loops, e.literals = reads{}, false, false
	uses, named, normUses := 0, 0, 0
	ast.PostOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.CallKind:
			e.literals = e.literals || slices.Contains(literalFunctions, x.AsCall().FunctionName())
		case ast.ComprehensionKind:
			e.loops = true
		case ast.IdentKind:
			if isVariable(x, "args") {
				uses++
			}
			if isVariable(x, "norm") {
				normUses++
			}
			e.reads.history = e.reads.history || isVariable(x, "history")
		case ast.SelectKind:
			switch s := x.AsSelect(); {
			case isVariable(s.Operand(), "args"):
				named++
				e.reads.members = append(e.reads.members, s.FieldName())
			case isVariable(s.Operand(), "norm"):
				normUses--
				e.reads.norm = append(e.reads.norm, s.FieldName())
			}
		}
	}))
	e.reads.all = uses != named
	return normUses == 0
}

// checkReads notes arguments that an expression asks for and that a closed schema lets no call have: a condition on one would
// hold every call, or none.
func (c *compiler) checkReads(doc expressionDoc, e *expression, s *schema) {
	if s == nil || !s.closed {
		return
	}
	for _, name := range e.reads.members {
		if slices.Contains(s.properties, name) {
			continue
		}
		where := doc.node.at
		if i := strings.Index(doc.text, "args."+name); i >= 0 {
			before := doc.text[:i]
			line := strings.Count(before, "\n")
			column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
			where = doc.node.inText(line+1, column)
		}
		c.add(where, fmt.Sprintf("%s: the schema allows no argument %q", doc.key, name), suggest(name, s.properties))
	}
}

// checkHistory notes an expression about the history of what a tool acts on, where nothing tells what that is.
func (c *compiler) checkHistory(doc expressionDoc, e *expression, rule *Rule) {
	if e.reads.history && !mayHaveIdentity(rule.Arguments) {
		c.add(doc.node.at, doc.key+": history is about earlier effects of the same identity, but no argument has the role identity",
			"declare the argument that names what is acted on")
	}
}

// checkNorm notes normal forms of arguments that neither the policy nor its schema names.
func (c *compiler) checkNorm(doc expressionDoc, e *expression, known []string) {
	for _, name := range e.reads.norm {
		if len(known) > 0 && !slices.Contains(known, name) {
			c.add(doc.node.at, fmt.Sprintf("%s: norm.%s is about an argument that neither arguments nor schema name", doc.key, name), suggest(name, known))
		}
	}
}

func isVariable(x ast.Expr, name string) bool {
	return x.Kind() == ast.IdentKind && strings.TrimPrefix(x.AsIdent(), ".") == name
}

// and joins what two expressions read.
func (r reads) and(other reads) reads {
	return reads{
		members: union(r.members, other.members), norm: union(r.norm, other.norm),
		all: r.all || other.all, history: r.history || other.history,
	}
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// of gives the arguments as the map that CEL sees, at least with the members that are read. Arguments that are no JSON object
// have no members there, so that a condition on one holds the call.
func (r reads) of(args fingerprint.Value) map[string]any {
	if r.all {
		object, _ := celValue(args).(map[string]any)
		if object == nil {
			return map[string]any{}
		}
		return object
	}
	object := make(map[string]any, len(r.members))
	for _, name := range r.members {
		if member, ok := args.Get(name); ok {
			object[name] = celValue(member)
		}
	}
	return object
}
