package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/onceguard/onceguard/guard"
)

// keptView is what the ledger keeps of a policy. Only those see it who may edit it.
type keptView struct {
	Tool     string
	Onto     int64 // the version that the page shows
	Reason   string
	Stands   bool // there is a version to delete
	Refused  string
	Versions []versionView
}

// versionView is a version with what it changed.
type versionView struct {
	Number  int64
	Address string // of this page with the version's text as the draft
	Author  string
	Reason  string
	At      time.Time
	InForce bool
	Deleted bool
	Diff    []diffLine
}

// diffLine is a line of a comparison.
type diffLine struct {
	Sign string // "+", "-" or ""
	Text string
}

// kept tells what the ledger keeps of a policy; nil for those who may not edit it, and where a file defines the tool.
func (w *Web) kept(ctx context.Context, p guard.Principal, tool string) (*keptView, []guard.PolicyVersion, error) {
	if r := w.policies.Current().Find(tool); !w.guard.MayEditPolicies(p) || r != nil && r.Kept == 0 && r.Defect == nil {
		return nil, nil, nil
	}
	list, err := w.guard.PolicyVersions(ctx, p, tool)
	if err != nil {
		return nil, nil, err
	}
	v := &keptView{Tool: tool}
	if len(list) > 0 {
		v.Onto, v.Stands = list[0].Number, list[0].Text != ""
	}
	for i := range list {
		at := &list[i]
		v.Versions = append(v.Versions, versionView{
			at.Number, policyPath(tool) + "?version=" + strconv.FormatInt(at.Number, 10) + "#h-draft", at.Author, at.Reason, at.At, at.InForce, at.Text == "", diffLines(at.Diff),
		})
	}
	return v, list, nil
}

// diffLines takes a unified diff apart, without its two lines of names.
func diffLines(diff string) []diffLine {
	var all []diffLine
	for i, line := range strings.Split(strings.TrimSuffix(diff, "\n"), "\n") {
		if i < 2 || line == "" {
			continue
		}
		switch sign := line[:1]; sign {
		case "+", "-":
			all = append(all, diffLine{sign, line[1:]})
		case " ":
			all = append(all, diffLine{"", line[1:]})
		default:
			all = append(all, diffLine{"", line})
		}
	}
	return all
}

// save writes the draft into the ledger, or ends the policy that stands there. What the guard refuses is told on the page.
func (w *Web) save(ctx context.Context, p guard.Principal, r *policyRequest) (reply, string, error) {
	e := guard.PolicyEdit{Tool: r.tool, Reason: r.reason, Onto: r.onto}
	if r.do == "save" {
		if e.Text = r.draft; named(r.draft) != "" && named(r.draft) != r.tool {
			return nil, "The draft is about " + named(r.draft) + " and this page about " + r.tool + ". Open the page of the other one to save it.", nil
		}
		if strings.TrimSpace(e.Text) == "" {
			return nil, "The draft is empty. To end the policy is another button.", nil
		}
	}
	_, err := w.guard.EditPolicy(ctx, p, e)
	switch guard.CodeOf(err) {
	case "":
		return redirect(policyPath(r.tool)), "", nil
	case guard.CodeInvalid, guard.CodeConflict, guard.CodeNotFound:
		return nil, sentence(err), nil
	}
	return nil, "", err
}

// sentence is what the guard says of a refused edit. What is wrong with the draft is listed below it.
func sentence(err error) string {
	e, ok := errors.AsType[*guard.Error](err)
	if !ok {
		return err.Error()
	}
	if strings.HasPrefix(e.Field, "/reason") {
		return "The reason " + e.Message + "."
	}
	return "Not saved: " + e.Message + "."
}

// named is the tool that a draft is about; "" where that cannot be read.
func named(text string) string {
	var doc struct {
		Tools []struct {
			Name string `yaml:"name"`
		} `yaml:"tools"`
	}
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Tools) == 0 {
		return ""
	}
	return doc.Tools[0].Name
}

// judge says what is wrong with a draft. Where it could be saved it is held against the files and the ledger, else against nothing but
// the language.
func (w *Web) judge(ctx context.Context, r *policyRequest, text string, editable bool) (draftView, error) {
	v := checkDraft(r.tool, text)
	if !editable || strings.TrimSpace(text) == "" {
		return v, nil
	}
	tool := named(text)
	if tool == "" {
		tool = r.tool
	}
	set, err := w.guard.CheckPolicy(ctx, guard.PolicyEdit{Tool: tool, Text: text})
	if code := guard.CodeOf(err); err != nil && code != guard.CodeInvalid && code != guard.CodeConflict {
		return v, err
	}
	v.Good, v.Names, v.Problems = err == nil, err == nil && !ruleFor(set, r.tool).Unknown, nil
	if e, ok := errors.AsType[*guard.Error](err); ok {
		if v.Problems = problemsOf(e.Err); v.Problems == nil {
			v.Problems = problems{{Message: e.Message}}
		}
	}
	return v, nil
}

// toolOf is the name in the path of a request.
func toolOf(req *http.Request, param string) (string, error) {
	if req.URL.RawPath == "" {
		return param, nil // it was decoded with the path
	}
	return url.PathUnescape(param)
}
