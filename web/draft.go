package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
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
	Numbers   []lineNumber
	Open      bool   // somebody works on it
	Suggested string // what the draft does, where it was made from an effect
	Problems  problems
	Good      bool       // it could be loaded
	Names     bool       // it is about this tool
	Differs   bool       // from what is in force
	Changes   []diffLine // in what stands
}

// lineNumber is the number beside a line of the editor.
type lineNumber struct {
	Number int
	Bad    bool // there is a problem in the line
}

// opening is what the editor begins with.
type opening struct {
	text      string
	says      string // what the text is, where it is another one than that in force
	reason    string // why it would be saved
	elsewhere string // the address of the page that has it instead
}

// opening makes the draft that a page begins with: what stands, an older version, or what an effect speaks for.
func (w *Web) opening(ctx context.Context, p guard.Principal, r *policyRequest, rule *policy.Rule, s standing) (opening, error) {
	if r.suggest != "" {
		e, err := w.guard.Effect(ctx, p, r.suggest)
		if err != nil {
			return opening{}, err
		}
		if of := ruleFor(w.policies.Current(), e.Tool); of != rule && !of.Unknown {
			return opening{elsewhere: policyPath(e.Tool) + "?suggest=" + url.QueryEscape(e.ID)}, nil
		}
		r.trial = w.trialOf(ctx, p, &e)
		text, says := w.suggest(&e, rule, s.name)
		return opening{text: text, says: says}, nil
	}
	if i := slices.IndexFunc(s.versions, func(v guard.PolicyVersion) bool { return v.Number == r.version && v.Text != "" }); i >= 0 {
		return opening{
			text: s.versions[i].Text, says: fmt.Sprintf("The text of version %d, to be saved anew.", r.version), reason: fmt.Sprintf("Back to version %d.", r.version),
		}, nil
	}
	return opening{text: s.text}, nil
}

// standing is what the editor changes.
type standing struct {
	name     string                // of the entry under "tools:"
	text     string                // the latest one that the ledger keeps, as its author wrote it, else what the files say
	unusable bool                  // the latest version is not the one in force
	first    bool                  // nobody has written a policy yet
	versions []guard.PolicyVersion // for those who may edit them
}

// standingOf tells what the editor changes on the page of a tool. Who may write into the ledger writes there of this one tool, also where
// a glob says something of it.
func standingOf(tool string, rule *policy.Rule, versions []guard.PolicyVersion, editable bool) standing {
	s := standing{name: rule.Pattern, first: rule.Unknown, versions: versions}
	if rule.Unknown || editable {
		s.name = tool
	}
	if len(versions) > 0 && versions[0].Text != "" {
		s.text, s.unusable = versions[0].Text, !versions[0].InForce
	} else {
		s.text = draftOf(s.name, rule)
	}
	return s
}

// compare notes whether a draft says something else than what is in force, and what it would change in the text that stands.
func (s *standing) compare(v *draftView) {
	changed := strings.TrimSpace(v.Text) != strings.TrimSpace(s.text)
	v.Differs = changed || s.unusable
	if changed && !s.first {
		trimmed := func(text string) string { return strings.TrimSpace(text) + "\n" }
		v.Changes = diffLines(udiff.Unified("stands", "draft", trimmed(s.text), trimmed(v.Text)))
	}
}

// draftOfText is the editor with a text.
func draftOfText(text string) draftView {
	v := draftView{Text: text, Rows: min(max(strings.Count(text, "\n")+2, 8), mostNumbers)}
	for i := range v.Rows {
		v.Numbers = append(v.Numbers, lineNumber{Number: i + 1})
	}
	return v
}

// judge says what is wrong with a draft, as "onceguard check" says it of a file: as a version of the ledger's where the visitor may save it, else
// as a policy file. A reviewer may learn by it whether a variable of the environment is set, but never its value. The set is what would be in
// force, nil where there is something wrong.
func (w *Web) judge(ctx context.Context, tool, text string, editable bool) (draftView, *policy.Set, error) {
	v := draftOfText(text)
	var set *policy.Set
	var err error
	if editable && strings.TrimSpace(text) != "" {
		set, err = w.guard.CheckPolicy(ctx, guard.PolicyEdit{Tool: cmp.Or(named(text), tool), Text: text})
	} else {
		set, err = w.guard.CheckFile(ctx, text)
	}
	switch code := guard.CodeOf(err); {
	case err == nil:
		v.Good, v.Names = true, isDraft(ruleFor(set, tool))
		return v, set, nil
	case code != guard.CodeInvalid && code != guard.CodeConflict:
		return v, nil, err
	}
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Err != nil {
		err = e.Err
	} else if ok {
		err = errors.New(e.Message)
	}
	v.Problems = problemsOf(err)
	for _, p := range v.Problems {
		if p.Here && p.Line <= len(v.Numbers) {
			v.Numbers[p.Line-1].Bad = true
		}
	}
	return v, nil, nil
}

// isDraft reports whether a rule is the draft's, and not another policy's.
func isDraft(r *policy.Rule) bool { return strings.HasPrefix(r.Source, draftName+":") }

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

// draftOf is a policy document that says of a name what a rule says, to be edited.
func draftOf(name string, r *policy.Rule) string {
	lines := written(r)
	var comments []string
	if slices.ContainsFunc(lines, func(l policy.Line) bool { return string(l.Value) == `"…"` }) {
		comments = append(comments, "\"…\" stands for a header that the file writes out. Keep what it has there.")
	}
	return document(name, yamlOf(lines), comments)
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
