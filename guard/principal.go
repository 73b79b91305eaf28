package guard

import "time"

// Role is what a credential may do. Each role has the rights of the ones before it, except that only an agent's
// calls are effects of its own subject.
type Role string

// The roles.
const (
	RoleAgent    Role = "agent"    // propose calls, report outcomes, read its own effects
	RoleReviewer Role = "reviewer" // read the tenant's effects, decide
	RoleAdmin    Role = "admin"    // also manage keys and policies
)

// Principal is the authenticated caller. It comes from the credential and never from the body of a call.
type Principal struct {
	Tenant  string
	Subject string // the user, team or service that the credential belongs to
	Agent   string // the agent's name, when the credential is bound to one
	Role    Role
	// SelfReview lets a person decide on calls of their own subject. Only a server started with --dev sets it.
	SelfReview bool
}

// Reviews reports whether the principal may read the whole tenant and decide.
func (p Principal) Reviews() bool { return p.Role == RoleReviewer || p.Role == RoleAdmin }

// Credential is one API key, of which the ledger keeps only the hash.
type Credential struct {
	ID        string // public handle, shown in lists
	Hash      [32]byte
	Label     string
	Principal Principal
	Created   time.Time
	Revoked   time.Time // zero while valid
}
