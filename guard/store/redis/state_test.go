package redis_test

import (
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard/store/servertest"
)

func TestStateTellsOfRedisAndOfHits(t *testing.T) {
	r := servertest.StartRedis(t)
	began := time.Now()
	s := connected(t, &outlined{ledger: openSQLite(t, nil)}, r.Address())
	for range 2 {
		if _, err := s.Lookup(t.Context(), fingerprint.Digest{1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.State(); !got.Answers || got.Looks != 2 || got.Hits != 0 || got.Since.Before(began) || got.Since.After(time.Now()) {
		t.Errorf("of a Redis that answers: %+v", got)
	}
	r.Kill(t)
	for s.State().Answers { // until a look has failed
		if _, err := s.Lookup(t.Context(), fingerprint.Digest{1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.State(); got.Since.Before(began) || got.Looks < 3 {
		t.Errorf("of a Redis that does not answer: %+v", got)
	}
}
