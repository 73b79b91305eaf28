package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// The durations of requests that do not say otherwise.
const (
	Lease  = 30 * time.Second
	Expiry = time.Hour
	Window = 24 * time.Hour
)

var (
	issued atomic.Int64

	// What fills the arguments and the result to a usual size.
	reason = strings.Repeat("the parcel was late ", 32)
	note   = strings.Repeat("refunded ", 24)
)

// NewID returns an id as the guard makes them: unguessable, and ordered by the time of creation.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// NewClaim returns an id for a claim.
func NewClaim() string { return uuid.NewString() }

// Digest returns a digest that belongs to n.
func Digest(kind string, n int64) fingerprint.Digest {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(kind), uint64(n)))
}

// NewCall returns a request that claims a new effect of tenant, unlike all others: about 700 bytes of arguments, no
// prior, nothing compared.
func NewCall(tenant string) guard.ClaimRequest { return NewCallAt(tenant, issued.Add(1)) }

// NewCallAt is NewCall where the caller sees to it that no two have the same n, such as in several processes.
func NewCallAt(tenant string, n int64) guard.ClaimRequest {
	number := strconv.FormatInt(n, 10)
	return guard.ClaimRequest{
		Effect: guard.Effect{
			ID: NewID(), Tenant: tenant, Subject: "support", Agent: "refunder", Run: "run-" + number, CallID: "call-" + number,
			Tool: "payments.refund", Type: "refund", Execute: guard.ByGuard, Key: Digest("key", n),
			State: guard.Pending, Claim: NewClaim(), Policy: "sha256:policy",
			Arguments: json.RawMessage(`{"order_id":"A-` + number + `","amount":"12.50","reason":"` + reason + `"}`),
			Window:    Window,
		},
		Lease: Lease,
		Actor: guard.Actor{Kind: "agent", Name: "support"},
	}
}

// Outcome returns the settlement of a claimed effect, with about 300 bytes of result unless it is unknown.
func Outcome(e guard.Effect, to guard.State) guard.Settlement {
	s := guard.Settlement{
		Tenant: e.Tenant, ID: e.ID, Fence: e.Fence, Claim: e.Claim, State: to,
		Code: guard.Code("upstream_" + string(to)), Actor: guard.Actor{Kind: "guard"},
	}
	if to != guard.Unknown {
		s.Result = &guard.Result{
			Status: 200, ContentType: "application/json", Source: guard.FromUpstream,
			Body: []byte(`{"effect":"` + e.ID + `","state":"` + string(to) + `","note":"` + note + `"}`),
		}
	}
	return s
}

// Parked turns a request into one that records a held call.
func Parked(r guard.ClaimRequest) guard.ClaimRequest {
	r.Effect.State, r.Effect.Claim, r.Effect.Code, r.Effect.Review = guard.Held, "", "rule", "rule"
	r.Lease, r.Expiry = 0, Expiry
	return r
}

// Denied turns a request into one that records a refused call.
func Denied(r guard.ClaimRequest) guard.ClaimRequest {
	r.Effect.State, r.Effect.Claim, r.Effect.Code, r.Effect.Reason = guard.Refused, "", guard.CodeDenied, "refunds need an order"
	r.Lease = 0
	return r
}

// Again turns a request into one that claims an effect once more, as it was seen.
func Again(r guard.ClaimRequest, seen guard.Effect) guard.ClaimRequest {
	r.Prior, r.Again = PriorOf(seen), true
	r.Effect.State, r.Effect.Claim = guard.Pending, NewClaim()
	r.Lease, r.Expiry = Lease, 0
	return r
}

// Next turns a request into one that begins the generation after the one that was seen.
func Next(r guard.ClaimRequest, seen guard.Effect) guard.ClaimRequest {
	r.Prior, r.Again = PriorOf(seen), false
	r.Effect.ID = NewID()
	if r.Effect.State == guard.Pending {
		r.Effect.Claim = NewClaim()
	}
	return r
}

// PriorOf names an effect as it was seen.
func PriorOf(e guard.Effect) *guard.Prior {
	return &guard.Prior{ID: e.ID, State: e.State, Fence: e.Fence}
}

// Verdict returns a person's decision on an effect as it was seen, bound to its arguments.
func Verdict(e guard.Effect, by guard.EventKind, to guard.State) guard.Decision {
	d := guard.Decision{
		Tenant: e.Tenant, ID: e.ID, Fence: e.Fence, Digest: e.ArgumentsDigest(), By: by, State: to,
		Code: guard.Code(by), Reason: "a person looked", Actor: guard.Actor{Kind: "reviewer", Name: "ada"},
	}
	if to == guard.Approved {
		d.Expiry = Expiry
	}
	if by == guard.EventResolved && to == guard.Done {
		d.Result = &guard.Result{ContentType: "text/plain", Body: []byte("seen in the bank's ledger"), Source: guard.FromReviewer}
	}
	return d
}

// ScopeKey returns the key of a call in a scope: the keys of the same call have Common in all scopes.
func ScopeKey(call, scope int64) fingerprint.Digest {
	key := Digest("scope", scope)
	copy(key[:], Digest("common", call).Common())
	return key
}
