package postgres_test

import (
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestPooler runs whole lives of effects through a pooler that gives each transaction one of two sessions, with more callers than
// there are sessions.
func TestPooler(t *testing.T) {
	server := servertest.StartPostgres(t)
	dsn := server.Pooler(t, "postgres")
	s := openAt(t, dsn, postgres.Options{})
	err := storetest.Each(16, 300, func() error {
		if err := cycle(s); err != nil {
			return err
		}
		r := comparing()
		if _, err := s.Claim(background, r); err != nil {
			return err
		}
		_, err := s.Rivals(background, "t", guard.SameIdentity, r.Effect.Identity, r.Effect.Key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(storetest.Check(t, s, "t")); n != 600 {
		t.Errorf("%d effects", n)
	}
	noLocksLeft(t, server.DSN("postgres"))
}
