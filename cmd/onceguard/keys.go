package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/onceguard/onceguard/api"
	"github.com/onceguard/onceguard/guard"
)

// defaultTenant is whose keys are where nobody names a tenant.
const defaultTenant = "default"

func newKeysCommand(environ []string) *cobra.Command {
	s := newSettings(environ)
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke API keys, and rotate the installation key",
		Long: "Make, list and revoke API keys. The commands work on the ledger, also while a server runs on it: it knows a new key at\n" +
			"once and refuses a revoked one within a second.",
	}
	for _, name := range []string{"config", "data", "ledger"} {
		c.PersistentFlags().AddFlag(s.flags.Lookup(name))
	}
	c.AddCommand(newKeysCreateCommand(s), newKeysListCommand(s), newKeysRevokeCommand(s), newKeysRotateCommand(s))
	return c
}

// withLedger runs do on the ledger that the settings name.
func withLedger(c *cobra.Command, s *settings, do func(context.Context, ledger) error) error {
	if err := s.load(); err != nil {
		return err
	}
	l, err := s.config.openLedger(c.Context())
	if err != nil {
		return err
	}
	return errors.Join(do(c.Context(), l), l.Close())
}

func newKeysCreateCommand(s *settings) *cobra.Command {
	var p guard.Principal
	var role, label string
	c := &cobra.Command{
		Use:   "create --role agent|reviewer|admin --subject WHO",
		Short: "Make a key and print it, this once",
		RunE: func(c *cobra.Command, _ []string) error {
			p.Role = guard.Role(role)
			if err := checkPrincipal(p, label); err != nil {
				return usageError{err}
			}
			return withLedger(c, s, func(ctx context.Context, l ledger) error {
				token, err := addKey(ctx, l, p, label)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.ErrOrStderr(), "This key is shown only now; the ledger keeps its hash.")
				_, err = fmt.Fprintln(c.OutOrStdout(), token)
				return err
			})
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&role, "role", "", "agent (proposes calls), reviewer (also decides on those of others) or admin (also reads metrics)")
	f.StringVar(&p.Subject, "subject", "", "the user, team or service that the key belongs to")
	f.StringVar(&p.Tenant, "tenant", defaultTenant, "whose effects the key can see")
	f.StringVar(&p.Agent, "agent", "", "the agent's name, if the key is bound to one")
	f.StringVar(&label, "label", "", "a note for the list of keys")
	return c
}

// checkPrincipal refuses what a key cannot say.
func checkPrincipal(p guard.Principal, label string) error {
	switch p.Role {
	case guard.RoleAgent, guard.RoleReviewer, guard.RoleAdmin:
	case "":
		return errors.New("say what the key may do with --role: agent, reviewer or admin")
	default:
		return fmt.Errorf("--role: %q is no role%s", p.Role, didYouMean(string(p.Role), []string{"agent", "reviewer", "admin"}))
	}
	for _, f := range []struct {
		flag, value string
		needed      bool
	}{{"subject", p.Subject, true}, {"tenant", p.Tenant, true}, {"agent", p.Agent, false}, {"label", label, false}} {
		switch {
		case f.needed && f.value == "":
			return fmt.Errorf("say who the key belongs to with --%s", f.flag)
		case len(f.value) > guard.MaxHandle:
			return fmt.Errorf("--%s is longer than %d bytes", f.flag, guard.MaxHandle)
		case strings.ContainsFunc(f.value, unprintable):
			return fmt.Errorf("--%s holds a character that cannot be printed", f.flag)
		}
	}
	return nil
}

// addKey makes a key and records it.
func addKey(ctx context.Context, keys guard.Credentials, p guard.Principal, label string) (token string, err error) {
	token, credential, err := api.NewKey(p, label)
	if err != nil {
		return "", err
	}
	if err := keys.AddCredential(ctx, credential); err != nil {
		return "", fmt.Errorf("the key cannot be recorded: %w", err)
	}
	return token, nil
}

// keyReport is one key as the list shows it.
type keyReport struct {
	ID      string    `json:"id"`
	Role    string    `json:"role"`
	Tenant  string    `json:"tenant"`
	Subject string    `json:"subject"`
	Agent   string    `json:"agent,omitzero"`
	Label   string    `json:"label,omitzero"`
	Created time.Time `json:"created_at"`
	Revoked time.Time `json:"revoked_at,omitzero"`
}

func newKeysListCommand(s *settings) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the keys, also revoked ones",
		RunE: func(c *cobra.Command, _ []string) error {
			return withLedger(c, s, func(ctx context.Context, l ledger) error {
				all, err := l.ListCredentials(ctx)
				if err != nil {
					return fmt.Errorf("the keys cannot be read: %w", err)
				}
				list := make([]keyReport, len(all))
				for i, k := range all {
					p := k.Principal
					list[i] = keyReport{k.ID, string(p.Role), p.Tenant, p.Subject, p.Agent, k.Label, k.Created, k.Revoked}
				}
				if asJSON {
					return writeJSON(c.OutOrStdout(), map[string]any{"keys": list})
				}
				return writeKeys(c.OutOrStdout(), list)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func writeKeys(w io.Writer, list []keyReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tROLE\tTENANT\tSUBJECT\tAGENT\tCREATED\tREVOKED\tLABEL")
	for _, k := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Role, k.Tenant, k.Subject, k.Agent, shortTime(k.Created), shortTime(k.Revoked), k.Label)
	}
	return table.Flush()
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}

func newKeysRevokeCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "End a key for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withLedger(c, s, func(ctx context.Context, l ledger) error {
				err := l.RevokeCredential(ctx, args[0])
				if guard.CodeOf(err) == guard.CodeNotFound && strings.HasPrefix(args[0], "og_") {
					return errors.New("that is a key and not its id: \"onceguard keys list\" shows the ids")
				}
				if guard.CodeOf(err) == guard.CodeNotFound {
					return fmt.Errorf("no key has the id %q: \"onceguard keys list\" shows the ids", args[0])
				}
				if err != nil {
					return fmt.Errorf("the key cannot be revoked: %w", err)
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "revoked %s\n", args[0])
				return err
			})
		},
	}
}
