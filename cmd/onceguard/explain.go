package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/api"
	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

func newExplainCommand() *cobra.Command {
	var policies, run string
	var asJSON bool
	p := guard.Principal{Role: guard.RoleAgent}
	c := &cobra.Command{
		Use:   "explain [--policies FOLDER] CALL.json [OTHER.json]",
		Short: "Show why a call has its fingerprint, and whether two are the same effect",
		Long: "Show what each argument of a call contributes to its fingerprint and what its policy says of it. For two calls, put their\n" +
			"arguments side by side, and tell whether they are the same effect, which argument decides, and what the second gets after the\n" +
			"first. A call is the body of POST /v1/calls; \"-\" reads it from standard input. Nothing is sent and no ledger is needed.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			set, err := policiesIn(policies)
			if err != nil {
				return err
			}
			e := explainer{policies: policy.Fixed(set), principal: p, run: run, stdin: c.InOrStdin()}
			report, err := e.explain(c.Context(), args)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), report)
			}
			return report.write(c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&policies, "policies", "", "`folder` or file of policies; none: the tool is unknown")
	f.StringVar(&p.Tenant, "tenant", defaultTenant, "tenant of the caller")
	f.StringVar(&p.Subject, "subject", "someone", "subject of the caller")
	f.StringVar(&p.Agent, "agent", "", "agent that the caller's key is bound to")
	f.StringVar(&run, "run", "", "the run, for calls that name none")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// explainer explains calls with the very code that decides on them, on a ledger that is always empty.
type explainer struct {
	policies  *policy.Source
	principal guard.Principal
	run       string
	stdin     io.Reader
}

// explainReport is what explain tells.
type explainReport struct {
	Calls      []callReport      `json:"calls"`
	Comparison *comparisonReport `json:"comparison,omitzero"` // for two calls, the first taken for the earlier one
}

// callReport is one call.
type callReport struct {
	Name      string             `json:"name"`
	Tool      string             `json:"tool"`
	Rule      string             `json:"rule,omitzero"` // the pattern that matched
	Source    string             `json:"source,omitzero"`
	Effect    string             `json:"effect"`
	Verdict   verdictReport      `json:"verdict"`
	Terms     []fingerprint.Term `json:"terms"`
	Canonical string             `json:"canonical"`
}

// explain explains the calls in one or two files.
func (e explainer) explain(ctx context.Context, names []string) (*explainReport, error) {
	// The digests under this key are only compared and never shown.
	g, err := guard.New(guard.Config{
		Store: emptyLedger{}, Policies: e.policies, Forward: noForwarder{}, Key: make([]byte, fingerprint.MinKey),
	})
	if err != nil {
		return nil, err
	}
	calls := make([]guard.Call, len(names))
	report := &explainReport{}
	var last guard.Explained
	for i, name := range names {
		if calls[i], err = e.read(name); err != nil {
			return nil, err
		}
		var earlier *guard.Call
		if i > 0 {
			earlier = &calls[i-1]
		}
		if last, err = g.Fingerprint(ctx, e.principal, calls[i], earlier); err != nil {
			return nil, callError(name, err)
		}
		verdict, err := e.verdict(ctx, calls[i], last.Canonical)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		report.Calls = append(report.Calls, callReport{
			Name: name, Tool: calls[i].Tool, Rule: last.Rule, Source: last.Source,
			Effect: e.policies.Current().Match(calls[i].Tool).Effect, Verdict: verdict, Terms: last.Terms, Canonical: last.Canonical,
		})
	}
	if last.Comparison != nil {
		report.Comparison = e.compare(calls, last)
	}
	return report, nil
}

// read reads the body of a call as the API does.
func (e explainer) read(name string) (guard.Call, error) {
	in := e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return guard.Call{}, fmt.Errorf("the call cannot be read: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, api.MaxBody+1))
	if err != nil {
		return guard.Call{}, fmt.Errorf("the call cannot be read: %w", err)
	}
	if len(text) > api.MaxBody {
		return guard.Call{}, fmt.Errorf("%s: a call has at most %d bytes", name, api.MaxBody)
	}
	var c client.Call
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return guard.Call{}, fmt.Errorf("%s: this is not the body of POST /v1/calls: %w", name, err)
	}
	if c.Run == "" {
		c.Run = e.run
	}
	return guard.Call{
		Tool: c.Tool, Arguments: c.Arguments, CallID: c.CallID, Run: c.Run, Agent: c.Agent, Labels: c.Labels,
		IdempotencyKey: c.IdempotencyKey, Occurrence: c.Occurrence, Execute: guard.Execute(c.Execute),
	}, nil
}

func callError(name string, err error) error {
	if e, ok := errors.AsType[*guard.Error](err); ok && e.Field != "" {
		return fmt.Errorf("%s: %s %s", name, e.Field, e.Message)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (r *explainReport) write(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Calls {
		c.write(&b)
		if r.Comparison != nil {
			continue
		}
		if err := writeTerms(&b, c.Terms); err != nil {
			return err
		}
	}
	if r.Comparison != nil {
		b.WriteByte('\n')
		if err := r.Comparison.write(&b); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c callReport) write(b *strings.Builder) {
	rule := "no policy names it, so only what can be inferred is known of its arguments"
	if c.Rule != "" {
		rule = fmt.Sprintf("policy %q at %s", c.Rule, c.Source)
	}
	fmt.Fprintf(b, "%s: %s, effect %s (%s)\n", c.Name, c.Tool, c.Effect, rule)
	c.Verdict.write(b)
}

func writeTerms(b *strings.Builder, terms []fingerprint.Term) error {
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  ARGUMENT\tROLE\tKIND\tRAW\tNORMAL FORM\tNOTE")
	for _, t := range terms {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\n", show(t.Argument), t.Role, t.Kind, orDash(show(t.Raw)), orDash(show(t.Normal)), show(t.Note))
	}
	return table.Flush()
}

// emptyLedger is a ledger in which nothing is found and whose book is empty. Fingerprint asks it for nothing else.
type emptyLedger struct{ guard.Store }

func (emptyLedger) Lookup(context.Context, fingerprint.Digest) (guard.Found, error) {
	return guard.Found{}, nil
}

func (emptyLedger) Book(context.Context, int64) ([]guard.Entry, error) { return nil, nil }

// noForwarder sends nothing.
type noForwarder struct{}

func (noForwarder) Send(context.Context, guard.Attempt) guard.Outcome {
	return guard.Outcome{State: guard.Failed, Code: guard.CodeNotSent, Detail: "Nothing is sent here."}
}
