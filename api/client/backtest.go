package client

import (
	"context"
	"net/http"
	"time"
)

// BacktestQuestion asks what a draft of the policies would have made of the calls on record.
type BacktestQuestion struct {
	// Policies is the whole draft as one policy file. A tool that it does not name is one without a policy.
	Policies string    `json:"policies"`
	Tool     string    `json:"tool,omitzero"`  // only calls of this tool
	From     time.Time `json:"from,omitzero"`  // only calls made at this time or later
	Until    time.Time `json:"until,omitzero"` // only calls made before this time
}

// Backtest tells what a draft would have done otherwise than the policies in force.
type Backtest struct {
	OK     bool `json:"ok"` // the draft breaks no verdict of a reviewer
	Calls  int  `json:"calls"`
	More   bool `json:"more"`   // there are older calls, which were not looked at
	Unread int  `json:"unread"` // calls whose arguments are no longer kept, or cannot be read
	// Concealed counts the calls of tools whose arguments a policy conceals. They are compared by marks in place of these values, of
	// which kinds and conditions make nothing; the command "onceguard backtest" reads the values.
	Concealed int               `json:"concealed"`
	Before    BacktestTotals    `json:"before"`
	After     BacktestTotals    `json:"after"`
	Counts    map[string]int    `json:"counts"` // by kind; kinds are those of a finding
	Limits    []BacktestLimit   `json:"limits"`
	Findings  []BacktestFinding `json:"findings"` // by kind, the dearest first; at most 20 of each
	Verdicts  BacktestVerdicts  `json:"verdicts"`
}

// BacktestVerdicts tells what the draft makes of the pairs about which reviewers have decided.
type BacktestVerdicts struct {
	Same      int               `json:"same"`      // a held call was the same as the one for which it was held
	Different int               `json:"different"` // it was let run beside it
	Unread    int               `json:"unread"`    // pairs of which a call can no longer be read
	Broken    int               `json:"broken"`    // the draft is wrong about them, and the policies in force are not, or less so
	Mended    int               `json:"mended"`    // the other way round
	Findings  []BacktestVerdict `json:"findings"`  // the first broken ones; at most 20
}

// BacktestVerdict is a pair about which the draft is wrong.
type BacktestVerdict struct {
	Label    string   `json:"label"` // same or different, as the reviewer has decided
	Tool     string   `json:"tool"`
	Effect   string   `json:"effect"`   // of the call that was held
	Earlier  string   `json:"earlier"`  // the effect for which it was held
	Before   string   `json:"before"`   // merged, held or apart under the policies in force
	After    string   `json:"draft"`    // and under the draft
	Deciding []string `json:"deciding"` // arguments that decide between the two; empty where something else does
	Sentence string   `json:"sentence,omitzero"`
}

// BacktestTotals counts what becomes of the calls.
type BacktestTotals struct {
	Sent     int `json:"sent"`
	Repeated int `json:"repeated"` // answered for an earlier effect
	Asked    int `json:"asked"`    // a person, or the agent, is asked first
	Denied   int `json:"denied"`
	Passed   int `json:"passed"` // forwarded unrecorded
}

// BacktestLimit is a limit of the draft that had no room.
type BacktestLimit struct {
	Source string `json:"source"`
	Calls  int    `json:"calls"`
}

// BacktestFinding is one call that the draft treats otherwise.
type BacktestFinding struct {
	Kind     string   `json:"kind"` // merged, split, denied, held or released
	Tool     string   `json:"tool"`
	Code     string   `json:"code"` // what the call would get
	Why      string   `json:"why,omitzero"`
	Amount   string   `json:"amount,omitzero"`  // with its currency
	Effect   string   `json:"effect"`           // of the call
	Earlier  string   `json:"earlier,omitzero"` // the effect that it is compared with
	Deciding []string `json:"deciding"`         // arguments that decide between the two; empty where something else does
	Sentence string   `json:"sentence,omitzero"`
}

// Backtest compares a draft with the policies in force. It changes nothing and needs the key of a reviewer or an admin.
func (c *Client) Backtest(ctx context.Context, q BacktestQuestion) (b Backtest, err error) {
	_, err = c.send(ctx, http.MethodPost, "/v1/backtest", nil, q, &b)
	return b, err
}
