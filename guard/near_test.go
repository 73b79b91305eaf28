package guard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// mail is a tool whose body is compared by its wording.
func mail(lines ...string) string {
	arguments := "arguments: {to: {role: identity, kind: email}, body: {role: material, kind: text}}"
	return file(tool("mail.send", append([]string{arguments, sent}, lines...)...))
}

func letter(body string) guard.Call {
	return call("mail.send", fmt.Sprintf(`{"to":"ann@example.com","body":%q}`, body))
}

var (
	invoice  = letter("Your invoice for March is attached. Please pay within 30 days.")
	reworded = letter("Attached is your invoice for March; please pay it within 30 days!")
	april    = letter("Your invoice for April 2031 is attached. Please pay within 14 days.")
	greeting = letter("Happy birthday, and see you at the party on the roof.")
)

func TestACallOfNearWordingIsHeld(t *testing.T) {
	underPolicies(t, mail(), func(t *testing.T, w *world) {
		first := w.expect(alice, invoice, guard.AnswerForwarded, guard.CodeForwarded)
		held := w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeNear)
		if held.Effect.State != guard.Held || held.Effect.Review != guard.CodeNear || !strings.Contains(held.Effect.Reason, first.Effect.ID) || !strings.Contains(held.Effect.Reason, "% alike") {
			t.Errorf("%s, review %q, reason %q", held.Effect.State, held.Effect.Review, held.Effect.Reason)
		}
		m := held.Explanation.Matched
		if m == nil || m.Effect != first.Effect.ID || len(held.Explanation.Differs) != 1 || held.Explanation.Differs[0].Argument != "body" {
			t.Errorf("matched %+v, differs %+v", m, held.Explanation.Differs)
		}
		w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeHeld)
		w.expect(alice, greeting, guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
		w.mustDecide(held.Effect.ID, guard.Approve)
		w.executions(3)
		w.expect(alice, reworded, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestOtherNumbersAreAnotherLetter(t *testing.T) {
	underPolicies(t, mail(), func(t *testing.T, w *world) {
		w.expect(alice, invoice, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, april, guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestThePolicySaysWhatNearWordingMeans(t *testing.T) {
	for choice, want := range map[string]struct {
		kind guard.AnswerKind
		code guard.Code
	}{
		"replay":  {guard.AnswerReplayed, guard.CodeReplayed},
		"allow":   {guard.AnswerForwarded, guard.CodeForwarded},
		"hold":    {guard.AnswerBlocked, guard.CodeNear},
		"confirm": {guard.AnswerBlocked, guard.CodeNear},
	} {
		underPolicies(t, mail("on: {near: "+choice+"}"), func(t *testing.T, w *world) {
			w.do(alice, invoice)
			w.expect(alice, reworded, want.kind, want.code)
		})
	}
}

func TestNearCallsAtOneMomentAreNotBothSent(t *testing.T) {
	for range 20 {
		underPolicies(t, mail(), func(t *testing.T, w *world) {
			w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
				time.Sleep(100 * time.Millisecond)
				return ok(n)
			}
			var calls sync.WaitGroup
			answers := make([]guard.Answer, 8)
			for i := range answers {
				calls.Go(func() {
					c := invoice
					if i%2 == 1 {
						c = reworded
					}
					answers[i] = w.do(alice, c)
				})
			}
			calls.Wait()
			w.executions(1)
			sent := 0
			for _, a := range answers {
				if a.Kind == guard.AnswerForwarded {
					sent++
				}
			}
			if sent != 1 {
				t.Errorf("%d calls were forwarded", sent)
			}
		})
	}
}

func TestANearCallWaitsForTheOneUnderWay(t *testing.T) {
	underPolicies(t, mail(), func(t *testing.T, w *world) {
		w.up.answer = func(_ context.Context, n int, _ guard.Attempt) guard.Outcome {
			time.Sleep(time.Second)
			if n == 1 {
				return refused
			}
			return ok(n)
		}
		w.start(alice, invoice)
		// The first one fails, so that nothing stands near the second.
		w.expect(alice, reworded, guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}

func TestNearAnUnknownEffectNothingIsSentOrAsked(t *testing.T) {
	for _, choice := range []string{"hold", "confirm", "replay"} {
		underPolicies(t, mail("on: {near: "+choice+"}"), func(t *testing.T, w *world) {
			w.up.script(lost)
			first := w.do(alice, invoice)
			a := w.do(alice, reworded)
			if a.Kind != guard.AnswerBlocked || a.Explanation.Confirm != nil || a.Effect.ID != first.Effect.ID {
				t.Errorf("near: %s: %s %s, offer %v", choice, a.Kind, a.Explanation.Code, a.Explanation.Confirm)
			}
			w.executions(1)
		})
	}
}

func TestAConfirmedCallIsSentOnce(t *testing.T) {
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		first := w.do(alice, invoice)
		asked := w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeNear)
		if asked.Explanation.Confirm == nil || asked.Effect.ID != first.Effect.ID {
			t.Fatalf("no token: %+v", asked.Explanation)
		}
		w.executions(1)
		meant := confirming(reworded, asked)
		a := w.expect(alice, meant, guard.AnswerForwarded, guard.CodeForwarded)
		events, err := w.Events(t.Context(), alice, a.Effect.ID)
		if err != nil || events[0].Code != guard.CodeConfirmed || !strings.Contains(events[0].Note, first.Effect.ID) || !strings.Contains(events[0].Note, "two copies") {
			t.Errorf("the intent is recorded as %+v, %v", events[0], err)
		}
		// The same token again is the same call again.
		w.expect(alice, meant, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(2)
	})
}

func TestATokenIsForOneCallOnly(t *testing.T) {
	third := letter("Please pay your attached invoice for March within 30 days.")
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		w.do(alice, invoice)
		asked := w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeNear)
		for name, try := range map[string]struct {
			p guard.Principal
			c guard.Call
		}{
			"another call":    {alice, third},
			"another subject": {bob, reworded},
			"a changed token": {alice, reworded},
		} {
			c := confirming(try.c, asked)
			if name == "a changed token" {
				c.Confirm.Token = c.Confirm.Token[:len(c.Confirm.Token)-2] + "AA"
			}
			if a := w.do(try.p, c); a.Kind != guard.AnswerBlocked || a.Explanation.Code != guard.CodeNear {
				t.Errorf("%s: %s %s", name, a.Kind, a.Explanation.Code)
			}
		}
		until(16 * time.Minute)
		w.expect(alice, confirming(reworded, asked), guard.AnswerBlocked, guard.CodeNear)
		w.executions(1)
	})
}

func TestATokenIsSpentByAFailedSend(t *testing.T) {
	underPolicies(t, mail("on: {near: confirm}"), func(t *testing.T, w *world) {
		w.up.script(ok(1), refused)
		w.do(alice, invoice)
		meant := confirming(reworded, w.expect(alice, reworded, guard.AnswerBlocked, guard.CodeNear))
		if a := w.do(alice, meant); a.Effect.State != guard.Failed {
			t.Fatalf("%s", a.Effect.State)
		}
		again := w.expect(alice, meant, guard.AnswerBlocked, guard.CodeNear)
		if again.Explanation.Confirm == nil || again.Explanation.Confirm.Token == meant.Confirm.Token {
			t.Errorf("offered %+v", again.Explanation.Confirm)
		}
		w.expect(alice, confirming(reworded, again), guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestARunThatConfirmsWithoutEndIsHeld(t *testing.T) {
	underPolicies(t, file(tool("pay", "on: {done: confirm}", sent)), func(t *testing.T, w *world) {
		w.do(alice, one)
		for range 10 {
			asked := w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed)
			w.expect(alice, confirming(one, asked), guard.AnswerForwarded, guard.CodeForwarded)
		}
		w.executions(11)
		if a := w.expect(alice, one, guard.AnswerReplayed, guard.CodeReplayed); a.Explanation.Confirm != nil {
			t.Error("a token is offered that would not count")
		}
		until(time.Hour)
		w.expect(alice, confirming(one, w.do(alice, one)), guard.AnswerForwarded, guard.CodeForwarded)
	})
}

func TestConfirmedInAnotherRun(t *testing.T) {
	underPolicies(t, file(tool("pay", sent)), func(t *testing.T, w *world) {
		w.do(alice, one)
		elsewhere := one
		elsewhere.Run = "run-2"
		asked := w.expect(alice, elsewhere, guard.AnswerBlocked, guard.CodeOtherScope)
		w.executions(1)
		third := confirming(elsewhere, asked)
		third.Run = "run-3"
		w.expect(alice, third, guard.AnswerBlocked, guard.CodeOtherScope)
		w.expect(alice, confirming(elsewhere, asked), guard.AnswerForwarded, guard.CodeForwarded)
		w.executions(2)
	})
}

func TestConfirmWithoutAReasonIsAMistake(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for field, confirm := range map[string]guard.Confirm{
			"/confirm/reason": {Token: "ct_x"}, "/confirm/token": {Reason: "because"},
		} {
			c := refund
			c.Confirm = confirm
			_, err := w.Do(t.Context(), alice, c)
			expectError(t, err, guard.CodeInvalid)
			if e := err.(*guard.Error); e.Field != field {
				t.Errorf("the error names %s, want %s", e.Field, field)
			}
		}
	})
}

// confirming is a call with the token of an answer to it.
func confirming(c guard.Call, a guard.Answer) guard.Call {
	c.Confirm = guard.Confirm{Token: "ct_none", Reason: "Two copies were asked for: two copies."}
	if a.Explanation.Confirm != nil {
		c.Confirm.Token = a.Explanation.Confirm.Token
	}
	return c
}

func TestOccurrences(t *testing.T) {
	nth := func(c guard.Call, n int) guard.Call {
		c.Occurrence = n
		return c
	}
	underPolicies(t, file(tool("pay", "occurrence: {caller: 3}", sent), tool("other", sent)), func(t *testing.T, w *world) {
		w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, nth(one, 1), guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(alice, nth(one, 2), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, nth(one, 2), guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(alice, nth(one, 3), guard.AnswerForwarded, guard.CodeForwarded)
		for _, c := range []guard.Call{nth(one, 4), nth(call("other", `{}`), 2), nth(one, -1)} {
			_, err := w.Do(t.Context(), alice, c)
			expectError(t, err, guard.CodeInvalid)
		}
		w.executions(3)
	})
	underPolicies(t, file(tool("pay", `occurrence: "label:installment"`, sent)), func(t *testing.T, w *world) {
		second := one
		second.Labels = map[string]string{"installment": "2"}
		w.expect(alice, one, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, second, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, second, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestADoneEffectIsSuperseded(t *testing.T) {
	rules := file(
		tool("write", `resource: "file:{path}"`, sent), tool("delete", `resource: "file:{path}"`, strings.Replace(sent, "/x", "/y", 1)))
	a := call("write", `{"path":"/tmp/f","text":"A"}`)
	b := call("write", `{"path":"/tmp/f","text":"B"}`)
	other := call("write", `{"path":"/tmp/g","text":"B"}`)
	gone := call("delete", `{"path":"/tmp/f"}`)
	underPolicies(t, rules, func(t *testing.T, w *world) {
		for i, c := range []guard.Call{a, b, a, gone, a} {
			until(time.Second)
			w.expect(alice, c, guard.AnswerForwarded, guard.CodeForwarded)
			w.expect(alice, c, guard.AnswerReplayed, guard.CodeReplayed)
			w.executions(i + 1)
		}
		until(time.Second)
		w.expect(alice, other, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, a, guard.AnswerReplayed, guard.CodeReplayed) // another file is another resource
	})
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.up.script(ok(1), refused, lost)
		w.do(alice, a)
		until(time.Second)
		w.do(alice, b) // failed
		w.expect(alice, a, guard.AnswerReplayed, guard.CodeReplayed)
		w.do(alice, b) // unknown: it may yet be written
		w.expect(alice, a, guard.AnswerReplayed, guard.CodeReplayed)
	})
}

func TestEqualCallsOnASupersededEffectAreOneMore(t *testing.T) {
	rules := file(tool("write", `resource: "file:{path}"`, sent))
	a := call("write", `{"path":"/tmp/f","text":"A"}`)
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.do(alice, a)
		until(time.Second)
		w.do(alice, call("write", `{"path":"/tmp/f","text":"B"}`))
		until(time.Second)
		for range 8 {
			w.start(alice, a)
		}
		synctest.Wait()
		w.executions(3)
	})
}

func TestToolsShareAnEffectUnderCommonNames(t *testing.T) {
	rest := tool("rest.refund", "effect: refund", "arguments: {order_id: {role: identity, kind: id}, amount: {kind: money, currency: EUR}, request_id: {role: volatile}}", sent)
	mcp := tool("mcp__refund", "effect: refund", "arguments: {orderId: {role: identity, kind: id, as: order_id}, value: {kind: money, currency: EUR, as: amount}}", sent)
	cents := tool("cents.refund", "effect: refund", "arguments: {order_id: {role: identity, kind: id}, cents: {kind: money, currency: EUR, minor: true, as: amount}}", sent)
	underPolicies(t, file(rest, mcp, cents), func(t *testing.T, w *world) {
		w.expect(alice, call("rest.refund", `{"order_id":"A-7","amount":25,"request_id":"x"}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("mcp__refund", `{"orderId":"A-7","value":"25.00"}`), guard.AnswerReplayed, guard.CodeReplayed)
		w.expect(alice, call("mcp__refund", `{"orderId":"A-8","value":"25.00"}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("cents.refund", `{"order_id":"A-7","cents":2500}`), guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(2)
		// What neither can read is not the same to both.
		w.expect(alice, call("mcp__refund", `{"orderId":"A-9","value":"1,234"}`), guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, call("cents.refund", `{"order_id":"A-9","cents":"1,234"}`), guard.AnswerForwarded, guard.CodeForwarded)
	})
}

// scores is a service that finds all wordings alike.
type scores float64

func (s scores) Compare(_ context.Context, pairs []fingerprint.Wording) ([]fingerprint.Likeness, error) {
	found := make([]fingerprint.Likeness, len(pairs))
	for i := range found {
		found[i].Score = float64(s)
	}
	return found, nil
}

type broken struct{}

func (broken) Compare(context.Context, []fingerprint.Wording) ([]fingerprint.Likeness, error) {
	return nil, errors.New("no answer")
}

func TestAServiceScoresWordings(t *testing.T) {
	for _, c := range []struct {
		service fingerprint.Similarity
		second  guard.Call
		kind    guard.AnswerKind
	}{
		{scores(0.8), greeting, guard.AnswerBlocked},
		{scores(0.8), april, guard.AnswerForwarded}, // other numbers are other numbers, whatever a service says
		{scores(0.1), reworded, guard.AnswerForwarded},
		{broken{}, reworded, guard.AnswerBlocked},
	} {
		underPolicies(t, mail(), func(t *testing.T, w *world) {
			w.similarity = c.service
			asking := w.replica(mail())
			asking.do(alice, invoice)
			if a := asking.do(alice, c.second); a.Kind != c.kind {
				t.Errorf("%v, %s: %s, want %s", c.service, c.second.Arguments, a.Kind, c.kind)
			}
		})
	}
}
