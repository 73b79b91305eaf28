package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/policy"
)

func newCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FOLDER|FILE...",
		Short: "Validate policies without a server",
		Long: "Validate policies without a server, exactly as serve does when it loads them. A folder is one set of policies, and so is each\n" +
			"file that is named. Every problem is printed with its file, line and column.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			report := checkPolicies(args)
			var err error
			if asJSON {
				err = writeJSON(c.OutOrStdout(), report)
			} else {
				err = report.write(c.OutOrStdout())
			}
			if err == nil && !report.OK {
				err = errReported
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// checkReport is what check found.
type checkReport struct {
	OK       bool            `json:"ok"`
	Problems []problemReport `json:"problems"`
	Sets     []setReport     `json:"sets"`
}

// problemReport is one problem of a policy file.
type problemReport struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitzero"`
}

// setReport is one set of policies without problems.
type setReport struct {
	Path         string   `json:"path"`
	UnknownTools string   `json:"unknown_tools"`
	Write        []string `json:"write"`
	Read         []string `json:"read"`
	// Inferred lists the write tools whose policy says nothing about arguments: how they are compared is inferred.
	Inferred []string `json:"inferred"`
	// Exact lists the write tools of which no argument is declared: another spelling of an argument is another
	// effect.
	Exact []string `json:"compared_exactly"`
}

func checkPolicies(paths []string) checkReport {
	r := checkReport{Problems: []problemReport{}, Sets: []setReport{}}
	for _, path := range paths {
		set, err := policy.Load(path)
		if err != nil {
			r.refuse(path, err)
			continue
		}
		if len(set.Rules()) == 0 {
			r.Problems = append(r.Problems, problemReport{File: path, Message: "there is no policy here", Remedy: "name a folder with *.yaml files that define tools"})
			continue
		}
		r.Sets = append(r.Sets, describeSet(path, set))
	}
	r.OK = len(r.Problems) == 0
	return r
}

func (r *checkReport) refuse(path string, err error) {
	problems, ok := errors.AsType[policy.Problems](err)
	if !ok {
		r.Problems = append(r.Problems, problemReport{File: path, Message: err.Error()})
	}
	for _, p := range problems {
		r.Problems = append(r.Problems, problemReport{p.File, p.Line, p.Column, p.Message, p.Remedy})
	}
}

func describeSet(path string, set *policy.Set) setReport {
	s := setReport{Path: path, UnknownTools: set.UnknownTools(), Write: []string{}, Read: []string{}, Inferred: []string{}, Exact: []string{}}
	for _, rule := range set.Rules() {
		if rule.Kind == policy.Read {
			s.Read = append(s.Read, rule.Pattern)
			continue
		}
		s.Write = append(s.Write, rule.Pattern)
		switch {
		case rule.Arguments.Infers():
			s.Inferred = append(s.Inferred, rule.Pattern)
		case len(rule.Arguments.Arguments()) == 0:
			s.Exact = append(s.Exact, rule.Pattern)
		}
	}
	return s
}

func (r *checkReport) write(w io.Writer) error {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintln(&b, policy.Problem(p))
	}
	for _, s := range r.Sets {
		fmt.Fprintf(&b, "%s: %s, %d guarded and %d only reading; other tools: %s\n",
			s.Path, plural(len(s.Write)+len(s.Read), "tool"), len(s.Write), len(s.Read), s.UnknownTools)
		if len(s.Inferred) > 0 {
			fmt.Fprintf(&b, "  no argument is declared, so how they are compared is inferred: %s\n", strings.Join(s.Inferred, ", "))
		}
		if len(s.Exact) > 0 {
			fmt.Fprintf(&b, "  arguments are declared to be none, so another spelling is another effect: %s\n", strings.Join(s.Exact, ", "))
		}
	}
	if len(r.Problems) > 0 {
		fmt.Fprintf(&b, "%s\n", plural(len(r.Problems), "problem"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
