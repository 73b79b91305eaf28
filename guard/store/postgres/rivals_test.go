package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/postgres"
	"github.com/onceguard/onceguard/guard/store/servertest"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

const (
	rivalRounds = 40
	rivalClaims = 16
)

// TestRivalsAtOnce has claims of different keys at the same moment, through two stores, of which each looks for the
// others: exactly one is won. Without locks, or with one snapshot for the locks and the look, several are.
func TestRivalsAtOnce(t *testing.T) {
	dsn := servertest.Postgres(t)
	stores := []*postgres.Store{openAt(t, dsn, postgres.Options{MaxBatch: 2}), openAt(t, dsn, postgres.Options{MaxBatch: 2})}
	for name, meet := range map[string]func(r *guard.ClaimRequest, d fingerprint.Digest, keys []fingerprint.Digest, i int){
		"caller key": func(r *guard.ClaimRequest, d fingerprint.Digest, _ []fingerprint.Digest, _ int) {
			r.Effect.CallerKey = d
		},
		"scope": func(r *guard.ClaimRequest, d fingerprint.Digest, _ []fingerprint.Digest, _ int) {
			copy(r.Effect.Key[:], d.Common())
			r.CheckScope = true
		},
		"identity": func(r *guard.ClaimRequest, d fingerprint.Digest, _ []fingerprint.Digest, _ int) {
			r.Effect.Identity, r.CheckIdentity = d, true
		},
		"near": func(r *guard.ClaimRequest, d fingerprint.Digest, _ []fingerprint.Digest, _ int) {
			r.Effect.Near, r.CheckNear = d, true
		},
		"aliases": func(r *guard.ClaimRequest, _ fingerprint.Digest, keys []fingerprint.Digest, _ int) { r.Aliases = keys },
		"crossed": func(r *guard.ClaimRequest, d fingerprint.Digest, _ []fingerprint.Digest, i int) {
			r.Effect.Near, r.Effect.Identity = d, d // each asks for what only the other kind records first
			r.CheckNear, r.CheckIdentity = i%2 == 0, i%2 == 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range rivalRounds {
				d := storetest.Digest("meeting "+name, int64(round))
				requests := make([]guard.ClaimRequest, rivalClaims)
				var keys []fingerprint.Digest
				for i := range requests {
					requests[i] = storetest.NewCall("acme")
					keys = append(keys, requests[i].Effect.Key)
				}
				for i := range requests {
					meet(&requests[i], d, keys, i)
				}
				if won := claimAtOnce(t, stores, requests); won != 1 {
					t.Fatalf("round %d: %d claims were won", round, won)
				}
			}
		})
	}
	storetest.Check(t, stores[0], "acme")
	noLocksLeft(t, dsn)
}

func claimAtOnce(t *testing.T, stores []*postgres.Store, requests []guard.ClaimRequest) (won int) {
	t.Helper()
	start := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range requests {
		wg.Go(func() {
			<-start
			got, err := stores[i%len(stores)].Claim(context.Background(), requests[i])
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("claim %d: %v", i, err)
			}
			if got.Won {
				won++
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

// TestEntryAmongClaims adds entries to the book while claims that know the book of the moment before are made: no claim of an older
// book is made after the entry was added, by the order of the database itself.
func TestEntryAmongClaims(t *testing.T) {
	dsn := servertest.Postgres(t)
	claiming, adding := openAt(t, dsn, postgres.Options{}), openAt(t, dsn, postgres.Options{})
	for round := range 30 {
		var wg sync.WaitGroup
		book := int64(round)
		won := make([]guard.Claimed, 8)
		for i := range won {
			wg.Go(func() {
				r := storetest.NewCall("acme")
				r.Book = book
				var err error
				won[i], err = claiming.Claim(context.Background(), r)
				if code := guard.CodeOf(err); code != "" && code != guard.CodeOldBook {
					t.Error(err)
				}
			})
		}
		var added guard.Entry
		wg.Go(func() {
			var err error
			if added, err = adding.Enter(context.Background(), guard.Entry{Kind: guard.EntryEdition, Name: "p", Text: fmt.Append(nil, round)}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if added.Number != book+1 {
			t.Fatalf("the entry has number %d after %d", added.Number, book)
		}
		var at time.Time
		query(t, dsn, fmt.Sprint("SELECT at FROM onceguard.book WHERE number = ", added.Number), &at)
		for _, c := range won {
			if c.Won && c.Effect.Created.After(at) { // both times were taken under the lock of the book
				t.Fatalf("a claim of book %d was made at %v, after entry %d at %v", book, c.Effect.Created, added.Number, at)
			}
		}
		r := storetest.NewCall("acme")
		r.Book = book
		if _, err := claiming.Claim(t.Context(), r); guard.CodeOf(err) != guard.CodeOldBook {
			t.Fatalf("a claim of an old book gave %v", err)
		}
	}
	noLocksLeft(t, dsn)
}

// noLocksLeft asks the server whether any advisory lock outlived its statement.
func noLocksLeft(t *testing.T, dsn string) {
	t.Helper()
	var n int
	query(t, dsn, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", &n)
	if n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

// query asks the database itself.
func query(t testing.TB, dsn, text string, to ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), text).Scan(to...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// execute changes the database behind the store's back.
func execute(t testing.TB, dsn, text string) {
	t.Helper()
	if err := try(t, dsn, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func try(t testing.TB, dsn, text string) error {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text)
	return err
}
