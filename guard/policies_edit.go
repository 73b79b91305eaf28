package guard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/onceguard/onceguard/policy"
)

// PolicyEdit is a new version of a policy that the ledger keeps, or its end.
type PolicyEdit struct {
	Tool   string // a name or glob, as under tools:
	Text   string // a policy file that holds this one tool, at most MaxPolicy bytes; "" deletes the policy
	Reason string // why, for those who read the history; at most 500 bytes
	Onto   int64  // the number of the version that its author has seen, deletions too; 0 for none
}

// MaxPolicy is the most bytes of a policy that the ledger keeps.
const MaxPolicy = 256 << 10

// PolicyVersion is one version of a policy in the ledger. Effects that it decided have a Policy that ends with "@" and Number.
type PolicyVersion struct {
	Number  int64
	Tool    string
	Text    string // "" where the policy was deleted
	Author  string
	Reason  string
	At      time.Time
	Onto    int64 // the version before, 0 for none
	InForce bool
	Digest  string // of the rule that it makes; only where InForce
	Diff    string // from the version before, as a unified diff; only from PolicyVersions
}

// EditPolicy writes a version of a policy into the ledger. Once it has returned, no replica makes a claim under an older one. To
// write the text that stands already changes nothing and returns the version that stands.
//
// Errors: CodeForbidden for all but the admins of Config.Operators; CodeInvalid, with policy.Problems as its cause where the text or
// what it would do to another policy is at fault; CodeConflict where a file defines the tool or another version stands than Onto
// names; CodeNotFound for the deletion of what is not there.
func (g *Guard) EditPolicy(ctx context.Context, p Principal, e PolicyEdit) (PolicyVersion, error) {
	if err := g.operates(p); err != nil {
		return PolicyVersion{}, err
	}
	if err := e.check(); err != nil {
		return PolicyVersion{}, err
	}
	if err := g.book.refresh(ctx); err != nil {
		return PolicyVersion{}, err
	}
	standing, head := g.book.standing(e.Tool)
	switch {
	case standing != nil && string(standing.Text) == e.Text:
		return g.policyVersion(ctx, p, e.Tool, standing.Number)
	case head != e.Onto:
		return PolicyVersion{}, &Error{Code: CodeConflict, Op: "policy", Message: fmt.Sprintf("another version has been written since: %d stands and not %d; look at it and decide anew", head, e.Onto)}
	case standing == nil && e.Text == "":
		return PolicyVersion{}, &Error{Code: CodeNotFound, Op: "policy", Message: "the ledger keeps no policy of this name"}
	}
	if _, err := g.rehearsed(e); err != nil {
		return PolicyVersion{}, err
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	made, err := g.store.Enter(write, Entry{Kind: EntryPolicy, Name: e.Tool, Text: []byte(e.Text), Author: p.Subject, Reason: e.Reason, Onto: e.Onto})
	if err != nil {
		return PolicyVersion{}, err
	}
	g.log.WarnContext(ctx, "a policy in the ledger was edited", "tool", e.Tool, "entry", made.Number, "deleted", e.Text == "", "by", p.Subject)
	if err := g.book.refresh(ctx); err != nil {
		g.log.WarnContext(ctx, "the book could not be read; the next claim does it", "error", err)
	}
	return g.versionOf(made), nil
}

// operates reports whether a principal may see and write the policies that the ledger keeps. They hold for all tenants.
func (g *Guard) operates(p Principal) error {
	if p.Role != RoleAdmin || g.operators == "" || p.Tenant != g.operators {
		return &Error{Code: CodeForbidden, Op: "policy", Message: "policies hold for all tenants, so only an admin of the tenant that runs this installation reads and writes those in the ledger"}
	}
	return nil
}

// MayEditPolicies reports whether a principal may see and write the policies that the ledger keeps.
func (g *Guard) MayEditPolicies(p Principal) bool { return g.operates(p) == nil }

func (e *PolicyEdit) check() error {
	switch {
	case e.Tool == "":
		return invalid("/tool", "is missing: name the tool, or a glob")
	case len(e.Tool) > MaxToolName:
		return invalid("/tool", fmt.Sprintf("is longer than %d bytes", MaxToolName))
	case len(e.Text) > MaxPolicy:
		return invalid("/text", fmt.Sprintf("is longer than %d bytes", MaxPolicy))
	case e.Text != "" && strings.TrimSpace(e.Text) == "":
		return invalid("/text", "holds nothing; to delete the policy is another request")
	case strings.TrimSpace(e.Reason) == "":
		return invalid("/reason", "is missing: say in one sentence why the policy is changed")
	case e.Onto < 0:
		return invalid("/onto", "must be the number of the version that you have seen, or 0")
	}
	if err := checkText("/tool", e.Tool, MaxToolName); err != nil {
		return err
	}
	return checkText("/reason", e.Reason, maxSwitchReason)
}

// CheckPolicy says what is wrong with an edit, as EditPolicy would, and writes nothing. The set is the one that would be in force.
func (g *Guard) CheckPolicy(ctx context.Context, e PolicyEdit) (*policy.Set, error) {
	if _, err := g.rules(ctx); err != nil {
		return nil, err
	}
	return g.rehearsed(e)
}

// CheckFile says what is wrong with a text as a policy file beside those in force, in which it stands in place of the tools that it names,
// whether a file or the ledger says them. It writes nothing. The set is the one that would be in force.
//
// Errors: CodeInvalid, with policy.Problems as its cause where the text or what it would do to another policy is at fault.
func (g *Guard) CheckFile(ctx context.Context, text string) (*policy.Set, error) {
	if _, err := g.rules(ctx); err != nil {
		return nil, err
	}
	files := g.policies.files.Current()
	drafted, err := files.Draft([]byte(text))
	if err != nil {
		return nil, unusableText(err)
	}
	kept, _ := g.book.kept()
	set, laid := drafted.Overlay(kept)
	if err := spoilt(files, kept, kept, laid); err != nil {
		return nil, err
	}
	return set, nil
}

// rehearsed makes the set that an edit would bring into force. Another policy must not become unusable by it.
func (g *Guard) rehearsed(e PolicyEdit) (*policy.Set, error) {
	files := g.policies.files.Current()
	before, _ := g.book.kept()
	kept := slices.DeleteFunc(slices.Clone(before), func(k policy.Kept) bool { return k.Pattern == e.Tool })
	if e.Text != "" {
		kept = append(kept, policy.Kept{Pattern: e.Tool, Versions: []policy.Version{{Text: []byte(e.Text)}}})
	}
	set, laid := files.Overlay(kept)
	if e.Text != "" {
		switch edited := laid[len(laid)-1]; {
		case edited.Files:
			return nil, &Error{Code: CodeConflict, Op: "policy", Message: fmt.Sprintf("%s defines this tool, and files win; change it there", edited.Rule.Source)}
		case edited.Err != nil:
			return nil, unusableText(edited.Err)
		}
	}
	if err := spoilt(files, before, kept, laid); err != nil {
		return nil, err
	}
	return set, nil
}

func unusableText(cause error) error {
	return &Error{Code: CodeInvalid, Op: "policy", Field: "/text", Message: "the policy cannot be used", Err: cause}
}

// spoilt finds a kept policy that could be used until now, and no longer could beside what is new; nil where there is none.
func spoilt(files *policy.Set, before, kept []policy.Kept, laid []policy.Laid) error {
	if !slices.ContainsFunc(laid, func(l policy.Laid) bool { return l.Err != nil }) {
		return nil
	}
	_, was := files.Overlay(before)
	good := map[string]bool{}
	for i, l := range was {
		good[before[i].Pattern] = l.Err == nil
	}
	for i, l := range laid {
		if l.Err != nil && good[kept[i].Pattern] {
			return &Error{
				Code: CodeInvalid, Op: "policy", Field: "/text", Err: l.Err,
				Message: fmt.Sprintf("with this change the policy of %q could no longer be used", kept[i].Pattern),
			}
		}
	}
	return nil
}

// PolicyVersions lists the newest versions of a policy in the ledger, the latest first and at most 200. Their texts can hold
// secrets that an author wrote out, so only who may edit them reads them.
//
// Errors: CodeForbidden as for EditPolicy.
func (g *Guard) PolicyVersions(ctx context.Context, p Principal, tool string) ([]PolicyVersion, error) {
	if err := g.operates(p); err != nil {
		return nil, err
	}
	if err := g.book.refresh(ctx); err != nil {
		return nil, err
	}
	if _, head := g.book.standing(tool); head == 0 {
		return nil, nil
	}
	entries, err := g.store.Book(ctx, 0)
	if err != nil {
		return nil, err
	}
	const most = 200
	var all []PolicyVersion
	for _, e := range slices.Backward(entries) {
		if e.Kind != EntryPolicy || e.Name != tool {
			continue
		}
		v := g.versionOf(e)
		if len(all) > 0 {
			all[len(all)-1].diff(&v)
		}
		if len(all) == most {
			return all, nil
		}
		all = append(all, v)
	}
	if len(all) > 0 {
		all[len(all)-1].diff(&PolicyVersion{Tool: tool})
	}
	return all, nil
}

// diff sets what a version has changed.
func (v *PolicyVersion) diff(before *PolicyVersion) {
	name := func(v *PolicyVersion) string { return fmt.Sprintf("%s@%d", v.Tool, v.Number) }
	v.Diff = udiff.Unified(name(before), name(v), before.Text, v.Text)
}

func (g *Guard) policyVersion(ctx context.Context, p Principal, tool string, number int64) (PolicyVersion, error) {
	all, err := g.PolicyVersions(ctx, p, tool)
	if err != nil {
		return PolicyVersion{}, err
	}
	at := slices.IndexFunc(all, func(v PolicyVersion) bool { return v.Number == number })
	if at < 0 {
		return PolicyVersion{}, &Error{Code: CodeConflict, Op: "policy", Message: "the policy was changed at this moment; look at it and decide anew"}
	}
	return all[at], nil
}

// versionOf describes an entry, and whether it holds.
func (g *Guard) versionOf(e Entry) PolicyVersion {
	v := PolicyVersion{Number: e.Number, Tool: e.Name, Text: string(e.Text), Author: e.Author, Reason: e.Reason, At: e.At, Onto: e.Onto}
	set := g.policies.Current()
	if rule := set.Find(e.Name); rule != nil && rule.Kept == e.Number {
		v.InForce, v.Digest = true, rule.Digest
	}
	return v
}

// standing is the latest version of a policy, nil where there is none, and the number of the newest entry about it.
func (b *book) standing(pattern string) (*policy.Version, int64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	head := b.policies.heads[pattern].Number
	if versions := b.policies.versions[pattern]; len(versions) > 0 {
		return &versions[0], head
	}
	return nil, head
}

// PolicyChange is who wrote the newest version of a policy into the ledger, or deleted it, and when.
type PolicyChange struct {
	Number int64
	Author string
	At     time.Time // by the store's clock
}

// PolicyChanged tells of the last change of a policy in the ledger, as far as this process has read the book; false where nobody
// has written one there.
func (g *Guard) PolicyChanged(tool string) (PolicyChange, bool) {
	g.book.mu.RLock()
	defer g.book.mu.RUnlock()
	c, ok := g.book.policies.heads[tool]
	return c, ok
}
