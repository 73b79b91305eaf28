package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
)

// isTerminal reports whether a person sees what is written to w as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// progress shows on a terminal how far a pass is. Elsewhere it writes nothing.
type progress struct {
	done atomic.Int64
	end  chan struct{}
	gone chan struct{}
}

// startProgress shows under a name how many of total things are done, until stop; total is 0 where nobody knows it. noun is what two of them are called.
func startProgress(w io.Writer, name, noun string, total int) *progress {
	p := &progress{end: make(chan struct{}), gone: make(chan struct{})}
	if !isTerminal(w) {
		close(p.gone)
		return p
	}
	go func() {
		defer close(p.gone)
		began := time.Now()
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(w, "\r"+progressLine(name, noun, int(p.done.Load()), total, time.Since(began))+"\x1b[K")
			case <-p.end:
				fmt.Fprint(w, "\r\x1b[K")
				return
			}
		}
	}()
	return p
}

// progressLine says how many things are done, how fast, and how long the rest will take. Without a total nobody knows that.
func progressLine(name, noun string, done, total int, took time.Duration) string {
	if total == 0 {
		return fmt.Sprintf("%s  %s %s  %.0f/s", name, grouped(done), noun, rate(done, took))
	}
	line := fmt.Sprintf("%s  %s of %s %s (%d %%)", name, grouped(done), grouped(total), noun, 100*done/total)
	speed := rate(done, took)
	if speed == 0 {
		return line
	}
	left := time.Duration(float64(total-done) / speed * float64(time.Second))
	return fmt.Sprintf("%s  %.0f/s  %s left", line, speed, left.Round(time.Second))
}

func (p *progress) stop() {
	close(p.end)
	<-p.gone
}
