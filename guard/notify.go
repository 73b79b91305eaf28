package guard

import (
	"context"
	"encoding/json"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// A rule may name endpoints that are told when a review of one of its effects is opened (approvals.notify): that a call is held, that an
// outcome is unknown or partial, that evidence contradicts the record. Each is told at least once, and no call waits for it.
//
// The outbox is the ledger itself: a review that is open and of which the effect's events do not say that the endpoint was told, or
// that it was given up, is still to be told. No second table could disagree with that. The events are the delivery log as well: one note
// for each attempt, with the codes below. What is kept in memory (outbox) only says when to look at which review.
//
// The replica that opened a review tells of it at once. The others look at the open reviews from time to time, and step in where
// they have seen no attempt for some minutes. So an endpoint can be told twice: by a replica that died between the delivery and its
// note, or by two that step in at one moment. Both messages have one Notice.ID, by which a receiver knows them.

// The codes of notes about deliveries.
const (
	CodeNotified      Code = "notified"       // an endpoint was told of the review
	CodeNotifyDelayed Code = "notify_delayed" // an attempt failed, and another one is due
	CodeNotifyFailed  Code = "notify_failed"  // the endpoint is not told of this review any more
)

// Notifier posts notices to endpoints of the policies.
type Notifier interface {
	// Deliver makes one attempt and ends with ctx. It may be called at the same time for several notices.
	Deliver(ctx context.Context, to *policy.Endpoint, n Notice) Delivery
}

// CredentialLister lists the API keys of all tenants. Credentials implements it.
type CredentialLister interface {
	ListCredentials(ctx context.Context) ([]Credential, error)
}

// Notice is what an endpoint is told of a review. Nothing in it is an agent's or an upstream's text, but the name of the tool and the
// values of Arguments.
type Notice struct {
	ID        string    // the same for every attempt to tell this endpoint of this review
	At        time.Time // when the review was opened, by the store's clock
	Review    string    // id
	Effect    string    // id
	Tenant    string
	Tool      string
	State     State
	Code      Code      // why a person is needed
	Why       string    // the same, in one or two sentences
	Until     time.Time // when the matter is closed without a decision; zero for never
	URL       string    // of the review's page; "" where nobody said where people reach the server
	Arguments []ToldArgument
}

// ToldArgument is an argument that the policy lets the endpoint know.
type ToldArgument struct {
	Path  string
	Value json.RawMessage // of a path with a *, the list of all values that it leads to
}

// Delivery is how an attempt to tell an endpoint ended.
type Delivery struct {
	Done  bool          // the endpoint took the notice
	Gone  bool          // the endpoint wants no more of them
	After time.Duration // the endpoint asked to be left alone for so long
	// Detail says what happened as a clause, such as "it answered 503". It holds nothing of the address or the answer's text.
	Detail string
}

// NoticeObserver is an Observer that is told of attempts to tell endpoints, too.
type NoticeObserver interface {
	// Notified gets the endpoint's name, which is a policy's word, and CodeNotified, CodeNotifyDelayed or CodeNotifyFailed.
	Notified(endpoint string, code Code, took time.Duration)
}

// The schedule of one notice.
var (
	// noticePauses are the pauses after the attempts, so that there is one attempt more. They follow the example of Standard Webhooks,
	// which ends after some days; who has not looked at a queue for more than one is told by no message.
	noticePauses = []time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
	}
	noticeAttempts = len(noticePauses) + 1
)

const (
	noticeTimeout  = 15 * time.Second // of one attempt
	noticeFarewell = 3 * time.Second  // for the attempts under way when the process ends
	noticeGrace    = 2 * time.Minute  // beyond a pause, before a replica steps in for another one
	noticeMaxAfter = time.Hour        // the most that an endpoint's Retry-After is heeded
	noticeLook     = time.Minute      // between two looks at all open reviews
)
