package redis

import "time"

// State tells people how Redis does. Nothing is decided upon it.
type State struct {
	Answers bool      // it is asked; else it is left alone, because it does not answer or an exchange with it failed
	Since   time.Time // when Answers became what it is, by this machine's clock
	Looks   int64     // looks at the ledger for which Redis was asked first
	Hits    int64     // those for which it had the bytes
}

// State returns how Redis does now, as far as this process has seen.
func (s *Store) State() State {
	answers, since := s.circuit.state()
	// Hits are read first, so that there are never more of them than looks.
	hits := s.hits.Load()
	return State{Answers: answers, Since: since, Looks: s.looks.Load(), Hits: hits}
}
