package guard

// State is where an effect stands.
type State string

// The states. See the package comment for what leads from one to another.
const (
	Held     State = "held"     // waits for a person
	Approved State = "approved" // a person ordered one send
	Pending  State = "pending"  // claimed: may have been sent
	Done     State = "done"     // applied
	Failed   State = "failed"   // certainly not applied
	Partial  State = "partial"  // applied in part
	Unknown  State = "unknown"  // applied or not: nobody can tell
	Refused  State = "refused"  // never sent, by rule, person or time
)

// States lists all states in the order of a life.
var States = []State{Held, Approved, Pending, Done, Failed, Partial, Unknown, Refused}

// EventKind says what an event did.
type EventKind string

// The kinds of events.
const (
	EventClaimed  EventKind = "claimed"  // the right to send was won
	EventHeld     EventKind = "held"     // the call was parked
	EventRefused  EventKind = "refused"  // a rule denied the call
	EventApproved EventKind = "approved" // a person allowed the send
	EventRejected EventKind = "rejected" // a person refused it
	EventExpired  EventKind = "expired"  // nobody decided, or nobody used the decision, in time
	EventSettled  EventKind = "settled"  // an attempt's outcome
	EventLapsed   EventKind = "lapsed"   // a lease ended without an outcome
	EventResolved EventKind = "resolved" // a person told the outcome
	EventOrdered  EventKind = "ordered"  // a person ordered another send
	EventNoted    EventKind = "noted"    // a fact that changes nothing: repeats, stale answers
)

// Transition is one legal change of an effect.
type Transition struct {
	From State // "" for a new effect
	By   EventKind
	To   State
	// Raises tells whether the fence grows by one.
	Raises bool
}

// Transitions is the complete list; the package comment explains each.
var Transitions = []Transition{
	{"", EventClaimed, Pending, true},
	{"", EventHeld, Held, true},
	{"", EventRefused, Refused, true},
	{Held, EventApproved, Approved, true},
	{Held, EventRejected, Refused, true},
	{Held, EventExpired, Refused, true},
	{Approved, EventClaimed, Pending, true},
	{Approved, EventExpired, Refused, true},
	{Approved, EventExpired, Unknown, true},
	{Pending, EventSettled, Done, false},
	{Pending, EventSettled, Failed, false},
	{Pending, EventSettled, Partial, false},
	{Pending, EventSettled, Unknown, false},
	{Pending, EventLapsed, Unknown, false},
	{Unknown, EventSettled, Done, false},
	{Unknown, EventSettled, Failed, false},
	{Unknown, EventSettled, Partial, false},
	{Unknown, EventResolved, Done, true},
	{Unknown, EventResolved, Failed, true},
	{Unknown, EventOrdered, Approved, true},
	{Unknown, EventClaimed, Pending, true},
	{Failed, EventClaimed, Pending, true},
	{Partial, EventResolved, Done, true},
	{Partial, EventResolved, Failed, true},
	{Failed, EventResolved, Failed, true},
	{Failed, EventResolved, Done, true},
	{Done, EventResolved, Done, true},
}

// Legal reports whether an event of kind by may take an effect from one state to another.
func Legal(from State, by EventKind, to State) bool {
	if by == EventNoted {
		return from != "" && from == to
	}
	for _, t := range Transitions {
		if t.From == from && t.By == by && t.To == to {
			return true
		}
	}
	return false
}

// Raises reports whether an event of this kind raises the fence.
func (k EventKind) Raises() bool {
	return k != EventSettled && k != EventLapsed && k != EventNoted
}
