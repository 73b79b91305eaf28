package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"github.com/onceguard/onceguard/fingerprint"
)

// reads is the part of the arguments that expressions can look at, so that no other is converted for them.
type reads struct {
	members []string // named as in args.NAME
	all     bool     // args is also used in another way
}

var everything = reads{all: true}

// inspect notes what a checked expression needs to be evaluated.
func (e *expression) inspect(checked *cel.Ast) {
	uses, named := 0, 0
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.ComprehensionKind:
			e.loops = true
		case ast.IdentKind:
			if isArgs(x) {
				uses++
			}
		case ast.SelectKind:
			if s := x.AsSelect(); isArgs(s.Operand()) {
				named++
				e.reads.members = append(e.reads.members, s.FieldName())
			}
		}
	}))
	e.reads.all = uses != named
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
		where := at(doc.node)
		if i := strings.Index(doc.text, "args."+name); i >= 0 {
			before := doc.text[:i]
			line := strings.Count(before, "\n")
			column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
			where = scalarPlace(doc.node, line+1, column)
		}
		c.add(where, fmt.Sprintf("%s: the schema allows no argument %q", doc.key, name), suggest(name, s.properties))
	}
}

func isArgs(x ast.Expr) bool {
	return x.Kind() == ast.IdentKind && strings.TrimPrefix(x.AsIdent(), ".") == "args"
}

// and joins what two expressions read.
func (r reads) and(other reads) reads {
	members := slices.Concat(r.members, other.members)
	slices.Sort(members)
	return reads{members: slices.Compact(members), all: r.all || other.all}
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
