package postgres_test

import (
	"testing"

	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestSize holds the package comment to what it says about the bytes of an effect.
func TestSize(t *testing.T) {
	const effects, most = 3000, 4200
	dsn := servertest.Postgres(t)
	s := openAt(t, dsn, postgres.Options{})
	if err := storetest.Each(64, effects, func() error { return cycle(s) }); err != nil {
		t.Fatal(err)
	}
	var bytes int64
	query(t, dsn, "SELECT pg_total_relation_size('onceguard.effects') + pg_total_relation_size('onceguard.events')", &bytes)
	per := bytes / effects
	t.Logf("%d bytes for each effect", per)
	if per > most {
		t.Errorf("an effect takes %d bytes, and the package comment says less than %d", per, most)
	}
}
