package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// fill puts done effects into a ledger, as begin and settle would have left them, but for their hashes: numbers from to until.
// A tenth has an identity and a resource of which others have the same.
const fill = `
WITH filled AS (INSERT INTO onceguard.effects (
	id, tenant, subject, agent, run, call_id, tool, type, execute, about, related, key, generation, identity, resource,
	state, code, reason, fence, claim, attempts, failures, review, policy, window_ns, created, updated, since, window_until, events, head,
	arguments_seq, result_seq, followed)
SELECT 'filled-' || n, 't', 'support', 'refunder', 'run-' || n, 'call-' || n, 'payments.refund', 'refund', 'guard', 'A-' || n, '',
	sha256(int8send(n)), 1, CASE WHEN n %% 10 = 0 THEN sha256(int8send(n / 100)) END, CASE WHEN n %% 10 = 0 THEN sha256(int8send(n / 100)) END,
	'done', 'upstream_done', '', 1, 'claim-' || n, 1, 0, '', 'sha256:policy', 86400000000000,
	now() - interval '2 days', now() - interval '2 days', now() - interval '2 days', now() - interval '1 day', 2, sha256(int8send(n)), 1, 2, n %% 10 = 0
FROM generate_series(%d, %d) AS n RETURNING number)
INSERT INTO onceguard.events (effect, seq, at, kind, from_state, to_state, fence, actor_kind, actor_name, code, note, claim, count, hash)
SELECT number, seq, now(), 'filled', '', '', 1, '', '', '', '', '', 0, sha256('')
FROM filled, generate_series(1, 2) AS seq;
ANALYZE onceguard.effects, onceguard.events`

// costs are the operations whose cost must not grow with the ledger.
var costs = []struct {
	name string
	do   func(*postgres.Store) error
}{
	{"claim and settle", func(s *postgres.Store) error { return cycle(s) }},
	{"compare and claim", func(s *postgres.Store) error {
		_, err := s.Claim(background, comparing())
		return err
	}},
	{"lose a claim", func(s *postgres.Store) error {
		r := comparing()
		if _, err := s.Claim(background, r); err != nil {
			return err
		}
		r.Effect.ID = storetest.NewID()
		got, err := s.Claim(background, r)
		if err == nil && got.Won {
			err = fmt.Errorf("a claim was won twice")
		}
		return err
	}},
	{"look up", func(s *postgres.Store) error {
		_, err := s.Lookup(background, storetest.Digest("key", issued()))
		return err
	}},
	{"sweep", func(s *postgres.Store) error {
		_, err := s.Sweep(background, 10)
		return err
	}},
}

// comparing is a call that compares everything and is limited, and on whose thing others were done long ago.
func comparing() guard.ClaimRequest {
	r := storetest.NewCall("t")
	n := issued()
	r.CheckScope, r.CheckIdentity, r.CheckNear = true, true, true
	r.Effect.Identity, r.Effect.Near = storetest.Digest("identity", n), storetest.Digest("near", n)
	r.Effect.Resource, r.Effect.CallerKey = storetest.Digest("resource", n), storetest.Digest("caller", n)
	r.Limits = []guard.Limit{{Key: storetest.Digest("limit", n), Amount: 1, Max: 5, Period: guard.MaxPeriod}}
	return r
}

// TestGrowth counts the pages that operations touch in a small ledger and in one that is thirty times as large: no more than a level
// of each index lies between them.
func TestGrowth(t *testing.T) {
	const small, large, times = 10_000, 300_000, 40
	dsn := servertest.Postgres(t)
	if err := openAt(t, dsn, postgres.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	pages := make([][]int64, len(costs))
	for _, to := range []int64{small, large} {
		var from int64
		query(t, dsn, "SELECT count(*) + 1 FROM onceguard.effects WHERE id LIKE 'filled-%'", &from)
		execute(t, dsn, fmt.Sprintf(fill, from, to))
		for i, c := range costs {
			before := touched(t, dsn)
			s := openAt(t, dsn, postgres.Options{})
			for range times {
				if err := c.do(s); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			pages[i] = append(pages[i], (touched(t, dsn)-before)/times)
		}
	}
	for i, c := range costs {
		t.Logf("%s: %d pages among %d effects, %d among %d", c.name, pages[i][0], small, pages[i][1], large)
		if pages[i][1] > pages[i][0]*3/2 {
			t.Errorf("to %s touches %d pages in a small ledger and %d in a large one", c.name, pages[i][0], pages[i][1])
		}
	}
}

// touched is how many pages of the ledger were read or found in memory, when the sessions of the store have ended.
func touched(t testing.TB, dsn string) (pages int64) {
	t.Helper()
	for sessions := 1; sessions > 0; {
		query(t, dsn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onceguard' AND datname = current_database()", &sessions)
	}
	query(t, dsn, `SELECT sum(coalesce(heap_blks_read, 0) + coalesce(heap_blks_hit, 0) + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0))::bigint
		FROM pg_statio_user_tables WHERE schemaname = 'onceguard'`, &pages)
	return pages
}

// BenchmarkGrowth measures claims and settlements in ledgers of 10^4 and 10^6 effects, in turn, and reports the ratio of the
// medians:
//
//	go test ./guard/store/postgres -run XXX -bench Growth -benchtime 1x -timeout 30m
func BenchmarkGrowth(b *testing.B) {
	const callers, rounds, round = 16, 7, roundTime
	server := servertest.StartPostgresOnDisk(b)
	var stores []*postgres.Store
	for _, effects := range []int64{10_000, 1_000_000} {
		dsn := server.Database(b)
		s := openAt(b, dsn, postgres.Options{})
		execute(b, dsn, fmt.Sprintf(fill, 1, effects))
		stores = append(stores, s)
	}
	for b.Loop() {
		rates := make([][]float64, len(stores))
		for range rounds {
			for i, s := range stores {
				rates[i] = append(rates[i], rate(b, callers, round, func() error { return cycle(s) }))
			}
		}
		for _, r := range rates {
			slices.Sort(r)
		}
		b.ReportMetric(rates[0][rounds/2]/rates[1][rounds/2], "of-small")
	}
	b.ReportMetric(0, "ns/op")
}
