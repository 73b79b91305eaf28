package main

import (
	"context"
	"fmt"
	"io"

	"github.com/onceguard/onceguard/policy"
)

// labelsReport is what the draft makes of labelled pairs that the current policies get right.
type labelsReport struct {
	File   string        `json:"file"`
	Pairs  int           `json:"pairs"`
	Broken int           `json:"broken"` // pairs about which the draft is wrong and the current policies are not
	Mended int           `json:"mended"` // the other way round
	First  []brokenLabel `json:"first"`
}

// brokenLabel is a pair about which the draft is wrong.
type brokenLabel struct {
	Line  int         `json:"line"`
	Tool  string      `json:"tool"`
	Label string      `json:"label"`
	Wrong mistakeKind `json:"wrong"`
}

// brokenLabels judges every pair of a file by both sets.
func brokenLabels(ctx context.Context, current, draft *policy.Set, file string, most int, stderr io.Writer) (*labelsReport, error) {
	was, err := newComparer(current)
	if err != nil {
		return nil, err
	}
	is, err := newComparer(draft)
	if err != nil {
		return nil, err
	}
	shown, err := evalProgress(stderr, file)
	if err != nil {
		return nil, err
	}
	defer shown.stop()
	r := &labelsReport{File: file, First: []brokenLabel{}}
	err = eachPair(file, func(p labelledPair) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		shown.done.Add(1)
		r.Pairs++
		before, err := was.judge(ctx, p)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
		now, err := is.judge(ctx, p)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", file, p.line, err)
		}
		switch wrong, wrongNow := before.mistake, now.mistake; {
		case wrong == wrongNow, wrongNow != "" && wrong != "" && wrongNow != mergedDifferent:
		case wrongNow == "":
			r.Mended++
		default:
			r.Broken++
			if len(r.First) < most {
				r.First = append(r.First, brokenLabel{p.line, p.Tool, p.Label, wrongNow})
			}
		}
		return nil
	})
	return r, err
}
