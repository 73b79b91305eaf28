package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// Rulebook is the policies in force: those of the files, and over them those that the ledger keeps (policy.Set.Overlay). Versions
// of the latter are entries of the book, so that no claim is made under an older one than the ledger's: a call that was
// read under one set is never claimed under another, but decided anew.
//
// Where the latest version of a policy cannot be loaded, because the files were edited or a newer program wrote it, the latest one
// that can be holds; where there is none, calls of its tools are refused. All replicas with the same files and program
// come to the same.
type Rulebook struct {
	files Policies
	book  *book
	log   *slog.Logger

	mu      sync.Mutex // held while a set is made
	present atomic.Pointer[inForce]
}

// inForce is a set, and what it was made of.
type inForce struct {
	files  *policy.Set
	number int64 // of the newest policy in the book that it knows; unread before the book was read
	set    *policy.Set
	defect policy.Problems // of kept policies
}

// unread is the number of the newest policy before the book was read.
const unread = -1

// Current returns the set in force, as far as this process has read the book.
func (r *Rulebook) Current() *policy.Set { return r.now().set }

// LastError returns what is wrong with the newest files, if the source of files tells, and with policies in the ledger.
func (r *Rulebook) LastError() error {
	var problems policy.Problems
	if files, ok := r.files.(interface{ LastError() error }); ok {
		err := files.LastError()
		if !errors.As(err, &problems) && err != nil {
			return errors.Join(err, problemsError(r.now().defect))
		}
	}
	return problemsError(slices.Concat(problems, r.now().defect))
}

func problemsError(list policy.Problems) error {
	if len(list) == 0 {
		return nil
	}
	return list
}

// now returns what is in force, and makes it if files or book have changed.
func (r *Rulebook) now() *inForce {
	if p := r.present.Load(); p != nil && p.files == r.files.Current() && p.number == r.book.policy.Load() {
		return p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	files := r.files.Current()
	kept, number := r.book.kept()
	before := r.present.Load()
	if before != nil && before.files == files && before.number == number {
		return before
	}
	p := &inForce{files: files, number: number}
	set, laid := files.Overlay(kept)
	p.set, p.defect = set, defects(laid)
	r.tell(before, p, kept, laid)
	r.present.Store(p)
	return p
}

// defects are what is wrong with kept policies, each with what follows from it.
func defects(laid []policy.Laid) policy.Problems {
	var all policy.Problems
	for _, l := range laid {
		if l.Err == nil {
			continue
		}
		follows := "until it is mended, calls of this tool are refused"
		if l.Rule.Kept != 0 {
			follows = fmt.Sprintf("until it is mended, version %d stays in force", l.Rule.Kept)
		}
		problems, ok := errors.AsType[policy.Problems](l.Err)
		if !ok {
			problems = policy.Problems{{File: "ledger:" + l.Rule.Pattern, Message: l.Err.Error()}}
		}
		for _, p := range problems {
			if p.Remedy != "" {
				p.Remedy += "; "
			}
			p.Remedy += follows
			all = append(all, p)
		}
	}
	return all
}

// tell logs what has changed.
func (r *Rulebook) tell(before, now *inForce, kept []policy.Kept, laid []policy.Laid) {
	if len(now.defect) > 0 && (before == nil || !slices.Equal(before.defect, now.defect)) {
		r.log.Error("policies in the ledger cannot be used as they are", "problems", now.defect.Error())
	}
	for i, l := range laid {
		if l.Files && (before == nil || before.files != now.files) {
			r.log.Warn("a policy in the ledger has no effect, because a file defines the tool", "tool", kept[i].Pattern, "file", l.Rule.Source)
		}
	}
	if before != nil && before.number != unread && before.number != now.number {
		r.log.Info("policies in the ledger have changed", "entry", now.number, "tools", len(now.set.Rules()))
	}
}

// errPoliciesChanged says that a call was read under policies that the ledger no longer has. It is decided anew.
var errPoliciesChanged = &Error{Code: CodeBusy, Op: "call", Retry: time.Second, Message: "the policies were changed at this moment; nothing was sent or decided"}

// rules returns what is in force for a decision: the book must have been read once, because it may restrict what the
// files let pass.
func (g *Guard) rules(ctx context.Context) (*inForce, error) {
	if g.book.policy.Load() == unread {
		if err := g.book.refresh(ctx); err != nil {
			return nil, &Error{Code: CodeUnavailable, Op: "call", Retry: time.Second, Err: err, Message: "the ledger's policies could not be read; nothing was sent"}
		}
	}
	return g.policies.now(), nil
}

// unusable is why calls under a rule are refused; nil where it can be used.
func unusable(r *policy.Rule) error {
	if r.Defect == nil {
		return nil
	}
	return &Error{Code: CodeUnavailable, Op: "call", Retry: 10 * time.Second, Err: r.Defect,
		Message: "the policy of this tool cannot be used until an admin has mended it; nothing was sent"}
}

// Policies returns the policies in force. They follow the files and the ledger.
func (g *Guard) Policies() *Rulebook { return g.policies }

// policyBook is the part of the book's copy that is about policies.
type policyBook struct {
	newest   int64                       // number of the newest entry
	heads    map[string]PolicyChange     // the newest entry about each pattern, deletions too
	versions map[string][]policy.Version // latest first, since the last deletion
}

// mostVersions is how many versions of a policy stay in memory. The rest is read when somebody asks.
const mostVersions = 10

// learn takes in a version, or a deletion.
func (b *policyBook) learn(e Entry) {
	if b.heads == nil {
		b.heads, b.versions = map[string]PolicyChange{}, map[string][]policy.Version{}
	}
	b.newest, b.heads[e.Name] = e.Number, PolicyChange{e.Number, e.Author, e.At}
	if len(e.Text) == 0 {
		delete(b.versions, e.Name)
		return
	}
	list := slices.Insert(slices.Clone(b.versions[e.Name]), 0, policy.Version{Number: e.Number, Text: e.Text})
	b.versions[e.Name] = list[:min(len(list), mostVersions)]
}

// kept are the policies in the book, and the number of the newest entry about any.
func (b *book) kept() ([]policy.Kept, int64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.read {
		return nil, unread
	}
	all := make([]policy.Kept, 0, len(b.policies.versions))
	for _, pattern := range slices.Sorted(maps.Keys(b.policies.versions)) {
		all = append(all, policy.Kept{Pattern: pattern, Versions: b.policies.versions[pattern]})
	}
	return all, b.policies.newest
}
