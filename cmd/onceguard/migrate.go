package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/guard/store/postgres"
)

func newMigrateCommand(environ []string) *cobra.Command {
	s := newSettings(environ)
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Show or bring up to date the tables of a shared ledger",
		Long: "Show or bring up to date the tables of a ledger in PostgreSQL. serve does so by itself when its role may; give it a role\n" +
			"that may not (guard/store/postgres/roles.sql makes one), and run this as the owner of the tables before an upgrade.\n" +
			"A ledger in the data folder needs no migration by hand.",
	}
	for _, name := range []string{"config", "ledger"} {
		c.PersistentFlags().AddFlag(s.flags.Lookup(name))
	}
	c.AddCommand(newMigrateStatusCommand(s), &cobra.Command{
		Use:   "up",
		Short: "Bring the tables up to date",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.loadShared(); err != nil {
				return err
			}
			return postgres.Migrate(c.Context(), s.config.Ledger)
		},
	})
	return c
}

// loadShared loads settings that have to name a shared ledger.
func (s *settings) loadShared() error {
	if err := s.load(); err != nil {
		return err
	}
	if !isShared(s.config.Ledger) {
		return usageError{errors.New("name the database with --ledger postgres://… or ONCEGUARD_LEDGER")}
	}
	return nil
}

// migrationReport is one step of the tables.
type migrationReport struct {
	Number  int       `json:"number"`
	Name    string    `json:"name"`
	Applied time.Time `json:"applied_at,omitzero"`
}

func newMigrateStatusCommand(s *settings) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "List the steps of the tables and when each was applied",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.loadShared(); err != nil {
				return err
			}
			steps, err := postgres.Status(c.Context(), s.config.Ledger)
			if err != nil {
				return err
			}
			list := make([]migrationReport, len(steps))
			for i, m := range steps {
				list[i] = migrationReport(m)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), map[string]any{"migrations": list})
			}
			return writeMigrations(c.OutOrStdout(), list)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func writeMigrations(w io.Writer, list []migrationReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STEP\tNAME\tAPPLIED")
	for _, m := range list {
		applied := "not yet"
		if !m.Applied.IsZero() {
			applied = shortTime(m.Applied)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", m.Number, m.Name, applied)
	}
	return table.Flush()
}
