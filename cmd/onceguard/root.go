package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
)

// newRootCommand makes the command line. environ is the environment in the form of os.Environ.
func newRootCommand(environ []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "onceguard",
		Short: "Sends an agent's tool calls on at most once per effect",
		Long: "Onceguard stands between AI agents and the tools that change the world. It sends each effect at most once, answers\n" +
			"repeats from its ledger, and blocks what it cannot tell.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		newServeCommand(environ),
		newKeysCommand(environ),
		newMigrateCommand(environ),
		newFsckCommand(environ),
		newCheckCommand(),
		newTestCommand(),
		newPolicyCommand(),
		newSchemaCommand(),
		newSuggestCommand(),
		newExplainCommand(),
		newEvalCommand(),
		newDemoCommand(),
		newReplayCommand(),
		newBacktestCommand(environ),
		newVersionCommand(),
	)
	markUsageErrors(root)
	return root
}

// markUsageErrors makes every error that comes before a command runs a usageError that says where to look.
func markUsageErrors(c *cobra.Command) {
	complain := func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %q)", err, c.CommandPath()+" --help")}
	}
	c.SetFlagErrorFunc(complain)
	if c.RunE == nil {
		// A command that only holds others shows its help, and has no other way to refuse a word that it does
		// not know.
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	check := noArguments
	if c.Args != nil {
		check = asUsed(c.Args)
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if c.HasSubCommands() && len(args) > 0 {
			return complain(c, unknownCommand(c, args[0]))
		}
		if err := check(c, args); err != nil {
			return complain(c, err)
		}
		return nil
	}
	for _, sub := range c.Commands() {
		markUsageErrors(sub)
	}
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes flags only, and %q is none", c.Name(), args[0])
	}
	return nil
}

// asUsed makes a refusal of the number of arguments show the arguments.
func asUsed(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check(c, args) != nil {
			return fmt.Errorf("write it as: %s", c.UseLine())
		}
		return nil
	}
}

func unknownCommand(c *cobra.Command, word string) error {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	slices.Sort(names)
	return fmt.Errorf("unknown command %q%s", word, didYouMean(word, names))
}

// writeJSON writes a report as one document.
func writeJSON(w io.Writer, report any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}
