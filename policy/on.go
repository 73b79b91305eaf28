package policy

// Choice is what a second, equal call gets.
type Choice string

// The choices; On says which of them fit where.
const (
	Wait   Choice = "wait"
	Block  Choice = "block"
	Replay Choice = "replay"
	Allow  Choice = "allow"
	Retry  Choice = "retry"
	Hold   Choice = "hold"
	// Confirm asks the agent: it may declare the call as meant, with a token that the answer carries.
	Confirm Choice = "confirm"
)

// On holds one choice per state of the earlier effect. The first choice of each is the default.
type On struct {
	Pending      Choice // wait | block
	Done         Choice // replay | block | allow | confirm (replay, and offer the token of a declared repeat)
	Failed       Choice // retry | block
	Partial      Choice // hold | block
	Unknown      Choice // hold | block | retry (with idempotent: true only)
	SameIdentity Choice // allow | hold | block
	OtherScope   Choice // confirm | replay | hold | block | allow; a guard that never asks lets two agents take one ticket
	Near         Choice // hold | confirm | replay | allow
}

// onEntry is one key of "on:".
type onEntry struct {
	key     string
	choices []Choice
	later   []string // choices that a later version will have
	of      func(*On) *Choice
}

var onTable = []onEntry{
	{"pending", []Choice{Wait, Block}, nil, func(o *On) *Choice { return &o.Pending }},
	{"done", []Choice{Replay, Block, Allow, Confirm}, nil, func(o *On) *Choice { return &o.Done }},
	{"failed", []Choice{Retry, Block}, nil, func(o *On) *Choice { return &o.Failed }},
	{"partial", []Choice{Hold, Block}, []string{"resume"}, func(o *On) *Choice { return &o.Partial }},
	{"unknown", []Choice{Hold, Block, Retry}, nil, func(o *On) *Choice { return &o.Unknown }},
	{"same_identity", []Choice{Allow, Hold, Block}, nil, func(o *On) *Choice { return &o.SameIdentity }},
	{"other_scope", []Choice{Confirm, Replay, Hold, Block, Allow}, nil, func(o *On) *Choice { return &o.OtherScope }},
	{"near", []Choice{Hold, Confirm, Replay, Allow}, nil, func(o *On) *Choice { return &o.Near }},
}

func defaultOn() On {
	var on On
	for _, e := range onTable {
		*e.of(&on) = e.choices[0]
	}
	return on
}
