package api

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/onceguard/onceguard/guard"
)

// Answers that are written by hand are those that the encoder would write.
func TestAnswersAreWrittenLikeAllOthers(t *testing.T) {
	a := &API{reviewURL: "/v1/reviews/"}
	full := guard.Effect{
		ID: "ef_1", Tenant: "acme", Subject: "bot", Agent: "intern", Run: "run", CallID: "c", Tool: "p\"ay", Type: "pay", Execute: guard.ByGuard,
		About: "order=1", Related: "ef_0", Generation: 2, State: guard.Done, Code: "upstream_done", Reason: "why", Fence: 3, Attempts: 4, Failures: 1,
		Review: guard.CodeContradiction, Policy: "d", Arguments: []byte(`{"a":1}`), Created: born, Updated: born.Add(time.Microsecond),
		LeaseUntil: born.Add(time.Second), ExpiresAt: born.Add(time.Minute), WindowUntil: born.Add(time.Hour), Events: 5,
	}
	explained := guard.Explanation{
		Code: "replayed", Message: "Don't <b>\u2028\x00é\xff", SameBecause: []string{"a", "b"}, Retry: guard.RetryUseless, Warned: "denied", Next: []string{"x", "y"},
		Differs: []guard.Difference{{Argument: "a", Role: "material", Earlier: `"1"`, Now: "2"}, {}},
		Confirm: &guard.Offer{Token: "ct_1", Expires: born},
		Matched: &guard.Matched{Effect: "ef_1", Tool: "pay", State: guard.Done, Code: "c", Created: born, Age: time.Minute, Agent: "a", Run: "r"},
	}
	bare := guard.Explanation{Code: "passed", Matched: &guard.Matched{Effect: "ef_1", Tool: "pay", State: guard.Done, Created: born}}
	bodies := []string{"", "{ \"a\" : [ 1.50 , 1e0, \"\\u00e9\" ], \"a\":2 }", "1", "null", "text", "\xff\xfe", `"a" "b"`}
	for _, x := range []guard.Explanation{explained, bare} {
		for _, body := range bodies {
			for _, e := range []*guard.Effect{nil, &full, {ID: "ef_2", State: guard.Held, Tool: "t", Created: born}} {
				x := x
				result := &guard.Result{Status: 200, ContentType: "text/plain", Body: []byte(body), IsError: true, Source: guard.FromUpstream}
				m := *x.Matched
				m.Result, x.Matched = result, &m
				for _, g := range []guard.Answer{
					{Kind: guard.AnswerReplayed, Effect: e, Result: result, Explanation: x},
					{Kind: guard.AnswerBlocked, Effect: e, Explanation: x},
					{Kind: guard.AnswerPending, Effect: e, Explanation: x, RetryAfter: time.Second, Lease: &guard.Lease{Fence: 7, Expires: born}},
				} {
					w := a.answer(&g)
					want, err := json.Marshal(w, asItCame)
					if err != nil {
						t.Fatal(err)
					}
					var got answerText
					if got.answer(&w); string(got) != string(want) {
						t.Errorf("by hand\n%s\nby the encoder\n%s", got, want)
					}
				}
			}
		}
	}
}
