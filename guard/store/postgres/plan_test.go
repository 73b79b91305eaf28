package postgres_test

import (
	"sync/atomic"
	"testing"

	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// TestPlans counts what the server read while each hot operation was made, on tables that were just filled and of which the
// planner knows nothing: no table is scanned, and no operation reads more rows than the few that it is about. A plan
// that walks a whole index would do so unseen by the first count, not by the second.
func TestPlans(t *testing.T) {
	const effects, times = 2000, 50
	dsn := servertest.Postgres(t)
	filling := openAt(t, dsn, postgres.Options{})
	if err := storetest.Each(32, effects, func() error { return cycle(filling) }); err != nil {
		t.Fatal(err)
	}
	if err := filling.Close(); err != nil {
		t.Fatal(err)
	}
	related := func() guard.ClaimRequest {
		r := storetest.NewCall("t")
		r.CheckScope = true
		r.Effect.Identity, r.CheckIdentity = storetest.Digest("identity of", issued()), true
		r.Effect.Near, r.CheckNear = storetest.Digest("near of", issued()), true
		r.Effect.CallerKey = storetest.Digest("caller of", issued())
		r.Effect.Resource = storetest.Digest("resource", 1)
		r.Aliases = append(r.Aliases, storetest.Digest("alias of", issued()))
		return r
	}
	for name, do := range map[string]func(s *postgres.Store) error{
		"claim and settle": func(s *postgres.Store) error { return cycle(s) },
		"a claim that compares": func(s *postgres.Store) error {
			_, err := s.Claim(t.Context(), related())
			return err
		},
		"a claim that is lost": func(s *postgres.Store) error {
			r := storetest.NewCall("t")
			if _, err := s.Claim(t.Context(), r); err != nil {
				return err
			}
			r.Effect.ID = storetest.NewID()
			_, err := s.Claim(t.Context(), r)
			return err
		},
		"a claim again": func(s *postgres.Store) error {
			r := storetest.NewCall("t")
			got, err := s.Claim(t.Context(), r)
			if err != nil {
				return err
			}
			failed, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Failed))
			if err != nil {
				return err
			}
			_, err = s.Claim(t.Context(), storetest.Again(r, failed))
			return err
		},
		"a superseded effect is looked up": func(s *postgres.Store) error {
			r := related()
			got, err := s.Claim(t.Context(), r)
			if err != nil {
				return err
			}
			if _, err := s.Settle(t.Context(), storetest.Outcome(got.Effect, guard.Done)); err != nil {
				return err
			}
			if _, err := s.Lookup(t.Context(), r.Effect.Key); err != nil {
				return err
			}
			_, err = s.Outline(t.Context(), r.Effect.Key)
			return err
		},
		"the reads of a guard": func(s *postgres.Store) error {
			r := storetest.NewCall("t")
			got, err := s.Claim(t.Context(), r)
			if err != nil {
				return err
			}
			if _, err := s.Extend(t.Context(), r.Effect.ID, got.Effect.Fence, 2*storetest.Lease); err != nil {
				return err
			}
			if _, err := s.Events(t.Context(), "t", r.Effect.ID); err != nil {
				return err
			}
			if _, err := s.Rivals(t.Context(), "t", guard.NearEffect, storetest.Digest("near", 0), r.Effect.Key); err != nil {
				return err
			}
			if _, err := s.Unsent(t.Context(), 0, 10); err != nil {
				return err
			}
			if _, err := s.List(t.Context(), guard.Query{Tenant: "t", Limit: 5}); err != nil {
				return err
			}
			if _, err := s.List(t.Context(), guard.Query{Tenant: "t", Review: true}); err != nil {
				return err
			}
			_, err = s.Sweep(t.Context(), 10)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			scans, read := counts(t, dsn)
			s := openAt(t, dsn, postgres.Options{})
			for range times {
				if err := do(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			scansAfter, readAfter := counts(t, dsn)
			if n := scansAfter - scans; n != 0 {
				t.Errorf("%d scans of whole tables", n)
			}
			perCall := (readAfter - read) / times
			t.Logf("%d rows read a call", perCall)
			if perCall > 60 {
				t.Errorf("%d rows read a call, of about %d that there are", perCall, effects)
			}
		})
	}
}

// TestPlansOfAnEmptyLedger counts the same for sessions that made their plans when there was nothing in the tables, and keep them while
// these fill up: until the server analyzes the tables for the first time.
func TestPlansOfAnEmptyLedger(t *testing.T) {
	const effects = 3000
	dsn := servertest.Postgres(t)
	if err := openAt(t, dsn, postgres.Options{}).Close(); err != nil { // the migrations read as well
		t.Fatal(err)
	}
	scans, read := counts(t, dsn)
	s := openAt(t, dsn, postgres.Options{})
	if err := storetest.Each(16, effects, func() error { return cycle(s) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	scansAfter, readAfter := counts(t, dsn)
	perCall := (readAfter - read) / effects
	t.Logf("%d rows read a call", perCall)
	if scansAfter != scans || perCall > 20 {
		t.Errorf("%d scans of whole tables, and %d rows read a call", scansAfter-scans, perCall)
	}
}

var numbers atomic.Int64

// issued returns another number each time.
func issued() int64 { return numbers.Add(1) }

// counts returns how often effects and events were scanned and how many index entries of them were read, when the
// sessions of the store have ended: only then has the server counted all.
func counts(t *testing.T, dsn string) (scans, read int64) {
	t.Helper()
	for sessions := 1; sessions > 0; {
		query(t, dsn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onceguard' AND datname = current_database()", &sessions)
	}
	query(t, dsn, "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname IN ('effects', 'events')", &scans)
	query(t, dsn, "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname IN ('effects', 'events')", &read)
	return scans, read
}
