package sealed_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/guard/store/sealed"
	"github.com/onceguard/onceguard/guard/store/sqlite"
	"github.com/onceguard/onceguard/guard/store/storetest"
)

// always asks for sealing in every request, so that the contract is held by sealed effects.
type always struct{ *sealed.Store }

func (a always) Claim(ctx context.Context, r guard.ClaimRequest) (guard.Claimed, error) {
	r.Seal = true
	return a.Store.Claim(ctx, r)
}

func (a always) Settle(ctx context.Context, s guard.Settlement) (guard.Effect, error) {
	s.Seal = true
	return a.Store.Settle(ctx, s)
}

func (a always) Decide(ctx context.Context, d guard.Decision) (guard.Effect, error) {
	d.Seal = true
	return a.Store.Decide(ctx, d)
}

func (a always) Note(ctx context.Context, notes []guard.Note) error {
	for i := range notes {
		notes[i].Seal = true
	}
	return a.Store.Note(ctx, notes)
}

// Kept implements storetest.Keeper.
func (a always) Kept(tenant, id string, result bool, text []byte) []byte {
	return a.TestingOnlyKept(tenant, id, result, text)
}

func ring(t *testing.T, keys ...byte) *sealed.Ring {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, 32))
	}
	r, err := sealed.NewRing(all[0], all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// empty is a ledger without effects in a file.
var empty = storetest.NewTemplate(func(path string) (guard.Store, error) {
	return sqlite.Open(context.Background(), path, sqlite.Options{})
})

func open(t *testing.T, now func() time.Time) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), empty.Copy(t), sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContractSealed(t *testing.T) {
	storetest.Run(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		return always{sealed.New(open(t, c.Now), ring(t, 1))}
	})
}

func TestLockstepSealed(t *testing.T) {
	storetest.Lockstep(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		return always{sealed.New(open(t, c.Now), ring(t, 1))}
	})
}

// What nobody asks to seal passes through as it is.
func TestLockstepUnsealed(t *testing.T) {
	storetest.Lockstep(t, func(t *testing.T, c *storetest.Clock) guard.Store {
		return sealed.New(storetest.NewReference(c.Now), ring(t, 1))
	})
}

var secret = []byte(`{"card":"4242 4242 4242 4242"}`)

// done makes an effect that is done, with the secret as arguments and result.
func done(t *testing.T, s guard.Store, id string) guard.Effect {
	t.Helper()
	c, err := s.Claim(t.Context(), guard.ClaimRequest{Effect: guard.Effect{
		ID: id, Tenant: "acme", Subject: "bot", Tool: "pay", Type: "pay", Execute: guard.ByCaller, Key: fingerprint.Digest{1, id[0]},
		State: guard.Pending, Code: guard.CodeProceed, Claim: "c" + id, Arguments: secret, Window: time.Hour,
	}, Lease: time.Minute, Seal: true})
	if err != nil || !c.Won || !bytes.Equal(c.Effect.Arguments, secret) {
		t.Fatalf("claim: %+v, %v", c, err)
	}
	e, err := s.Settle(t.Context(), guard.Settlement{
		Tenant: "acme", ID: id, Fence: c.Effect.Fence, Claim: c.Effect.Claim, State: guard.Done, Code: guard.CodeReported,
		Result: &guard.Result{ContentType: "application/json", Body: secret, Source: guard.FromCaller}, Seal: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNothingReadableReachesTheLedger(t *testing.T) {
	ledger := open(t, nil)
	s := sealed.New(ledger, ring(t, 1))
	defer s.Close()
	done(t, s, "a")
	below, err := ledger.Get(t.Context(), "acme", "a")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(below.Arguments, []byte("4242")) || bytes.Contains(below.Result.Body, []byte("4242")) || bytes.Equal(below.Arguments, below.Result.Body) {
		t.Errorf("the ledger has arguments %q and result %q", below.Arguments, below.Result.Body)
	}
	events, err := s.Events(t.Context(), "acme", "a")
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Get(t.Context(), "acme", "a")
	if err != nil || !bytes.Equal(e.Arguments, secret) || !bytes.Equal(e.Result.Body, secret) {
		t.Fatalf("read %+v, %v", e, err)
	}
	if faults := guard.Audit(e, events); len(faults) > 0 {
		t.Errorf("the opened history does not verify: %v", faults)
	}
	raw, err := ledger.Events(t.Context(), "acme", "a")
	if err != nil {
		t.Fatal(err)
	}
	if faults := guard.Audit(below, raw); len(faults) > 0 {
		t.Errorf("the sealed history does not verify without a key: %v", faults)
	}
}

func TestOlderKeysOpenAndStrangeOnesDoNot(t *testing.T) {
	ledger := open(t, nil)
	defer ledger.Close()
	done(t, sealed.New(ledger, ring(t, 1)), "a")
	if e, err := sealed.New(ledger, ring(t, 2, 1)).Get(t.Context(), "acme", "a"); err != nil || !bytes.Equal(e.Arguments, secret) {
		t.Errorf("with the older key on the ring: %q, %v", e.Arguments, err)
	}
	strange := sealed.New(ledger, ring(t, 2))
	if _, err := strange.Get(t.Context(), "acme", "a"); guard.CodeOf(err) != guard.CodeCorrupt {
		t.Errorf("without it: %v", err)
	}
	if _, err := strange.Events(t.Context(), "acme", "a"); guard.CodeOf(err) != guard.CodeCorrupt {
		t.Errorf("the events without it: %v", err)
	}
	if found, err := strange.Lookup(t.Context(), fingerprint.Digest{1, 'a'}); guard.CodeOf(err) != guard.CodeCorrupt {
		t.Errorf("looked up without it: %+v, %v", found, err)
	}
}

// moved answers for one effect with the bytes of another.
type moved struct {
	guard.Store
	from, to string
}

func (m moved) Get(ctx context.Context, tenant, id string) (guard.Effect, error) {
	e, err := m.Store.Get(ctx, tenant, id)
	if err == nil && id == m.to {
		other, _ := m.Store.Get(ctx, tenant, m.from)
		e.Arguments = other.Arguments
	}
	return e, err
}

func TestBytesOfAnotherEffectDoNotOpen(t *testing.T) {
	ledger := open(t, nil)
	defer ledger.Close()
	s := sealed.New(ledger, ring(t, 1))
	done(t, s, "a")
	done(t, s, "b")
	if e, err := sealed.New(moved{ledger, "a", "b"}, ring(t, 1)).Get(t.Context(), "acme", "b"); guard.CodeOf(err) != guard.CodeCorrupt {
		t.Errorf("read %q, %v", e.Arguments, err)
	}
}

func TestResultThatLooksSealedComesBackAsItWas(t *testing.T) {
	s := sealed.New(open(t, nil), ring(t, 1))
	defer s.Close()
	e := done(t, s, "a")
	like := append([]byte("og\x01"), bytes.Repeat([]byte{7}, 64)...)
	err := s.Note(t.Context(), []guard.Note{{Tenant: "acme", ID: e.ID, Code: guard.CodeContradiction, Result: &guard.Result{Body: like, Source: guard.FromCaller}}})
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), "acme", "a")
	if err != nil || !bytes.Equal(events[len(events)-1].Result.Body, like) {
		t.Errorf("events %+v, %v", events, err)
	}
}
