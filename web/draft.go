package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// draftName is what problems call the editor's text.
const draftName = "draft"

// mostNumbers is how many lines of a draft are numbered.
const mostNumbers = 5000

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

// opening is what the editor begins with.
type opening struct {
	text      string
	says      string // what the text is, where it is another one than that in force
	reason    string // why it would be saved
	elsewhere string // the address of the page that has it instead
}

// opening makes the draft that a page begins with: what is in force, an older version, or what an effect speaks for.
func (w *Web) opening(ctx context.Context, p guard.Principal, r *policyRequest, rule *policy.Rule, versions []guard.PolicyVersion) (opening, error) {
	if r.suggest != "" {
		e, err := w.guard.Effect(ctx, p, r.suggest)
		if err != nil {
			return opening{}, err
		}
		if of := ruleFor(w.policies.Current(), e.Tool); of != rule && !of.Unknown {
			return opening{elsewhere: policyPath(e.Tool) + "?suggest=" + url.QueryEscape(e.ID)}, nil
		}
		r.trial = w.trialOf(ctx, p, &e)
		text, says := w.suggest(&e, rule)
		return opening{text: text, says: says}, nil
	}
	if i := slices.IndexFunc(versions, func(v guard.PolicyVersion) bool { return v.Number == r.version && v.Text != "" }); i >= 0 {
		return opening{
			text: versions[i].Text, says: fmt.Sprintf("The text of version %d, to be saved anew.", r.version), reason: fmt.Sprintf("Back to version %d.", r.version),
		}, nil
	}
	return opening{text: draftFrom(r.tool, rule, versions)}, nil
}

// draftFrom is the text that the page gives to be edited: the latest one that the ledger keeps, as its author wrote it.
func draftFrom(tool string, rule *policy.Rule, versions []guard.PolicyVersion) string {
	if len(versions) > 0 && versions[0].Text != "" {
		return versions[0].Text
	}
	return draftOf(tool, rule)
}

// draftOfText is the editor with a text.
func draftOfText(text string) draftView {
	v := draftView{Text: text, Rows: min(max(strings.Count(text, "\n")+2, 8), mostNumbers)}
	for i := range v.Rows {
		v.Numbers = append(v.Numbers, i+1)
	}
	return v
}

// judged notes what is wrong with the draft, as "onceguard check" says it of a file. A reviewer may learn by it whether a variable of
// the environment is set, but never its value.
func (v *draftView) judged(tool string, set *policy.Set, err error) {
	v.Problems, v.Good = problemsOf(err), err == nil
	v.Names = v.Good && !ruleFor(set, tool).Unknown
}

// judge says what is wrong with a draft. Where it could be saved it is held against the files and the ledger, else against nothing but
// the language. The set that it would bring into force is nil where there is something wrong.
func (w *Web) judge(ctx context.Context, tool, text string, editable bool) (draftView, rehearsal, error) {
	v := draftOfText(text)
	if !editable || strings.TrimSpace(text) == "" {
		set, err := policy.Parse(draftName, []byte(text))
		v.judged(tool, set, err)
		return v, rehearsal{set, true}, nil
	}
	edited := named(text)
	if edited == "" {
		edited = tool
	}
	set, err := w.guard.CheckPolicy(ctx, guard.PolicyEdit{Tool: edited, Text: text})
	if code := guard.CodeOf(err); err != nil && code != guard.CodeInvalid && code != guard.CodeConflict {
		return v, rehearsal{}, err
	}
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Err != nil {
		err = e.Err
	} else if ok {
		err = errors.New(e.Message)
	}
	v.judged(tool, set, err)
	return v, rehearsal{set: set}, nil
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

// draftOf is a policy document that says what the files say of a tool, to be edited.
func draftOf(tool string, r *policy.Rule) string {
	if r.Unknown {
		return document(tool, nil, nil)
	}
	return document(r.Pattern, yamlOf(written(r)), nil)
}

// document writes a policy of one tool, with comments before it.
func document(name string, lines []yamlLine, comments []string) string {
	var b strings.Builder
	b.WriteString("version: 1\ntools:\n")
	for _, c := range comments {
		b.WriteString("  # " + c + "\n")
	}
	b.WriteString("  - name: " + yamlKey(name) + "\n")
	for _, l := range lines {
		b.WriteString("    " + l.Text + "\n")
	}
	return b.String()
}
