package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/onceguard/onceguard/guard/bench/peer"
)

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		fmt.Fprintln(os.Stderr, playRole(role))
		os.Exit(1)
	}
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run. stdout gets the figures, stderr the progress.
func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p, err := parsePlan(args, stderr)
	if err != nil {
		return err
	}
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5.0fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	if p.install {
		return peer.Install(ctx, p.cache, say).Missing
	}
	w, err := newWorld(ctx, p, say)
	if err != nil {
		return err
	}
	defer w.close()
	r, err := w.run(ctx, args)
	// What was measured before a failure or an interrupt is printed all the same.
	if err := errors.Join(err, r.publish(p, stdout)); err != nil {
		return err
	}
	if len(r.Sizes) > 0 {
		say("the plot is %s", p.plot)
	}
	if r.failed() {
		return errors.New("calls failed, or the upstream's count was not what it had to be; see FAILED above")
	}
	return nil
}

// run makes all measurements. What it returns beside an error are those that were made before.
func (w *world) run(ctx context.Context, args []string) (r *results, err error) {
	r = newResults(args)
	share := others()
	defer func() {
		r.Bars, r.Notes = r.bars(w.plan), w.notes
		if o := share(); !math.IsNaN(o) {
			r.Others = &o
		}
	}()
	for _, s := range w.subjects {
		r.order = append(r.order, s.name)
		r.Durable[s.name] = s.durable
		r.ahead[s.name] = s.kind == peerKind && s.ahead
	}
	if r.Cells, err = w.matrix(ctx); err != nil {
		return r, err
	}
	if len(w.plan.sizes) > 0 {
		if r.Sizes, err = w.sizes(ctx); err != nil {
			return r, err
		}
	}
	r.Endurance = w.soak(ctx)
	return r, ctx.Err()
}

// publish writes the tables, the plot and the JSON document.
func (r *results) publish(p plan, stdout io.Writer) error {
	if len(r.Sizes) > 0 {
		if err := r.writePlot(p.plot); err != nil {
			return err
		}
	}
	if p.json == "-" {
		return r.writeJSON(stdout)
	}
	if err := r.write(stdout); err != nil || p.json == "" {
		return err
	}
	f, err := os.Create(p.json)
	if err != nil {
		return err
	}
	return errors.Join(r.writeJSON(f), f.Close())
}
