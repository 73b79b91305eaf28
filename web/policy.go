package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// policyRequest is GET /policies/{tool} and the form of that page. Checking and trying change nothing.
type policyRequest struct {
	tool    string // a pattern of a policy, or the name of a tool
	suggest string // the effect from which a draft is made
	posted  bool
	draft   string
	trial   trialForm
}

// maxDraft bounds a draft, in bytes, as the policy files are.
const maxDraft = 1 << 20

func (r *policyRequest) bind(c echo.Context) error {
	tool, err := url.PathUnescape(c.Param("tool"))
	if err != nil || tool == "" || len(tool) > guard.MaxToolName {
		return &refusal{http.StatusNotFound, "Not here", "This is no name of a tool."}
	}
	r.tool, r.suggest = tool, c.QueryParam("suggest")
	if c.Request().Method != http.MethodPost {
		return nil
	}
	form, err := postForm(c)
	if err != nil {
		return err
	}
	r.posted, r.draft, r.trial = true, strings.ReplaceAll(form.Get("draft"), "\r\n", "\n"), readTrial(form)
	if len(r.draft) > maxDraft {
		return &refusal{http.StatusRequestEntityTooLarge, "Too long", "A policy may have 1 MiB."}
	}
	return nil
}

// toolView is the policy of one tool.
type toolView struct {
	Tool    string
	Address string
	Pattern string // of the policy in force; "" where none names the tool
	Source  string // file:line; "" where it is not in a file
	Mode    policy.Mode
	Kind    policy.Kind
	Runs    string
	Tells   string // for tools without a policy: what happens to them
	Lines   []yamlLine
	Draft   draftView
	Trial   trialView
}

// draftView is the editor.
type draftView struct {
	Text      string
	Rows      int
	Numbers   []int
	Open      bool   // somebody works on it
	Suggested string // what the draft does, where it was made from an effect
	Problems  problems
	Good      bool // it could be loaded
	Names     bool // it is about this tool
}

// policy is GET and POST /policies/{tool}.
func (w *Web) policy(ctx context.Context, p guard.Principal, r policyRequest) (reply, error) {
	set := w.policies.Current()
	rule := ruleFor(set, r.tool)
	v := toolView{
		Tool: r.tool, Address: policyPath(r.tool), Pattern: rule.Pattern, Source: rule.Source, Mode: rule.Mode, Kind: rule.Kind, Runs: upstreamOf(rule),
		Lines: yamlOf(rule.Lines()),
	}
	if rule.Unknown {
		v.Tells = unknownTools[set.UnknownTools()]
	}
	text, suggested := r.draft, ""
	if !r.posted {
		text = draftOf(r.tool, rule)
		if r.suggest != "" {
			e, err := w.guard.Effect(ctx, p, r.suggest)
			if err != nil {
				return nil, err
			}
			if ruleFor(set, e.Tool) != rule && !ruleFor(set, e.Tool).Unknown {
				return redirect(policyPath(e.Tool) + "?suggest=" + url.QueryEscape(e.ID)), nil
			}
			text, suggested = w.suggest(&e, rule)
			r.trial = w.trialOf(ctx, p, &e)
		}
	}
	v.Draft = checkDraft(r.tool, text)
	v.Draft.Suggested, v.Draft.Open = suggested, suggested != "" || rule.Unknown || r.changes(rule)
	var err error
	if v.Trial, err = w.try(ctx, p, r.tool, r.trial); err != nil {
		return nil, err
	}
	return page{template: "policy", title: r.tool, section: atPolicies, view: v}, nil
}

// ruleFor finds a policy by its pattern, else the one that holds for a tool of this name.
func ruleFor(set *policy.Set, name string) *policy.Rule {
	rules := set.Rules()
	if i := slices.IndexFunc(rules, func(r *policy.Rule) bool { return r.Pattern == name }); i >= 0 {
		return rules[i]
	}
	return set.Match(name)
}

// changes reports whether the form came with another draft than the page gave.
func (r *policyRequest) changes(rule *policy.Rule) bool {
	return r.posted && strings.TrimSpace(r.draft) != strings.TrimSpace(draftOf(r.tool, rule))
}

// draftName is what problems call the editor's text.
const draftName = "draft"

// mostNumbers is how many lines of a draft are numbered.
const mostNumbers = 5000

// checkDraft says what is wrong with a text, as "onceguard check" does with a file. A reviewer may learn by it whether a variable of the
// environment is set, but never its value.
func checkDraft(tool, text string) draftView {
	v := draftView{Text: text, Rows: min(max(strings.Count(text, "\n")+2, 8), mostNumbers)}
	for i := range v.Rows {
		v.Numbers = append(v.Numbers, i+1)
	}
	set, err := policy.Parse(draftName, []byte(text))
	v.Problems = problemsOf(err)
	v.Good = err == nil
	if v.Good {
		v.Names = !ruleFor(set, tool).Unknown
	}
	return v
}

// problems are defects of policies as a page lists them.
type problems []problem

type problem struct {
	Place   string // file:line:column; "" where the whole is meant
	Here    bool   // in the editor
	Line    int
	Column  int
	Message string
	Remedy  string
}

func problemsOf(err error) problems {
	if err == nil {
		return nil
	}
	list, ok := errors.AsType[policy.Problems](err)
	if !ok {
		return problems{{Message: err.Error()}}
	}
	all := make(problems, len(list))
	for i, p := range list {
		place, _, _ := strings.Cut(policy.Problem{File: p.File, Line: p.Line, Column: p.Column}.String(), ": ")
		all[i] = problem{place, p.File == draftName && p.Line > 0, p.Line, p.Column, p.Message, p.Remedy}
	}
	return all
}
