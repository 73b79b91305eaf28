package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
)

// interruptEvery is after how many steps of a comprehension a cancelled context is noticed.
const interruptEvery = 100

// expression is a compiled CEL expression.
type expression struct {
	text    string
	source  string // file:line
	program cel.Program
	reads   reads
	loops   bool // it has a comprehension, and so can take long enough to be interrupted
}

// conditionEnv declares what the conditions of "rules:" may look at.
var conditionEnv = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append(commonOptions(),
		cel.Variable("tool", cel.StringType),
		cel.Variable("tenant", cel.StringType),
		cel.Variable("subject", cel.StringType),
		cel.Variable("agent", cel.StringType),
		cel.Variable("run", cel.StringType),
		cel.Variable("labels", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("now", cel.TimestampType),
	)...)
})

// outcomeEnv declares what the outcome overrides may look at.
var outcomeEnv = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append(commonOptions(),
		cel.Variable("status", cel.IntType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("body", cel.DynType),
	)...)
})

func commonOptions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.DefaultUTCTimeZone(true),
		ext.Strings(),
	}
}

// compile compiles one expression and notes what is wrong with it.
func (c *compiler) expression(doc expressionDoc, environment func() (*cel.Env, error)) *expression {
	where := at(doc.node)
	e := &expression{text: doc.text, source: fmt.Sprintf("%s:%d", c.label, where.line)}
	env, err := environment()
	if err != nil {
		// The declarations above are constant, so this is a defect of this package.
		panic("policy: CEL environment: " + err.Error())
	}
	ast, issues := env.Compile(doc.text)
	if issues.Err() != nil {
		for _, issue := range issues.Errors() {
			c.add(c.celPlace(doc, issue.Location), fmt.Sprintf("%s: %s", doc.key, celMessage(issue)), celRemedy(issue.Message, environment))
		}
		return nil
	}
	if out := ast.OutputType(); !out.IsExactType(cel.BoolType) && !out.IsExactType(cel.DynType) {
		c.add(where, fmt.Sprintf("%s: the expression gives a value of type %s where true or false is needed", doc.key, out), "compare it with something")
		return nil
	}
	e.inspect(ast)
	options := []cel.ProgramOption{cel.InterruptCheckFrequency(interruptEvery), cel.EvalOptions(cel.OptOptimize)}
	if !isCheap(env, ast) {
		options = append(options, cel.CostLimit(costLimit))
	}
	e.program, err = env.Program(ast, options...)
	if err != nil {
		c.add(where, fmt.Sprintf("%s: %s", doc.key, err), "mend the expression")
		return nil
	}
	return e
}

// celMessage says in words of the policy language what CEL found.
func celMessage(issue *cel.Error) string {
	message := strings.TrimPrefix(issue.Message, "Syntax error: ")
	if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return fmt.Sprintf("there is no %q", name)
	}
	message, _, _ = strings.Cut(message, " expecting ")
	return strings.NewReplacer("mismatched input", "unexpected", "'<EOF>'", "end of the expression").Replace(message)
}

func celRemedy(message string, environment func() (*cel.Env, error)) string {
	rest, ok := strings.CutPrefix(message, "undeclared reference to '")
	if !ok {
		return "mend the CEL expression"
	}
	name, _, _ := strings.Cut(rest, "'")
	env, err := environment()
	if err != nil {
		return ""
	}
	var names []string
	for _, v := range env.Variables() {
		// The standard library declares the names of its types as variables, too.
		if v.Type().Kind() != cel.TypeKind {
			names = append(names, v.Name())
		}
	}
	return suggest(name, names) + "; an argument is written args.NAME"
}

// celPlace maps a position within an expression to one within the file: exactly for plain texts, block literals and quoted
// texts of one line, else to where the expression begins.
func (c *compiler) celPlace(doc expressionDoc, l common.Location) place {
	return scalarPlace(doc.node, l.Line(), l.Column())
}

// Reasons why an expression gave no answer. None contains a value.
var (
	errCost      = errors.New("it costs more than a condition may")
	errCancelled = errors.New("the call was given up while it was evaluated")
	errType      = errors.New("a value has another type than it needs")
	errNotBool   = errors.New("it gives neither true nor false")
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
	if e.loops {
		out, _, err = e.program.ContextEval(ctx, vars)
	} else {
		out, _, err = e.program.Eval(vars)
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
	if key, ok := strings.CutPrefix(err.Error(), "no such key: "); ok {
		// A key that the policy itself spells out is no secret; a computed one could be a value of the call.
		if len(key) < 100 && strings.Contains(e.text, key) {
			return missingError(key)
		}
		return missingError("")
	}
	return errType
}
