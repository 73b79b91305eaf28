package client

import (
	"encoding/json"
	"time"
)

// Effect is one effect as the ledger holds it.
type Effect struct {
	ID          string `json:"id"`
	State       string `json:"state"` // held, approved, pending, done, failed, partial, unknown or refused
	Code        string `json:"code,omitzero"`
	Reason      string `json:"reason,omitzero"`
	Tool        string `json:"tool"`
	Type        string `json:"type"`
	Generation  int    `json:"generation"`
	Attempts    int    `json:"attempts"`
	Failures    int    `json:"failures,omitzero"`
	Fence       int64  `json:"fence"`
	Execute     string `json:"execute,omitzero"`
	About       string `json:"about,omitzero"`   // what identifies the thing acted on
	Related     string `json:"related,omitzero"` // the effect for which this one was held
	Subject     string `json:"subject,omitzero"`
	Agent       string `json:"agent,omitzero"`
	Run         string `json:"run,omitzero"`
	CallID      string `json:"call_id,omitzero"`
	Review      string `json:"review,omitzero"` // why a person is needed
	Fingerprint string `json:"fingerprint,omitzero"`
	Policy      string `json:"policy,omitzero"`
	Events      int    `json:"events,omitzero"`

	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	LeaseUntil  time.Time `json:"lease_until,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	WindowUntil time.Time `json:"window_until,omitzero"`

	// Only GET /v1/effects/{id} fills these. Arguments is the recorded text without the white space between its tokens.
	Arguments       json.RawMessage `json:"arguments,omitzero"`
	ArgumentsDigest string          `json:"arguments_digest,omitzero"` // SHA-256 of the recorded text, hexadecimal
	Result          *Result         `json:"result,omitzero"`
}

// Result is what an attempt brought back.
type Result struct {
	Body        json.RawMessage `json:"body,omitzero"`
	Encoding    string          `json:"encoding,omitzero"` // "" for JSON, else "text" or "base64"
	Status      int             `json:"status,omitzero"`   // the upstream's HTTP status
	ContentType string          `json:"content_type,omitzero"`
	IsError     bool            `json:"is_error"`
	Source      string          `json:"source,omitzero"` // "upstream", "caller" or "reviewer"
}

// Event is one fact of an effect's history.
type Event struct {
	Seq       int             `json:"seq"`
	At        time.Time       `json:"at"`
	Kind      string          `json:"kind"`
	From      string          `json:"from,omitzero"`
	To        string          `json:"to"`
	Fence     int64           `json:"fence"`
	Actor     Actor           `json:"actor"`
	Code      string          `json:"code,omitzero"`
	Note      string          `json:"note,omitzero"`
	Count     int             `json:"count,omitzero"`
	Arguments json.RawMessage `json:"arguments,omitzero"`
	Result    *Result         `json:"result,omitzero"`
	Hash      string          `json:"hash"` // hexadecimal; chains to the event before
}

// Actor is who caused an event.
type Actor struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitzero"`
}

// Filter selects effects. Its zero value selects all that the key may see.
type Filter struct {
	States []string
	Tool   string
	Run    string
	Agent  string
	Text   string    // in what identifies the thing acted on
	From   time.Time // created at this time or later
	Until  time.Time // created before this time
	Review bool      // only those that wait for a person
	Limit  int       // 1 to 200; 0 means 50
	Before string    // Page.Next of the page before
}

// Page is one page of effects, newest first.
type Page struct {
	Effects []Effect `json:"effects"`
	Next    string   `json:"next,omitzero"` // "" on the last page
}

// History is all events of one effect, oldest first.
type History struct {
	Events []Event `json:"events"`
}

// Outcome is what a caller who ran the tool reports.
type Outcome struct {
	Fence   int64           `json:"fence"`
	Status  string          `json:"status"` // "done", "failed" (certainly not applied), "partial" or "unknown"
	Result  json.RawMessage `json:"result,omitzero"`
	IsError bool            `json:"is_error,omitzero"`
	Error   string          `json:"error,omitzero"` // one sentence
}

// Heartbeat renews a lease.
type Heartbeat struct {
	Fence int64 `json:"fence"`
}

// Resolution is what a person knows, or orders, about an unknown or partial effect.
type Resolution struct {
	Outcome string          `json:"outcome"` // "happened", "did_not_happen" or "send_again"
	Fence   int64           `json:"fence"`
	Digest  string          `json:"digest,omitzero"` // Effect.ArgumentsDigest; needed for "send_again"
	Reason  string          `json:"reason"`
	Result  json.RawMessage `json:"result,omitzero"` // for "happened"
}
