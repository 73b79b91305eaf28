package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// policyRequest is GET /policies/{tool} and the form of that page. Checking and trying change nothing; saving and deleting do.
type policyRequest struct {
	tool    string // a pattern of a policy, or the name of a tool
	suggest string // the effect from which a draft is made
	version int64  // whose text is the draft; 0 for that in force
	posted  bool
	do      string // the button
	draft   string
	reason  string // why it is saved
	onto    int64  // the version that the form was made of
	trial   trialForm
}

// maxDraft bounds a draft, in bytes, as the policy files are.
const maxDraft = 1 << 20

func (r *policyRequest) bind(c echo.Context) error {
	tool, err := toolOf(c.Request(), c.Param("tool"))
	if err != nil || tool == "" || len(tool) > guard.MaxToolName {
		return &refusal{http.StatusNotFound, "Not here", "This is no name of a tool."}
	}
	r.tool, r.suggest = tool, c.QueryParam("suggest")
	r.version, _ = strconv.ParseInt(c.QueryParam("version"), 10, 64) // what is no number is no version
	if c.Request().Method != http.MethodPost {
		return nil
	}
	form, err := postForm(c)
	if err != nil {
		return err
	}
	r.do, r.reason = form.Get("do"), strings.TrimSpace(form.Get("reason"))
	r.onto, _ = strconv.ParseInt(form.Get("onto"), 10, 64) // 0 for none, which the guard compares
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
	Tells   string   // for tools without a policy: what happens to them
	Defect  problems // why calls of the tool are refused
	Filed   bool     // a file defines the tool
	Lines   []yamlLine
	Draft   draftView
	Kept    *keptView // nil for those who may not edit the policy
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
		Lines: yamlOf(rule.Lines()), Defect: problemsOf(rule.Defect), Filed: rule.Pattern != "" && rule.Kept == 0 && rule.Defect == nil,
	}
	refused := ""
	if r.do == "save" || r.do == "delete" {
		done, why, err := w.save(ctx, p, &r)
		if done != nil || err != nil {
			return done, err
		}
		refused = why
	}
	kept, versions, err := w.kept(ctx, p, r.tool)
	if err != nil {
		return nil, err
	}
	if v.Kept = kept; kept != nil {
		kept.Refused, kept.Reason = refused, r.reason
	}
	if rule.Unknown {
		v.Tells = unknownTools[set.UnknownTools()]
	}
	text, suggested := r.draft, ""
	if !r.posted {
		text = draftFrom(r.tool, rule, versions)
		if i := slices.IndexFunc(versions, func(v guard.PolicyVersion) bool { return v.Number == r.version && v.Text != "" }); i >= 0 {
			text, suggested = versions[i].Text, fmt.Sprintf("The text of version %d, to be saved anew.", r.version)
			kept.Reason = fmt.Sprintf("Back to version %d.", r.version)
		}
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
	if v.Draft, err = w.judge(ctx, &r, text, kept != nil); err != nil {
		return nil, err
	}
	v.Draft.Suggested, v.Draft.Open = suggested, suggested != "" || refused != "" || rule.Unknown || v.Defect != nil || r.posted && strings.TrimSpace(r.draft) != strings.TrimSpace(draftFrom(r.tool, rule, versions))
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

// draftFrom is the text that the page gives to be edited: the latest one that the ledger keeps, as its author wrote it.
func draftFrom(tool string, rule *policy.Rule, versions []guard.PolicyVersion) string {
	if len(versions) > 0 && versions[0].Text != "" {
		return versions[0].Text
	}
	return draftOf(tool, rule)
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
