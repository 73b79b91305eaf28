package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/onceguard/onceguard/guard"
)

// pastCalls is where the calls of a backtest come from.
type pastCalls interface {
	// each gives the calls in the order in which they were made, in batches of a form of the source's own.
	each(ctx context.Context, do func(pastBatch) error) error
	// recall finds a call again. It may be asked while each runs.
	recall(ctx context.Context, ref uint64) (guard.BacktestCall, error)
	// verdicts gives the pairs about which reviewers have decided. It is asked when all calls were given.
	verdicts(ctx context.Context, do func(guard.BacktestLabel) error) error
	// name says where a call stands, for people.
	name(ref uint64) string
}

// pastBatch is some calls that are yet to be read.
type pastBatch interface {
	calls(ctx context.Context) ([]guard.BacktestCall, error)
}

// batchCalls is how many calls are handed to a reader at a time: enough that handing over costs nothing.
const batchCalls = 256

// manyCalls is from where on the garbage collector works more often. What is remembered is large then, and without pointers, so that
// looking often costs little and leaves less lying about; before, it would cost a third of the time.
const manyCalls = 300_000

// readInOrder reads batches on all cores and adds their calls in order. A few batches are in memory at a time.
func readInOrder(ctx context.Context, b *guard.Backtest, from pastCalls, done *atomic.Int64) error {
	type work struct {
		batch pastBatch
		read  chan []guard.BacktestReading
	}
	readers := runtime.GOMAXPROCS(0)
	todo, order := make(chan work), make(chan work, 2*readers)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(todo)
		defer close(order)
		return from.each(ctx, func(batch pastBatch) error {
			w := work{batch, make(chan []guard.BacktestReading, 1)}
			for _, to := range []chan work{order, todo} {
				select {
				case to <- w:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	for range readers {
		group.Go(func() error {
			for w := range todo {
				calls, err := w.batch.calls(ctx)
				if err != nil {
					return err
				}
				read := make([]guard.BacktestReading, len(calls))
				for i, c := range calls {
					read[i] = b.Read(ctx, c)
				}
				w.read <- read
			}
			return nil
		})
	}
	group.Go(func() error {
		former := 0 // setting of the collector, once it is another
		defer func() {
			if former != 0 {
				debug.SetGCPercent(former)
			}
		}()
		for w := range order {
			select {
			case read := <-w.read:
				for _, r := range read {
					if err := b.Add(ctx, r); err != nil {
						return err
					}
				}
				if done.Add(int64(len(read))) >= manyCalls && former == 0 {
					former = debug.SetGCPercent(25)
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
