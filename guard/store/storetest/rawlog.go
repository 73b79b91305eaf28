package storetest

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"time"
)

// RawLog appends records to a file and flushes it, with group commit: all that wait are written by one call and made durable
// by one flush. It keeps no index and decides nothing, and so names the limit of what a ledger on this disk could do.
// A ledger's speed is told as a ratio to it, measured in the same run.
type RawLog struct {
	file  *os.File
	queue chan *appending
	done  chan struct{}
	once  sync.Once
}

type appending struct {
	record []byte
	err    error
	done   chan struct{}
}

// maxRawBatch is the most records of one flush: as many as the drivers take.
const maxRawBatch = 512

// OpenRawLog creates the file at path, which must not exist.
func OpenRawLog(path string) (*RawLog, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &RawLog{file: f, queue: make(chan *appending, maxRawBatch), done: make(chan struct{})}
	go l.run()
	return l, nil
}

// Append returns when record is durable. It must not be called after Close.
func (l *RawLog) Append(record []byte) error {
	a := &appending{record: record, done: make(chan struct{})}
	l.queue <- a
	<-a.done
	return a.err
}

// Close waits for the appends under way and closes the file.
func (l *RawLog) Close() (err error) {
	l.once.Do(func() {
		close(l.queue)
		<-l.done
		err = l.file.Close()
	})
	return err
}

func (l *RawLog) run() {
	defer close(l.done)
	var bytes []byte
	for first := range l.queue {
		runtime.Gosched() // lets those who wait join, as the drivers do
		batch := []*appending{first}
		for more := true; more && len(batch) < maxRawBatch; {
			select {
			case a, ok := <-l.queue:
				if more = ok; ok {
					batch = append(batch, a)
				}
			default:
				more = false
			}
		}
		bytes = bytes[:0]
		for _, a := range batch {
			bytes = append(bytes, a.record...)
		}
		_, err := l.file.Write(bytes)
		err = errors.Join(err, fdatasync(l.file))
		for _, a := range batch {
			a.err = err
			close(a.done)
		}
	}
}

// Rate runs do from callers goroutines at once until d is over and returns how many calls came back a second.
// It returns the first error of do, and what was counted until then.
func Rate(callers int, d time.Duration, do func(caller, n int) error) (float64, error) {
	var wg sync.WaitGroup
	counts, errs := make([]int, callers), make([]error, callers)
	start := time.Now()
	for c := range callers {
		wg.Go(func() {
			for time.Since(start) < d && errs[c] == nil {
				if errs[c] = do(c, counts[c]); errs[c] == nil {
					counts[c]++
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(start).Seconds(), errors.Join(errs...)
}

// Each runs do n times in all, from callers goroutines at once, and returns the errors.
func Each(callers, n int, do func() error) error {
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for c := range callers {
		wg.Go(func() {
			for i := c; i < n && errs[c] == nil; i += callers {
				errs[c] = do()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
