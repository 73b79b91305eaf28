package policy

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/parser"
)

// dialect is what the expressions of one key may look at.
type dialect struct {
	*cel.Env
	// general has all that the expressions know but the type of args.
	general *checker.Env
	quick   *parser.Parser
}

// conditionDialect is that of "rules:".
var conditionDialect = sync.OnceValue(func() *dialect { return newDialect(conditionVariables()...) })

// approvalDialect is that of "approvals.when".
var approvalDialect = sync.OnceValue(func() *dialect {
	return newDialect(append(conditionVariables(), cel.Variable("reviewer", cel.ObjectType(typeReviewer)))...)
})

// outcomeDialect is that of the outcome overrides.
var outcomeDialect = sync.OnceValue(func() *dialect {
	return newDialect(
		cel.Variable("status", cel.IntType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("body", cel.DynType),
	)
})

func conditionVariables() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Variable("norm", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("tool", cel.StringType),
		cel.Variable("tenant", cel.StringType),
		cel.Variable("subject", cel.StringType),
		cel.Variable("agent", cel.StringType),
		cel.Variable("run", cel.StringType),
		cel.Variable("labels", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("now", cel.TimestampType),
		cel.Variable("annotations", cel.ObjectType(typeAnnotations)),
		cel.Variable("history", cel.ObjectType(typeHistory)),
	}
}

// generalArgs is the type of args where no schema says more.
var generalArgs = cel.MapType(cel.StringType, cel.DynType)

func newDialect(variables ...cel.EnvOption) *dialect {
	env, err := cel.NewEnv(append(variables,
		func(e *cel.Env) (*cel.Env, error) {
			return cel.CustomTypeProvider(&structs{Provider: e.CELTypeProvider(), fields: fixedStructs})(e)
		},
		cel.Variable("args", generalArgs),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.DefaultUTCTimeZone(true),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
		ext.Strings(),
	)...)
	var general *checker.Env
	if err == nil {
		general, err = generalChecker(env)
	}
	if err != nil {
		// The declarations are constant, so this is a defect of this package.
		panic("policy: CEL environment: " + err.Error())
	}
	// It takes a tenth of the time of Env's own parser, which every expression that it does not take is given to.
	quick, err := parser.NewParser(parser.Macros(env.Macros()...), parser.ExpressionSizeCodePointLimit(maxExpression), parser.EnablePrattParser(true))
	if err != nil {
		panic("policy: CEL parser: " + err.Error()) // the options are constant as well
	}
	return &dialect{env, general, quick}
}

func generalChecker(env *cel.Env) (*checker.Env, error) {
	general, err := checker.NewEnv(env.Container, env.CELTypeProvider(), checker.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, err
	}
	for _, v := range env.Variables() {
		if v.Name() == "args" {
			continue
		}
		if err := general.AddIdents(v); err != nil {
			return nil, err
		}
	}
	for _, f := range env.Functions() {
		if f.IsDeclarationDisabled() {
			continue
		}
		if err := general.AddFunctions(f); err != nil {
			return nil, err
		}
	}
	return general, nil
}

// names are the variables of the dialect.
func (d *dialect) names() []string {
	var names []string
	for _, v := range d.Variables() {
		// The standard library declares the names of its types as variables, too.
		if v.Type().Kind() != cel.TypeKind {
			names = append(names, v.Name())
		}
	}
	return names
}

// check holds a parsed expression against the types of a tool's arguments, which may be nil. The expression itself is compiled without
// them: a call can have arguments that its schema does not foresee. out is the type of the expression, where nothing is in doubt.
func (d *dialect) check(parsed *ast.AST, source common.Source, t *schemaTypes) (faults []*cel.Error, out *cel.Type) {
	provider, args := d.CELTypeProvider(), generalArgs
	if t != nil {
		s := t.structs
		s.Provider, s.missed = provider, t.missed
		provider, args = &s, types.NewObjectType(typeArgs)
	}
	env, err := checker.NewEnv(d.Container, provider, checker.CrossTypeNumericComparisons(true), checker.ValidatedDeclarations(d.general))
	if err == nil {
		err = env.AddIdents(decls.NewVariable("args", args))
	}
	if err != nil {
		panic("policy: types of arguments: " + err.Error()) // a scope of its own, with one declaration
	}
	checked, errs := checker.Check(parsed, source, env)
	if len(errs.GetErrors()) == 0 {
		return nil, checked.GetType(checked.Expr().ID())
	}
	return slices.DeleteFunc(errs.GetErrors(), func(e *cel.Error) bool { return isNumberDispute(e.Message) }), nil
}

// comparison matches what CEL says of a comparison, or a function of texts, between types that do not go together.
var comparison = regexp.MustCompile(`^found no matching overload for '(_[<>=!]=?_|startsWith|endsWith|contains|matches)' applied to '(.*)'`)

// isNumberDispute reports whether an error may be due to numbers being no doubles after all. It is none where a number meets
// something that is no number.
func isNumberDispute(message string) bool {
	if !strings.Contains(message, "double") {
		return false
	}
	m := comparison.FindStringSubmatch(message)
	return m == nil || strings.Contains(m[2], "int") || strings.Contains(m[2], "(double, double)")
}
