package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newKeysRotateCommand(s *settings) *cobra.Command {
	var prepare, activate bool
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Give the installation a new key, without reopening effects",
		Long: "Give the installation a new key for fingerprints and for what is kept encrypted. Effects that were recorded under the former key\n" +
			"stay on record and answer as before, so the file installation.key keeps every key that was ever in use.\n\n" +
			"The file is read when a server starts, and only then: all parts of a server use the same key, and no signal makes it read the file\n" +
			"again (SIGHUP ends it at once, as a crash would; SIGTERM lets the calls under way finish). Where one server has a ledger of its own, run \"onceguard keys rotate\" and start the server\n" +
			"again. Where several share a ledger, do it in two steps, so that no server meets a key that it does not have:\n\n" +
			"  onceguard keys rotate --prepare     then bring the file to every server, and start them again, one after the other\n" +
			"  onceguard keys rotate --activate    then bring the file to every server, and start them again, one after the other\n\n" +
			"Back the file up after each step. Until their window is over, what was recorded under the former key is not compared for near\n" +
			"wordings, same_identity, other_scope and history; equal calls are found all the same. People who use the dashboard sign in again.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.load(); err != nil {
				return err
			}
			f, shared := folder(s.config.Data), s.config.Ledger != ""
			if f == "" {
				return errNoData
			}
			switch {
			case prepare && activate:
				return usageError{errors.New("--prepare and --activate are two steps: every server needs the new key before any uses it")}
			case !prepare && !activate && shared:
				return usageError{errors.New("the ledger is shared: begin with --prepare, so that every server has the new key before any uses it")}
			}
			if !exists(f.key()) {
				return fmt.Errorf("there is no installation key in %s: name the server's folder with --data, or start the server once", f)
			}
			if !activate {
				if err := f.prepareKey(); err != nil {
					return err
				}
			}
			next := "Bring it to every server and start them again; then run \"onceguard keys rotate --activate\"."
			done := "a new key is in"
			if !prepare {
				if err := f.activateKey(); err != nil {
					return err
				}
				done, next = "the newest key is in use in", "Start the server again, and back the file up."
				if shared {
					next = "Bring it to every server and start them again, and back it up."
				}
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s\n%s\n", done, f.key(), next)
			return err
		},
	}
	c.Flags().BoolVar(&prepare, "prepare", false, "add a key that is used for nothing yet")
	c.Flags().BoolVar(&activate, "activate", false, "use the key that was prepared")
	return c
}
