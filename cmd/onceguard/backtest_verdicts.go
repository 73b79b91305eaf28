package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/onceguard/onceguard/guard"
)

// Labels of verdicts, as files of pairs have them.
const (
	sameLabel      = "same"
	differentLabel = "different"
)

// verdictsReport is what the draft makes of the pairs about which reviewers have decided.
type verdictsReport struct {
	Same      int             `json:"same"`      // a reviewer said that the held call is the same as the earlier one
	Different int             `json:"different"` // a reviewer let it run beside the earlier one
	Unread    int             `json:"unread"`    // of both, those that can no longer be read
	Broken    int             `json:"broken"`    // the draft is wrong about them, and the current policies are not
	Mended    int             `json:"mended"`    // the other way round
	First     []brokenVerdict `json:"first"`
	Export    *verdictsExport `json:"export,omitzero"`
}

// brokenVerdict is a pair about which the draft is wrong.
type brokenVerdict struct {
	Label    string         `json:"label"`
	Tool     string         `json:"tool"`
	Now      string         `json:"now"` // effects
	Earlier  string         `json:"earlier"`
	Before   guard.PairFate `json:"before"`
	After    guard.PairFate `json:"after"`
	Deciding []string       `json:"deciding"`
	Sentence string         `json:"sentence,omitzero"`
}

func newVerdictsReport(l guard.BacktestLabels, e *verdictsExport) *verdictsReport {
	r := &verdictsReport{Same: l.Same, Different: l.Different, Unread: l.Unread, Broken: l.Broken, Mended: l.Mended, First: []brokenVerdict{}, Export: e}
	for _, f := range l.Findings {
		r.First = append(r.First, brokenVerdict{
			Label: labelOf(f.Same), Tool: f.Now.Call.Tool, Now: f.NowEffect, Earlier: f.EarlierEffect,
			Before: f.Before, After: f.After, Deciding: append([]string{}, f.Deciding...), Sentence: f.Sentence,
		})
	}
	return r
}

func labelOf(same bool) string {
	if same {
		return sameLabel
	}
	return differentLabel
}

func (r *verdictsReport) print(b *strings.Builder) {
	if r.Same+r.Different > 0 {
		fmt.Fprintf(b, "\nverdicts: reviewers found %s the same and %d different; the draft gets %d wrong that were right, and %d right that were wrong.\n",
			plural(r.Same, "pair"), r.Different, r.Broken, r.Mended)
	}
	if r.Unread > 0 {
		fmt.Fprintf(b, "%s cannot be read any more.\n", plural(r.Unread, "pair"))
	}
	for _, f := range r.First {
		fmt.Fprintf(b, "  %s, %s, compared with %s: %s, and the draft has it %s", f.Now, show(f.Tool), f.Earlier, f.Label, f.After)
		if len(f.Deciding) > 0 {
			fmt.Fprintf(b, "; decided by %s", show(strings.Join(f.Deciding, ", ")))
		}
		b.WriteByte('\n')
		if f.Sentence != "" {
			fmt.Fprintf(b, "    %s\n", f.Sentence)
		}
	}
	if e := r.Export; e != nil {
		fmt.Fprintf(b, "%s written to %s", plural(e.Pairs, "pair"), e.File)
		if e.LeftOut > 0 {
			fmt.Fprintf(b, ", and %d left out", e.LeftOut)
		}
		b.WriteString(".\n")
	}
}

// verdicts gives all pairs about which reviewers have decided, as far as they are still on record.
func (p *pastEffects) verdicts(ctx context.Context, do func(guard.BacktestLabel) error) error {
	for _, ref := range p.related {
		l, ok, err := p.verdict(ctx, ref)
		if guard.CodeOf(err) == guard.CodeNotFound {
			continue // one of the two was forgotten
		}
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := do(l); err != nil {
			return err
		}
	}
	return nil
}

func (p *pastEffects) verdict(ctx context.Context, ref uint64) (l guard.BacktestLabel, ok bool, err error) {
	tenant, id := p.named(ref)
	now, nowSealed, err := p.get(ctx, tenant, id)
	if err != nil {
		return l, false, err
	}
	events, err := p.store.Events(ctx, tenant, id)
	if err != nil {
		return l, false, err
	}
	if l.Same, ok = guard.Labelled(&now, events); !ok {
		return l, false, nil
	}
	earlier, earlierSealed, err := p.get(ctx, tenant, now.Related)
	l.Earlier, l.EarlierEffect = pastCallOf(&earlier, earlierSealed), earlier.ID
	l.Now, l.NowEffect = pastCallOf(&now, nowSealed), now.ID
	return l, true, err
}

// verdictsExport writes verdicts as labelled pairs, a file that eval and --labels read.
type verdictsExport struct {
	File    string `json:"file"`
	Pairs   int    `json:"pairs"`
	LeftOut int    `json:"left_out"` // a policy conceals arguments, or they are not on record, or the calls are of two tools

	out  *bufio.Writer
	file io.Closer
}

// newVerdictsExport makes the file, readable for its owner alone.
func newVerdictsExport(file string) (*verdictsExport, error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the verdicts cannot be written: %w", err)
	}
	return &verdictsExport{File: file, out: bufio.NewWriter(f), file: f}, nil
}

// add writes a verdict. Where a policy conceals arguments, or the ledger has them encrypted, it does not.
func (e *verdictsExport) add(l guard.BacktestLabel, concealed bool) error {
	a, b := string(l.Earlier.Call.Arguments), string(l.Now.Call.Arguments)
	if l.Earlier.Call.Tool != l.Now.Call.Tool || a == "" || b == "" || concealed || l.Earlier.Sealed || l.Now.Sealed {
		e.LeftOut++
		return nil
	}
	line, err := json.Marshal(labelledPair{Set: "reviews", Label: labelOf(l.Same), Tool: l.Now.Call.Tool, A: &a, B: &b})
	if err != nil {
		return err
	}
	e.Pairs++
	_, err = e.out.Write(append(line, '\n'))
	return err
}

func (e *verdictsExport) close() error {
	if err := errors.Join(e.out.Flush(), e.file.Close()); err != nil {
		return fmt.Errorf("the verdicts cannot be written: %w", err)
	}
	return nil
}
