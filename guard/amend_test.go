package guard_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// editAndRun approves a held effect with other arguments.
func (w *world) editAndRun(id, arguments string) (guard.Effect, error) {
	w.t.Helper()
	e := w.state(id)
	decided, err := w.Decide(w.t.Context(), rita, guard.Judgement{
		Effect: id, Choice: guard.Approve, Fence: e.Fence, Digest: e.ArgumentsDigest(), Reason: "less", Arguments: json.RawMessage(arguments),
	})
	synctest.Wait()
	return decided, err
}

func TestAnEditedCallIsSentInPlaceOfTheOneThatWasHeld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		big := call("pay.refund", `{"order_id":"big","amount":900}`)
		id := w.expect(alice, big, guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		edited := `{"order_id":"big", "amount":90}`
		if _, err := w.editAndRun(id, edited); err != nil {
			t.Fatal(err)
		}
		w.executions(1)
		if got := string(w.up.sent()[0].Body); got != edited {
			t.Errorf("sent %s", got)
		}
		a := w.expect(alice, big, guard.AnswerReplayed, guard.CodeReplayed)
		if a.Effect.ID != id || len(a.Explanation.Differs) != 1 || a.Explanation.Differs[0].Earlier != "90" || !strings.Contains(a.Explanation.Message, "changed") {
			t.Errorf("%+v: %s", a.Explanation.Differs, a.Explanation.Message)
		}
		if e := w.state(id); string(e.Arguments) != edited {
			t.Errorf("on record is %s", e.Arguments)
		}
	})
}

func TestEditedArgumentsAreRefused(t *testing.T) {
	rules := file(
		tool("pay", "schema: {type: object, required: [n], properties: {n: {type: integer}}}", sent,
			`rules: [{if: "args.n > 10", then: deny, why: "Too much."}, {if: "args.n > 5", then: hold}]`),
		tool("run", `rules: [{if: "true", then: hold}]`))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		w.do(alice, call("pay", `{"n":2}`))
		id := w.expect(alice, call("pay", `{"n":7}`), guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		for arguments, want := range map[string]struct {
			code guard.ErrorCode
			says string
		}{
			`{"n":"six"}`: {guard.CodeInvalid, "schema"},
			`{"n":11}`:    {guard.CodeInvalid, "Too much."},
			`{"n":1,`:     {guard.CodeInvalid, ""},
			`[1]`:         {guard.CodeInvalid, "object"},
			`{"n":2}`:     {guard.CodeConflict, "on record already"},
		} {
			_, err := w.editAndRun(id, arguments)
			if guard.CodeOf(err) != want.code || !strings.Contains(err.Error(), want.says) {
				t.Errorf("%s: %v", arguments, err)
			}
		}
		byCaller := w.expect(alice, call("run", `{"n":1}`), guard.AnswerBlocked, guard.CodeHeld).Effect.ID
		_, err := w.editAndRun(byCaller, `{"n":2}`)
		expectError(t, err, guard.CodeConflict)
		w.executions(1)
		if _, err := w.editAndRun(id, `{"n":7}`); err != nil { // nothing was changed
			t.Error(err)
		}
		w.executions(2)
	})
}

// What a person has sent with other arguments also answers the agent that then asks for these.
func TestAnEditedCallAnswersForTheArgumentsThatWereSent(t *testing.T) {
	big, edited := call("pay", `{"order":"A","n":9}`), call("pay", `{"order":"A","n":1}`)
	rules := file(tool("pay", `rules: [{if: "args.n > 5", then: hold}]`, sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		id := w.do(alice, big).Effect.ID
		if _, err := w.editAndRun(id, string(edited.Arguments)); err != nil {
			t.Fatal(err)
		}
		if a := w.expect(alice, edited, guard.AnswerReplayed, guard.CodeReplayed); a.Effect.ID != id {
			t.Errorf("answered by %s", a.Effect.ID)
		}
		w.expect(bob, edited, guard.AnswerBlocked, guard.CodeNotShared)
		w.executions(1)
	})
	underPolicies(t, rules, func(t *testing.T, w *world) { // the edited call failed, so another try is free
		id := w.do(alice, big).Effect.ID
		w.up.script(refused)
		if _, err := w.editAndRun(id, string(edited.Arguments)); err != nil {
			t.Fatal(err)
		}
		w.expect(alice, edited, guard.AnswerForwarded, guard.CodeForwarded)
		w.expect(alice, edited, guard.AnswerReplayed, guard.CodeReplayed)
		w.executions(2)
	})
}

func TestAnEditIsNotAboutAnotherThing(t *testing.T) {
	rules := file(
		tool("write", `resource: "file:{path}"`, `rules: [{if: "args.text == 'X'", then: hold}]`, sent),
		tool("pay", "arguments: {order: {role: identity, kind: id}}", "on: {same_identity: hold}", `rules: [{if: "args.n > 5", then: hold}]`, sent))
	underPolicies(t, rules, func(t *testing.T, w *world) {
		file := w.do(alice, call("write", `{"path":"a","text":"X"}`)).Effect.ID
		_, err := w.editAndRun(file, `{"path":"b","text":"Y"}`)
		expectError(t, err, guard.CodeInvalid)
		payment := w.do(alice, call("pay", `{"order":"A","n":9}`)).Effect.ID
		_, err = w.editAndRun(payment, `{"order":"B","n":9}`)
		expectError(t, err, guard.CodeInvalid)
		w.executions(0)
		if _, err = w.editAndRun(payment, `{"order":"A","n":3}`); err != nil {
			t.Error(err)
		}
		w.executions(1)
	})
}

func TestAPreviewIsWhatTheAgentGets(t *testing.T) {
	type outcome struct {
		choice guard.Choice
		kind   guard.AnswerKind
		code   guard.Code
	}
	ran := func(t *testing.T, w *world, id string, c guard.Call, want ...outcome) {
		t.Helper()
		seen, err := w.Preview(t.Context(), rita, id)
		if err != nil || len(seen) != len(want) {
			t.Fatalf("%+v, %v", seen, err)
		}
		for i, o := range want {
			if p := seen[i]; p.Choice != o.choice || p.Answer.Kind != o.kind || p.Answer.Explanation.Code != o.code || p.Answer.Explanation.Message == "" {
				t.Errorf("%s: %s %s (%s), want %+v", p.Choice, p.Answer.Kind, p.Answer.Explanation.Code, p.Answer.Explanation.Message, o)
			}
		}
	}
	big := call("pay.refund", `{"order_id":"big","amount":900}`)
	held := []outcome{{guard.Approve, guard.AnswerReplayed, guard.CodeReplayed}, {guard.Reject, guard.AnswerBlocked, guard.CodeRejected}}
	unknown := []outcome{
		{guard.Happened, guard.AnswerReplayed, guard.CodeReplayed}, {guard.DidNotHappen, guard.AnswerForwarded, guard.CodeForwarded},
		{guard.SendAgain, guard.AnswerReplayed, guard.CodeReplayed},
	}
	for _, o := range held {
		inWorld(t, func(t *testing.T, w *world) {
			id := w.do(alice, big).Effect.ID
			ran(t, w, id, big, held...)
			w.mustDecide(id, o.choice)
			w.expect(alice, big, o.kind, o.code)
		})
	}
	for _, o := range unknown {
		inWorld(t, func(t *testing.T, w *world) {
			w.up.script(lost)
			id := w.do(alice, refund).Effect.ID
			until(time.Minute)
			ran(t, w, id, refund, unknown...)
			w.mustDecide(id, o.choice)
			w.expect(alice, refund, o.kind, o.code)
		})
	}
	underPolicies(t, file(tool("run", `rules: [{if: "true", then: hold}]`)), func(t *testing.T, w *world) {
		id := w.do(alice, call("run", `{}`)).Effect.ID
		ran(t, w, id, call("run", `{}`), outcome{guard.Approve, guard.AnswerProceed, guard.CodeProceed}, held[1])
		_, err := w.Preview(t.Context(), alice, id)
		expectError(t, err, guard.CodeForbidden)
	})
}
