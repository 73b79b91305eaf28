package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/onceguard/onceguard/guard"
)

// keptView is what the ledger keeps of a policy. Only those see it who may edit it.
type keptView struct {
	Tool     string
	Onto     int64 // the version that the page shows
	Reason   string
	Stands   bool         // there is a version to delete
	Saved    *versionView // what was saved a moment ago
	Against  *versionView // what somebody else has saved meanwhile, with what the draft would change in it
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

// diffLine is a line of a comparison, or says where the lines after it begin.
type diffLine struct {
	Sign string // "+", "-" or ""; "@" where the text is a place
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
			all = append(all, diffLine{"@", hunkPlace(line)})
		}
	}
	return all
}

// hunkPlace is where a part of the newer text begins, as "line 27" for "@@ -27,3 +27,4 @@"; other lines are as they are.
func hunkPlace(line string) string {
	_, after, ok := strings.Cut(line, " +")
	number, _, _ := strings.Cut(strings.TrimSuffix(after, " @@"), ",")
	if !ok || !strings.HasPrefix(line, "@@ ") {
		return line
	}
	return "line " + number
}

// refusedEdit is why the guard has not saved a draft.
type refusedEdit struct {
	says     string // "" where it was not refused
	conflict bool
}

// against is what somebody else has saved while a draft was written, with what the draft would change in it. To save again is to
// replace it.
func against(why refusedEdit, shown []versionView, versions []guard.PolicyVersion, r *policyRequest) *versionView {
	if !why.conflict || len(versions) == 0 || versions[0].Number == r.onto {
		return nil
	}
	ours := r.draft
	if r.do == "delete" {
		ours = ""
	}
	v := shown[0]
	v.Diff = diffLines(udiff.Unified("theirs", "ours", versions[0].Text, ours))
	return &v
}

// savedVersion finds the version that an address tells of; nil for none.
func savedVersion(shown []versionView, number int64) *versionView {
	i := slices.IndexFunc(shown, func(v versionView) bool { return v.Number == number })
	if i < 0 {
		return nil
	}
	return &shown[i]
}

// save writes the draft into the ledger, or ends the policy that stands there. What the guard refuses is told on the page.
func (w *Web) save(ctx context.Context, p guard.Principal, r *policyRequest) (reply, refusedEdit, error) {
	e := guard.PolicyEdit{Tool: r.tool, Reason: r.reason, Onto: r.onto}
	if r.do == "save" {
		if e.Text = r.draft; named(r.draft) != "" && named(r.draft) != r.tool {
			return nil, refusedEdit{says: "The draft is about " + named(r.draft) + " and this page about " + r.tool + ". Open the page of the other one to save it."}, nil
		}
		if strings.TrimSpace(e.Text) == "" {
			return nil, refusedEdit{says: "The draft is empty. To end the policy is another button."}, nil
		}
	}
	made, err := w.guard.EditPolicy(ctx, p, e)
	switch code := guard.CodeOf(err); code {
	case "":
		return redirect(policyPath(r.tool) + "?saved=" + strconv.FormatInt(made.Number, 10)), refusedEdit{}, nil
	case guard.CodeInvalid, guard.CodeConflict, guard.CodeNotFound:
		return nil, refusedEdit{sentence(err), code == guard.CodeConflict}, nil
	}
	return nil, refusedEdit{}, err
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

// toolOf is the name in the path of a request.
func toolOf(req *http.Request, param string) (string, error) {
	if req.URL.RawPath == "" {
		return param, nil // it was decoded with the path
	}
	return url.PathUnescape(param)
}
