package storetest

import (
	"slices"
	"time"

	"github.com/onceguard/onceguard/guard"
)

var credentialCases = []suiteCase{
	{"a key is found by its hash, with all that was recorded", withCredentials(func(t *test, s guard.Credentials) {
		c := newCredential("a", 1)
		c.Created = t.clock.Now()
		if err := s.AddCredential(t.ctx, c); err != nil {
			t.Fatal(err)
		}
		if got, err := s.FindCredential(t.ctx, c.Hash); err != nil || got != c {
			t.Fatalf("found %+v, %v; want %+v", got, err, c)
		}
		_, err := s.FindCredential(t.ctx, [32]byte{9})
		t.code(err, guard.CodeNotFound)
	})},
	{"its ID and Hash must be new", withCredentials(func(t *test, s guard.Credentials) {
		if err := s.AddCredential(t.ctx, newCredential("a", 1)); err != nil {
			t.Fatal(err)
		}
		t.code(s.AddCredential(t.ctx, newCredential("a", 2)), guard.CodeConflict)
		t.code(s.AddCredential(t.ctx, newCredential("b", 1)), guard.CodeConflict)
	})},
	{"what is not a key is refused", withCredentials(func(t *test, s guard.Credentials) {
		for _, spoil := range []func(*guard.Credential){
			func(c *guard.Credential) { c.ID = "" },
			func(c *guard.Credential) { c.Hash = [32]byte{} },
			func(c *guard.Credential) { c.Principal.Role = "root" },
			func(c *guard.Credential) { c.Principal.SelfReview = true },
		} {
			c := newCredential("a", 1)
			spoil(&c)
			t.code(s.AddCredential(t.ctx, c), guard.CodeInvalid)
		}
	})},
	{"all keys are listed, oldest first", withCredentials(func(t *test, s guard.Credentials) {
		var ids []string
		for i, id := range []string{"c", "a", "b"} {
			if err := s.AddCredential(t.ctx, newCredential(id, byte(i+1))); err != nil {
				t.Fatal(err)
			}
			t.clock.Move(time.Second)
		}
		all, err := s.ListCredentials(t.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, []string{"c", "a", "b"}) {
			t.Fatalf("listed %v", ids)
		}
	})},
	{"a revoked key is still found; to revoke it again changes nothing", withCredentials(func(t *test, s guard.Credentials) {
		c := newCredential("a", 1)
		if err := s.AddCredential(t.ctx, c); err != nil {
			t.Fatal(err)
		}
		t.clock.Move(time.Minute)
		want := t.clock.Now()
		for range 2 {
			if err := s.RevokeCredential(t.ctx, "a"); err != nil {
				t.Fatal(err)
			}
			if got, err := s.FindCredential(t.ctx, c.Hash); err != nil || !got.Revoked.Equal(want) {
				t.Fatalf("revoked at %v, %v; want %v", got.Revoked, err, want)
			}
			t.clock.Move(time.Minute)
		}
		t.code(s.RevokeCredential(t.ctx, "nobody"), guard.CodeNotFound)
	})},
}

// withCredentials looks through wrappers for the store that keeps keys. Stores need not.
func withCredentials(run func(*test, guard.Credentials)) func(*test) {
	return func(t *test) {
		s := t.store
		if f, ok := s.(*Faulty); ok {
			s = f.Store
		}
		if c, ok := s.(guard.Credentials); ok {
			run(t, c)
		} else {
			t.Logf("%T keeps no keys", s)
		}
	}
}

func newCredential(id string, hash byte) guard.Credential {
	return guard.Credential{
		ID: id, Hash: [32]byte{hash}, Label: "key " + id,
		Principal: guard.Principal{Tenant: tenant, Subject: "support", Agent: "refunder", Role: guard.RoleAgent},
	}
}
