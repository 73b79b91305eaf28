package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/policy"
)

const testHelp = `Test runs the *_test.yaml files beside policies. Each case goes through a guard with these policies,
an empty ledger of its own and a clock that stands still until a step moves it. Nothing is sent: what
the tools would have answered stands in the case.

  version: 1
  now: 2026-03-02T09:00:00Z          # what the clock shows first
  principal: {subject: shop}         # who calls, where a call does not say; tenant, subject, agent
  cases:                             # one call, and what it gets
    - name: small refunds go through
      call: {tool: refund, run: r1, arguments: {order_id: A-1, amount: 20}}
      expect: {decision: proceed, code: proceed}
  pairs:                             # what the second call is to the first
    - name: spelling is no difference
      tool: refund
      a: {order_id: A-1, amount: 20}
      b: {order_id: A-1, amount: "20.00"}
      expect: same                   # same | near | same_identity | other_scope | different
  sequences:                         # calls, decisions of people, and time that passes between them
    - name: a window ends
      steps:
        - call: {tool: refund, run: r1, arguments: {order_id: A-1, amount: 20}}
          outcome: done              # the default; failed | partial | unknown | lapse | none,
                                     # or for tools with an upstream {status: 207, body: {…}}
          expect: {decision: proceed}
        - after: 25h
          review: did_not_happen     # or approve, reject, happened, send_again; by: WHO, of: N (a step)
          expect: {state: failed}    # decision, code and state; what is left out may be anything
        - call: {tool: refund, run: r1, arguments: {order_id: A-1, amount: 20}}
          confirm: one more is meant # uses the token of the latest answer

Arguments may also be one text that holds their JSON. Conditions see the
time of the case as "now".

Exit code 1: a case failed, or --coverage found something that no case touches.`

// testOptions are the flags of test.
type testOptions struct {
	run      string
	junit    string
	coverage bool
	json     bool
}

func newTestCommand() *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test FOLDER",
		Short: "Run the test cases beside policies",
		Long:  testHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			only, err := regexp.Compile(o.run)
			if err != nil {
				return usageError{fmt.Errorf("--run is no regular expression: %w", err)}
			}
			set, err := policy.Load(args[0])
			if err != nil {
				return err
			}
			files, err := readTestFiles(args[0])
			if err != nil {
				return err
			}
			report := &testReport{Cases: []testResult{}, coverage: newCoverage(set)}
			for _, f := range files {
				if err := f.run(c.Context(), set, only, report); err != nil {
					return err
				}
			}
			return o.finish(c, report)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.run, "run", "", "run only the cases whose name this regular expression matches")
	f.BoolVar(&o.coverage, "coverage", false, "list what no case touches, and fail when there is any")
	f.StringVar(&o.junit, "junit", "", "also write the results to this `file` in the form of JUnit")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	return c
}

// finish writes the report in the forms that were asked for.
func (o *testOptions) finish(c *cobra.Command, r *testReport) error {
	if len(r.Cases) == 0 {
		return errors.New("no case has a name that --run matches")
	}
	r.close(o.coverage)
	if o.junit != "" {
		if err := r.writeJUnit(o.junit); err != nil {
			return err
		}
	}
	var err error
	if o.json {
		err = writeJSON(c.OutOrStdout(), r)
	} else {
		err = r.print(c.OutOrStdout(), o.coverage)
	}
	if err == nil && !r.OK {
		err = errReported
	}
	return err
}

// readTestFiles reads all test files below a folder, or those beside the one file that is named.
func readTestFiles(path string) ([]*testFile, error) {
	var names []string
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != path && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.IsDir() && (strings.HasSuffix(name, "_test.yaml") || strings.HasSuffix(name, "_test.yml")):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there is no *_test.yaml in %s", path)
	}
	slices.Sort(names)
	var files []*testFile
	var problems []error
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parseTestFile(name, text)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		files = append(files, f)
	}
	return files, errors.Join(problems...)
}
