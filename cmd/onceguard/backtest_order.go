package main

import (
	"context"
	"runtime"
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
	// name says where a call stands, for people.
	name(ref uint64) string
}

// pastBatch is some calls that are yet to be read.
type pastBatch interface {
	calls(ctx context.Context) ([]guard.BacktestCall, error)
}

// batchCalls is how many calls are handed to a reader at a time: enough that handing over costs nothing.
const batchCalls = 256

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
		for w := range order {
			select {
			case read := <-w.read:
				for _, r := range read {
					if err := b.Add(ctx, r); err != nil {
						return err
					}
				}
				done.Add(int64(len(read)))
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
