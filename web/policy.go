package web

import (
	"context"
	"errors"
	"net/http"
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
	saved   int64  // the version that was saved a moment ago
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
	r.trial = readTrial(nil)
	r.version, _ = strconv.ParseInt(c.QueryParam("version"), 10, 64) // what is no number is no version
	r.saved, _ = strconv.ParseInt(c.QueryParam("saved"), 10, 64)
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
	Tool     string
	Address  string
	Pattern  string // of the policy in force; "" where none names the tool
	Source   string // file:line; "" where it is not in a file
	Mode     policy.Mode
	Kind     policy.Kind
	Runs     string
	Tells    string   // for tools without a policy: what happens to them
	Defect   problems // why calls of the tool are refused
	Filed    bool     // a file says it
	Lines    []yamlLine
	Draft    draftView
	Refused  string    // why the draft was not saved
	Kept     *keptView // nil for those who may not edit the policy
	Backtest backtestView
	Trial    trialView
}

// policy is GET and POST /policies/{tool}.
func (w *Web) policy(ctx context.Context, p guard.Principal, r policyRequest) (reply, error) {
	var refused refusedEdit
	if r.do == "save" || r.do == "delete" {
		done, why, err := w.save(ctx, p, &r)
		if done != nil || err != nil {
			return done, err
		}
		refused = why
	}
	set := w.policies.Current()
	rule := ruleFor(set, r.tool)
	v := toolViewOf(r.tool, rule, set)
	v.Refused = refused.says
	kept, versions, err := w.kept(ctx, p, r.tool)
	if err != nil {
		return nil, err
	}
	stands := standingOf(r.tool, rule, versions, kept != nil)
	start := opening{text: r.draft, reason: r.reason}
	if !r.posted {
		if start, err = w.opening(ctx, p, &r, rule, stands); err != nil {
			return nil, err
		}
		if start.elsewhere != "" {
			return redirect(start.elsewhere), nil
		}
	}
	if v.Kept = kept; kept != nil {
		kept.Reason, kept.Against, kept.Saved = start.reason, against(refused, kept.Versions, versions, &r), savedVersion(kept.Versions, r.saved)
	}
	draft, would, err := w.judge(ctx, r.tool, start.text, kept != nil)
	if err != nil {
		return nil, err
	}
	draft.Suggested = start.says
	stands.compare(&draft)
	draft.Open = draft.Differs || start.says != "" || refused.says != "" || r.do == "check" || r.do == "backtest" || rule.Unknown || v.Defect != nil
	v.Draft = draft
	if r.do == "backtest" {
		if v.Backtest, err = w.backtestDraft(ctx, p, r.tool, &draft, would); err != nil {
			return nil, err
		}
	}
	if v.Trial, err = w.try(ctx, p, r.tool, r.trial, &draft, would); err != nil {
		return nil, err
	}
	return page{template: "policy", title: r.tool, section: atPolicies, view: v}, nil
}

// toolViewOf is what is in force.
func toolViewOf(tool string, rule *policy.Rule, set *policy.Set) toolView {
	v := toolView{
		Tool: tool, Address: policyPath(tool), Pattern: rule.Pattern, Source: rule.Source, Mode: rule.Mode, Kind: rule.Kind, Runs: upstreamOf(rule),
		Defect: problemsOf(rule.Defect), Filed: rule.Pattern != "" && rule.Kept == 0 && rule.Defect == nil,
	}
	if rule.Defect == nil { // else nothing of it is in force
		v.Lines = yamlOf(rule.Lines())
	}
	if rule.Unknown {
		v.Tells = unknownTools[set.UnknownTools()]
	}
	return v
}

// ruleFor finds a policy by its pattern, else the one that holds for a tool of this name.
func ruleFor(set *policy.Set, name string) *policy.Rule {
	if r := set.Find(name); r != nil {
		return r
	}
	return set.Match(name)
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
