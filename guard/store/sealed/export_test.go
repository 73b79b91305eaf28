package sealed

// TestingOnlyKept is the form in which bytes of an effect reach the ledger.
func (s *Store) TestingOnlyKept(tenant, id string, isResult bool, text []byte) []byte {
	p := place{tenant, id, arguments}
	if isResult {
		p.what = result
	}
	kept, err := s.ring.seal(text, p)
	if err != nil {
		panic(err)
	}
	return kept
}
