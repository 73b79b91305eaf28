package redis

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/onceguard/onceguard/guard"
)

const (
	// publishTime bounds one message.
	publishTime = time.Second
	// maxWakesInMessage keeps a message small, so that no listener's buffer is filled by one.
	maxWakesInMessage = 256
)

// wake names an effect that may have changed.
type wake struct{ tenant, id string }

func (s *Store) changed(e *guard.Effect) { s.wakes.put(wake{e.Tenant, e.ID}, struct{}{}) }

// mayHaveChanged reports whether a write with this error can have changed an effect.
func mayHaveChanged(err error) bool { return err == nil || guard.CodeOf(err) == guard.CodeUncertain }

// Claim implements guard.Store.
func (s *Store) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	c, err := s.Store.Claim(ctx, r)
	if err == nil && c.Won {
		s.changed(&c.Effect)
	}
	return c, err
}

// Settle implements guard.Store.
func (s *Store) Settle(ctx context.Context, r guard.Settlement) (guard.Effect, error) {
	e, err := s.Store.Settle(ctx, r)
	if mayHaveChanged(err) {
		s.wakes.put(wake{r.Tenant, r.ID}, struct{}{})
	}
	return e, err
}

// Decide implements guard.Store.
func (s *Store) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	e, err := s.Store.Decide(ctx, d)
	if mayHaveChanged(err) {
		s.wakes.put(wake{d.Tenant, d.ID}, struct{}{})
	}
	return e, err
}

// Note implements guard.Store.
func (s *Store) Note(ctx context.Context, notes []guard.Note) error {
	err := s.Store.Note(ctx, notes)
	if mayHaveChanged(err) {
		for i := range notes {
			s.wakes.put(wake{notes[i].Tenant, notes[i].ID}, struct{}{})
		}
	}
	return err
}

// Sweep implements guard.Store.
func (s *Store) Sweep(ctx context.Context, limit int) ([]guard.Effect, error) {
	swept, err := s.Store.Sweep(ctx, limit)
	for i := range swept {
		s.changed(&swept[i])
	}
	return swept, err
}

func (s *Store) channel() string { return s.name + "wake" }

// publishAll tells the other servers what changed, until ctx ends. What changes while a message is under way goes into the next one.
func (s *Store) publishAll(ctx context.Context) {
	for {
		select {
		case <-s.wakes.ready:
		case <-ctx.Done():
			return
		}
		var batch [][2]string
		for w := range s.wakes.take() {
			if batch = append(batch, [2]string{w.tenant, w.id}); len(batch) == maxWakesInMessage {
				s.publish(ctx, batch)
				batch = nil
			}
		}
		if len(batch) > 0 {
			s.publish(ctx, batch)
		}
	}
}

func (s *Store) publish(ctx context.Context, batch [][2]string) {
	text, err := json.Marshal(batch)
	if err != nil {
		return // strings only: it cannot fail
	}
	sealed, err := s.sealer.seal(text, []byte(s.channel()))
	if err != nil {
		s.options.Log.Error("a wake-up cannot be sealed", "error", err)
		return
	}
	_ = s.exchange(ctx, publishTime, func(ctx context.Context) error {
		return s.client.Publish(ctx, s.channel(), sealed).Err() // a wake-up that is lost only makes a waiter look later
	})
}

// Watch implements guard.Watcher. What is published while the connection to Redis is lost is not heard; what the ledger hears by its own means is.
// It ends with an error when the store is closed.
func (s *Store) Watch(ctx context.Context, woken func(tenant, id string)) error {
	ctx, cancel := context.WithCancel(ctx)
	var beneath sync.WaitGroup
	defer beneath.Wait()
	defer cancel()
	if w, ok := s.Store.(guard.Watcher); ok {
		beneath.Go(func() { _ = w.Watch(ctx, woken) }) // Redis is heard without it
	}
	sub := s.client.Subscribe(ctx, s.channel())
	defer sub.Close() // it only listens: nothing is lost with it
	messages := sub.Channel()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return errClosed
			}
			for _, w := range s.read(m.Payload) {
				woken(w.tenant, w.id)
			}
		case <-s.ended:
			return errClosed
		case <-ctx.Done():
			return nil
		}
	}
}

var errClosed = &guard.Error{Code: guard.CodeUnavailable, Op: "watch", Message: "the ledger is closed"}

// read returns what a message tells: nothing, if it does not come from a server of this installation.
func (s *Store) read(message string) []wake {
	text, err := s.sealer.open([]byte(message), []byte(s.channel()))
	if err != nil {
		return nil
	}
	var batch [][2]string
	if json.Unmarshal(text, &batch) != nil || len(batch) > maxWakesInMessage {
		return nil
	}
	wakes := make([]wake, 0, len(batch))
	for _, b := range batch {
		wakes = append(wakes, wake{b[0], b[1]})
	}
	return wakes
}
