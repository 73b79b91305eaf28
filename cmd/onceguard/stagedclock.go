package main

import (
	"sync"
	"time"
)

// stagedClock is a clock that is set by hand.
type stagedClock struct {
	step time.Duration // that each look takes, so that events do not all come at once

	mu  sync.Mutex
	now time.Time
}

func (c *stagedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.step)
	return c.now
}

func (c *stagedClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *stagedClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
