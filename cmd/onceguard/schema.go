package main

import (
	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/policy"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of policy files",
		Long: "Print the JSON Schema (draft 2020-12) of policy files, with which editors complete and explain them. Save it beside the policies\n" +
			"and begin each file with:\n\n  # yaml-language-server: $schema=policy.schema.json",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(policy.LanguageSchema())
			return err
		},
	}
}
