package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/policy"
)

func newPolicyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Look into policies"}
	c.AddCommand(newPolicyShowCommand())
	return c
}

// policiesIn loads a folder or file of policies; "" is for none, so that every tool is unknown.
func policiesIn(path string) (*policy.Set, error) {
	if path == "" {
		return policy.Empty(), nil
	}
	return policy.Load(path)
}

func newPolicyShowCommand() *cobra.Command {
	var policies string
	var asJSON bool
	c := &cobra.Command{
		Use:   "show TOOL [--policies FOLDER]",
		Short: "Print the effective rule of a tool, each line with where it was written",
		Long: "Print the effective rule of a tool: the defaults, then the groups that apply to it in the order of the files, then its own entry.\n" +
			"Behind each line stands where it was written; what no file says is built in. TOOL is a name as callers use it.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			set, err := policiesIn(policies)
			if err != nil {
				return err
			}
			report := showPolicy(set, args[0])
			if asJSON {
				return writeJSON(c.OutOrStdout(), report)
			}
			return report.write(c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&policies, "policies", "", "`folder` or file of policies; none: what is built in")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// policyReport is the effective rule of one tool.
type policyReport struct {
	Tool    string `json:"tool"`
	Entry   string `json:"entry,omitzero"`  // the name or glob under tools; "" where no policy names the tool
	Source  string `json:"source,omitzero"` // file:line of the entry
	Unknown string `json:"unknown_tools,omitzero"`
	Digest  string `json:"digest"`
	// Inferred is set where no policy says how arguments are compared.
	Inferred bool         `json:"arguments_inferred,omitzero"`
	Lines    []policyLine `json:"lines"`
}

// policyLine is one value of a rule with where it was written.
type policyLine struct {
	Path   []string        `json:"path"`
	Value  json.RawMessage `json:"value"`
	Origin string          `json:"origin"` // file:line, or "built in"
}

const builtIn = "built in"

func showPolicy(set *policy.Set, tool string) policyReport {
	rule := set.Match(tool)
	r := policyReport{Tool: tool, Entry: rule.Pattern, Source: rule.Source, Digest: rule.Digest, Inferred: rule.Arguments.Infers(), Lines: []policyLine{}}
	if rule.Unknown {
		r.Unknown = set.UnknownTools()
	}
	for _, l := range rule.Lines() {
		line := policyLine{l.Path, l.Value, l.Origin}
		if line.Origin == "" {
			line.Origin = builtIn
		}
		r.Lines = append(r.Lines, line)
	}
	return r
}

// write prints the rule as YAML, with the origins as comments.
func (r *policyReport) write(out io.Writer) error {
	var w yamlWriter
	switch {
	case r.Entry == "":
		w.remark("", fmt.Sprintf("No policy names %s; unknown_tools: %s.", show(r.Tool), r.Unknown))
	case r.Entry == r.Tool:
		w.remark("", fmt.Sprintf("%s, rule %s", show(r.Tool), r.Digest))
	default:
		w.remark("", fmt.Sprintf("%s has the rule of %s, %s", show(r.Tool), show(r.Entry), r.Digest))
	}
	if r.Inferred {
		w.remark("", "How its arguments are compared is inferred from their names and values.")
	}
	var open []string // the mappings that the line before was in
	for _, l := range r.Lines {
		last := len(l.Path) - 1
		common := 0
		for common < min(last, len(open)) && open[common] == l.Path[common] {
			common++
		}
		for i := common; i < last; i++ {
			w.line(strings.Repeat("  ", i)+yamlText(l.Path[i])+":", "")
		}
		open = l.Path[:last]
		w.policyLine(strings.Repeat("  ", last), l)
	}
	_, err := out.Write(w.Bytes())
	return err
}

// policyLine writes a value behind its key, and a list of mappings with one mapping a line.
func (w *yamlWriter) policyLine(indent string, l policyLine) {
	key := indent + yamlText(l.Path[len(l.Path)-1]) + ":"
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(l.Value, &items); err != nil || len(items) == 0 {
		w.line(key+" "+yamlJSON(l.Value), l.Origin)
		return
	}
	w.line(key, l.Origin)
	for _, item := range items {
		text, err := json.Marshal(item)
		if err != nil {
			text = []byte("null") // it was read from JSON a moment ago
		}
		w.line(indent+"  - "+yamlJSON(text), "")
	}
}
