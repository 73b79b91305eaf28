package policy

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// interruptEvery is after how many steps of a comprehension a cancelled context is noticed.
const interruptEvery = 100

// expression is a compiled CEL expression.
type expression struct {
	text    string
	source  string // file:line
	dialect *dialect
	reads   reads
	loops   bool // it has a comprehension, and so can take long enough to be interrupted
	// literals says that it uses a function whose literal arguments CEL validates.
	literals bool

	planning sync.Once
	program  cel.Program
	defect   error
}

// condition compiles an expression about a call. What the tool says itself is held against the types of its arguments; what it
// inherits is about all kinds of tools, and compiled once for all of them.
func (c *compiler) condition(doc expressionDoc, key string, t *toolDoc, rule *Rule) *expression {
	d := conditionDialect()
	if key == "approvals.when" {
		d = approvalDialect()
	}
	if _, own := t.own.place(key); !own {
		return c.inherited(doc, d)
	}
	e := c.expression(doc, d, t.argumentTypes(rule.schema))
	if e != nil {
		c.checkReads(doc, e, rule.schema)
		c.checkNorm(doc, e, t.known(rule.schema))
		c.checkHistory(doc, e, rule)
	}
	return e
}

// outcome compiles an outcome override.
func (c *compiler) outcome(doc expressionDoc, state string, t *toolDoc, rule *Rule) *expression {
	if _, own := t.own.place(state + "_when"); !own {
		return c.inherited(doc, outcomeDialect())
	}
	e := c.expression(doc, outcomeDialect(), t.argumentTypes(rule.schema))
	if e != nil {
		c.checkReads(doc, e, rule.schema)
	}
	return e
}

// expression compiles one expression and notes what is wrong with it. types may be nil.
func (c *compiler) expression(doc expressionDoc, d *dialect, types *schemaTypes) *expression {
	e := &expression{text: doc.text, source: doc.node.at.source(), dialect: d}
	if e.isSurelyGood(types) {
		return e
	}
	parsed, issues := d.Parse(doc.text)
	if issues.Err() != nil {
		c.celProblems(doc, d, issues.Errors(), nil)
		return nil
	}
	if !e.inspect(parsed.NativeRep()) {
		c.add(doc.node.at, doc.key+": norm is used as a whole, but only its members are there", "write norm.NAME")
		return nil
	}
	if types != nil && !e.reads.all {
		errs, out := d.check(parsed.NativeRep(), parsed.Source(), types)
		if len(errs) > 0 {
			c.celProblems(doc, d, errs, types)
			return nil
		}
		if out != nil && !e.literals {
			// What holds for these types holds for any.
			return c.truth(doc, e, out)
		}
	}
	checked, issues := d.Check(parsed)
	if issues.Err() != nil {
		c.celProblems(doc, d, issues.Errors(), nil)
		return nil
	}
	return c.truth(doc, e, checked.OutputType())
}

// usualTokens are texts in which CEL's two parsers find the same tokens. Of rarer ones, such as 0X1, the quick one takes some that the
// other does not.
var usualTokens = regexp.MustCompile(`^(?:[ \t\n]|[a-zA-Z_][a-zA-Z0-9_]*\b|[0-9]+(?:\.[0-9]+)?\b|"[^"\\\x00-\x1f]+"|'[^'\\\x00-\x1f]+'|[-+*/%<>=!&|?:.,()\[\]])*$`)

// isSurelyGood reports whether nothing can be wrong with an expression. What is wrong otherwise is for CEL's own parser to say.
func (e *expression) isSurelyGood(types *schemaTypes) bool {
	if !usualTokens.MatchString(e.text) {
		return false
	}
	source := common.NewTextSource(e.text)
	parsed, errs := e.dialect.quick.Parse(source)
	if len(errs.GetErrors()) > 0 || !e.inspect(parsed) || e.literals {
		return false
	}
	if e.reads.all {
		types = nil
	}
	faults, out := e.dialect.check(parsed, source, types)
	return len(faults) == 0 && out != nil && isTruth(out)
}

func isTruth(t *cel.Type) bool { return t.IsExactType(cel.BoolType) || t.IsExactType(cel.DynType) }

// truth completes an expression whose type is known.
func (c *compiler) truth(doc expressionDoc, e *expression, out *cel.Type) *expression {
	if !isTruth(out) {
		c.add(doc.node.at, fmt.Sprintf("%s: the expression gives a value of type %s where true or false is needed", doc.key, out), "compare it with something")
		return nil
	}
	return e
}

// plan makes the program when it is first needed: most tools of a large set are never called before the set is replaced.
func (e *expression) plan() (cel.Program, error) {
	e.planning.Do(func() {
		checked, issues := e.dialect.Compile(e.text)
		if e.defect = issues.Err(); e.defect != nil {
			return
		}
		options := []cel.ProgramOption{cel.InterruptCheckFrequency(interruptEvery), cel.EvalOptions(cel.OptOptimize)}
		if !isCheap(e.dialect.Env, checked) {
			options = append(options, cel.CostLimit(costLimit))
		}
		e.program, e.defect = e.dialect.Program(checked, options...)
	})
	return e.program, e.defect
}

// celProblems notes what CEL found, in words of the policy language.
func (c *compiler) celProblems(doc expressionDoc, d *dialect, found []*cel.Error, types *schemaTypes) {
	for _, f := range found {
		message, remedy := celMessage(f.Message)
		where := doc.node.inText(f.Location.Line(), f.Location.Column())
		if name, ok := quoted(f.Message, "undeclared reference to '"); ok {
			message, remedy = undeclared(name, doc.text, d)
		}
		if name, ok := quoted(f.Message, "undefined field '"); ok {
			message, remedy = undefinedField(name, d, types)
			where = doc.node.inText(f.Location.Line(), f.Location.Column()+1) // behind the dot
		}
		c.add(where, fmt.Sprintf("%s: %s", doc.key, message), remedy)
	}
}

// quoted returns what follows the beginning of a message up to the next quote.
func quoted(message, beginning string) (string, bool) {
	rest, ok := strings.CutPrefix(message, beginning)
	name, _, _ := strings.Cut(rest, "'")
	return name, ok
}

// undeclared is about a name that the expression uses and the dialect does not have.
func undeclared(name, text string, d *dialect) (message, remedy string) {
	if called, err := regexp.MatchString(`\b`+regexp.QuoteMeta(name)+`\s*\(`, text); err == nil && called {
		return fmt.Sprintf("there is no function %q", name), "use one of CEL's standard library or its strings extension, such as contains, startsWith or matches"
	}
	return fmt.Sprintf("there is no %q", name), suggest(name, d.names()) + "; an argument is written args.NAME"
}

// undefinedField is about a field that an object does not have.
func undefinedField(name string, d *dialect, types *schemaTypes) (message, remedy string) {
	owner := ""
	if types != nil {
		owner = types.missed[name]
	}
	switch {
	case owner == typeArgs:
		known, _ := types.FindStructFieldNames(owner)
		return fmt.Sprintf("the schema names no argument %q", name), suggest(name, known)
	case owner != "":
		known, _ := types.FindStructFieldNames(owner)
		return fmt.Sprintf("the schema of %s has no %q", strings.Replace(owner, typeArgs, "args", 1), name), suggest(name, known)
	}
	var known []string
	for _, t := range []string{typeHistory, typeAnnotations, typeReviewer} {
		fields, _ := d.CELTypeProvider().FindStructFieldNames(t)
		known = append(known, fields...)
	}
	return fmt.Sprintf("there is no field %q", name), suggest(name, known)
}

var overload = regexp.MustCompile(`^found no matching overload for '_?([^_']+)_?' applied to '(.*)'$`)

// literalFunctions are those whose literal arguments CEL's validators look at.
var literalFunctions = []string{"duration", "timestamp", "matches"}

// literalRemedies say how the literals are written that CEL's validators know.
var literalRemedies = map[string]string{
	"invalid duration argument":  "write a number with a unit, such as duration('36h')",
	"invalid timestamp argument": "write a time of RFC 3339, such as timestamp('2026-01-31T00:00:00Z')",
	"invalid matches argument":   "write a regular expression of RE2, and double its backslashes",
}

// celMessage says more plainly what CEL found.
func celMessage(message string) (plain, remedy string) {
	message, _, _ = strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting ")
	message, _, _ = strings.Cut(message, "\n")
	if m := overload.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("%q does not go with the types %s", m[1], m[2]), "compare or join values of one type; double(…), int(…) and string(…) convert"
	}
	if remedy, ok := literalRemedies[message]; ok {
		return message, remedy
	}
	return strings.NewReplacer("mismatched input", "unexpected", "'<EOF>'", "end of the expression").Replace(message), "mend the CEL expression"
}

// Reasons why an expression gave no answer. None contains a value.
var (
	errCost      = errors.New("it costs more than a condition may")
	errCancelled = errors.New("the call was given up while it was evaluated")
	errType      = errors.New("a value has another type than it needs")
	errNotBool   = errors.New("it gives neither true nor false")
	errHistory   = errors.New("the history of what it acts on is not known")
)

// missingError is a key that the expression asks for and the call does not have.
type missingError string

func (m missingError) Error() string {
	if m == "" {
		return "something it asks for is missing"
	}
	return fmt.Sprintf("%q, which it asks for, is missing", string(m))
}

// holds evaluates the expression. The error says why it gave no answer, without values.
func (e *expression) holds(ctx context.Context, vars any) (bool, error) {
	out, err := e.evaluate(ctx, vars)
	if err != nil {
		return false, e.reason(err)
	}
	yes, ok := out.Value().(bool)
	if !ok {
		return false, errNotBool
	}
	return yes, nil
}

// evaluate watches the context only for the expressions in which CEL ever looks at it, because watching is costly.
func (e *expression) evaluate(ctx context.Context, vars any) (out ref.Val, err error) {
	program, err := e.plan()
	if err != nil {
		return nil, err
	}
	if e.loops {
		out, _, err = program.ContextEval(ctx, vars)
	} else {
		out, _, err = program.Eval(vars)
	}
	return out, err
}

// reason reduces an error of CEL, which can quote values, to one that does not.
func (e *expression) reason(err error) error {
	var cancelled interpreter.EvalCancelledError
	switch {
	case errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded:
		return errCost
	case errors.As(err, &cancelled), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errCancelled
	}
	if errors.Is(err, errHistory) {
		return errHistory
	}
	if key, ok := strings.CutPrefix(err.Error(), "no such key: "); ok {
		// A key that the policy itself spells out is no secret; a computed one could be a value of the call.
		if len(key) < 100 && strings.Contains(e.text, key) {
			return missingError(key)
		}
		return missingError("")
	}
	return errType
}
