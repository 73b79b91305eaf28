package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/onceguard/onceguard/guard"
)

func newFsckCommand(environ []string) *cobra.Command {
	s := newSettings(environ)
	var asJSON bool
	c := &cobra.Command{
		Use:   "fsck",
		Short: "Check the whole ledger: each effect against its history",
		Long: "Check the whole ledger, also while servers run on it. Each effect must be what its events make of it, the hashes of the\n" +
			"events must form an unbroken chain, and nothing may have been sent without a claim. Nothing is changed. The exit status\n" +
			"is 1 when a fault was found.",
		RunE: func(c *cobra.Command, _ []string) error {
			return withLedger(c, s, func(ctx context.Context, l ledger) error {
				p := startProgress(c.ErrOrStderr(), "fsck", "effects", 0)
				r, err := checkLedger(ctx, l, &p.done)
				p.stop()
				if err != nil {
					return err
				}
				if asJSON {
					err = writeJSON(c.OutOrStdout(), r)
				} else {
					err = r.write(c.OutOrStdout())
				}
				if err == nil && r.Faulty > 0 {
					err = fmt.Errorf("the ledger has faults in %s; keep a copy of it as it is, and do not send what these effects are about again before a person has looked", plural(int(r.Faulty), "effect"))
				}
				return err
			})
		},
	}
	for _, name := range []string{"config", "data", "ledger"} {
		c.Flags().AddFlag(s.flags.Lookup(name))
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

// maxFaults bounds the faults that a report lists.
const maxFaults = 1000

// ledgerReport is what a check of the whole ledger found.
type ledgerReport struct {
	Effects int64         `json:"effects"`
	Events  int64         `json:"events"`
	Faulty  int64         `json:"faulty_effects"`
	Faults  []ledgerFault `json:"faults"` // at most maxFaults
}

// ledgerFault is one thing that must never be.
type ledgerFault struct {
	Tenant string `json:"tenant"`
	Effect string `json:"effect"`
	Fault  string `json:"fault"`
}

func (r *ledgerReport) write(w io.Writer) error {
	for _, f := range r.Faults {
		if _, err := fmt.Fprintf(w, "%s  %s\n", f.Effect, f.Fault); err != nil {
			return err
		}
	}
	verdict := "sound"
	if r.Faulty > 0 {
		verdict = fmt.Sprintf("%s with faults", plural(int(r.Faulty), "effect"))
	}
	_, err := fmt.Fprintf(w, "%s, %s: %s\n", plural(int(r.Effects), "effect"), plural(int(r.Events), "event"), verdict)
	return err
}

// walkPage is how many effects are read at a time.
const walkPage = 500

// checkLedger audits every effect, the oldest first, and counts them in done.
func checkLedger(ctx context.Context, s guard.Store, done *atomic.Int64) (*ledgerReport, error) {
	r := &ledgerReport{Faults: []ledgerFault{}}
	var mu sync.Mutex
	for after := ""; ; {
		page, err := s.Walk(ctx, after, walkPage)
		if err != nil {
			return nil, err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(2 * runtime.GOMAXPROCS(0))
		for _, e := range page {
			group.Go(func() error {
				faults, events, err := auditEffect(ctx, s, e.Tenant, e.ID)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				r.add(e, faults, events)
				done.Add(1)
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		if len(page) < walkPage {
			return r, nil
		}
		after = page[len(page)-1].ID
	}
}

func (r *ledgerReport) add(e guard.Effect, faults []string, events int) {
	r.Effects, r.Events = r.Effects+1, r.Events+int64(events)
	if len(faults) > 0 {
		r.Faulty++
	}
	for _, fault := range faults {
		if len(r.Faults) < maxFaults {
			r.Faults = append(r.Faults, ledgerFault{e.Tenant, e.ID, fault})
		}
	}
}

// auditEffect checks one effect. A running server may change it between the two reads; then both are made again. One that was
// forgotten in between has no faults.
func auditEffect(ctx context.Context, s guard.Store, tenant, id string) (faults []string, events int, err error) {
	for {
		e, err := s.Get(ctx, tenant, id)
		var history []guard.Event
		if err == nil {
			history, err = s.Events(ctx, tenant, id)
		}
		switch guard.CodeOf(err) {
		case "":
		case guard.CodeNotFound:
			return nil, 0, nil
		case guard.CodeCorrupt:
			return []string{err.Error()}, 0, nil
		default:
			return nil, 0, err
		}
		faults = guard.Audit(e, history)
		if len(faults) == 0 {
			return nil, len(history), nil
		}
		if now, err := s.Get(ctx, tenant, id); err == nil && now.Events == e.Events && now.Head == e.Head {
			return faults, len(history), nil
		}
	}
}
