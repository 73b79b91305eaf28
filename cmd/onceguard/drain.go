package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// answerGrace is how long requests may take to write their answers after the calls under way have landed. Who
// still waits then, for an effect that somebody else carries out, is told to ask again.
const answerGrace = time.Second

// drain ends the server's work in good order: no new calls, then the outcome of those under way, then their
// answers.
func (s *server) drain() error {
	s.log.Info("shutting down: waiting for the calls under way", "at_most", s.config.DrainTimeout.String())
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DrainTimeout)
	defer cancel()
	s.intake.stop()
	landed := s.guard.Drain(ctx)

	grace := time.AfterFunc(answerGrace, s.hangUp)
	defer grace.Stop()
	ctx, cancel = context.WithTimeout(context.Background(), 3*answerGrace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.log.Warn("connections were cut", "error", err)
		_ = s.http.Close() // their callers ask again
	}
	if errors.Is(landed, context.DeadlineExceeded) {
		s.abandoned = true
		return fmt.Errorf("some calls were still under way after %s, so their effects become unknown: give the next shutdown more time with --drain-timeout", s.config.DrainTimeout)
	}
	return landed
}

// close ends the parts in the reverse of the order in which they were made. It is safe after a start that
// failed half way.
func (s *server) close() error {
	var errs []error
	if s.hangUp != nil {
		s.hangUp()
	}
	errs = append(errs, s.intake.wait())
	if s.listener != nil {
		s.listener.Close() // for the second time after a drain
	}
	if s.background != nil {
		s.background()
	}
	s.sweeping.Wait()
	if s.guard != nil {
		// An answer may have come while the connections were ended.
		ctx, cancel := context.WithTimeout(context.Background(), answerGrace)
		s.abandoned = s.guard.Drain(ctx) != nil
		cancel()
	}
	if s.forward != nil && !s.abandoned {
		errs = append(errs, s.forward.Close())
	}
	if s.policies != nil {
		<-s.policies.Done()
	}
	if s.folder != nil {
		errs = append(errs, s.folder.ledger.Close())
		s.log.Info("the ledger is closed")
	}
	return errors.Join(errs...)
}
