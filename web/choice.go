package web

import (
	"context"
	"slices"

	"github.com/onceguard/onceguard/guard"
)

// choice is one thing that a person may decide.
type choice struct {
	Value  guard.Choice
	Label  string
	Hint   string // what it does, in a sentence
	Style  string // "go" for what is sent as asked, "stop" for what may do harm
	Key    string // the letter that leads to it
	Result bool   // the person may enter what the tool answered
	Bytes  bool   // it is bound to the very arguments that were shown
	Told   *told  // nil where it cannot be told
}

// told is what the agent's next equal call gets after a choice: the guard's own words.
type told struct {
	Decision guard.AnswerKind
	Code     guard.Code
	Message  string
	Next     []string
	Result   *resultView
}

// setChoices adds what a person may decide, and what the agent will be told for each.
func (w *Web) setChoices(ctx context.Context, p guard.Principal, v *reviewView, e *guard.Effect) error {
	v.Choices = choicesOf(e)
	if e.State == guard.Held && e.Execute == guard.ByGuard { // a caller runs what it has proposed
		v.Edit = editable(e.Arguments)
	}
	var err error
	var agreed []guard.Endorsement
	if agreed, v.People, err = w.guard.Endorsements(ctx, p, e.ID); err != nil {
		return err
	}
	for _, x := range agreed {
		v.Agreed = append(v.Agreed, agreement{worded(e, x.Choice).Label, x.By})
	}
	previews, err := w.guard.Preview(ctx, p, e.ID)
	switch code := guard.CodeOf(err); {
	case code == guard.CodeInvalid:
		// The call does not fit the present policy any more, so nobody knows what an equal one would get.
		return nil
	case err != nil:
		return err
	}
	for i := range v.Choices {
		for _, x := range previews {
			if x.Choice == v.Choices[i].Value {
				a := x.Answer
				v.Choices[i].Told = &told{a.Kind, a.Explanation.Code, a.Explanation.Message, a.Explanation.Next, resultOf(a.Result)}
			}
		}
	}
	return nil
}

// agreement is who has made a choice that needs more people.
type agreement struct {
	Label string
	By    []string
}

// offered is the order of the buttons: what lets a call go first, and what refuses it last.
var offered = []guard.Choice{guard.Approve, guard.Same, guard.Reject, guard.Happened, guard.DidNotHappen, guard.SendAgain}

// choicesOf puts in words what may be decided on an effect.
func choicesOf(e *guard.Effect) []choice {
	may := guard.Choices(e)
	var list []choice
	for _, c := range offered {
		if slices.Contains(may, c) {
			list = append(list, worded(e, c))
		}
	}
	return list
}

// worded says what a choice means for an effect in its state.
func worded(e *guard.Effect, c guard.Choice) choice {
	switch c {
	case guard.Approve:
		return runIt(e)
	case guard.Same:
		return choice{Value: c, Label: "It is the same", Key: "s", Hint: "Nothing is sent. The agent gets the answer of the earlier effect."}
	case guard.Reject:
		return choice{Value: c, Label: "Reject", Key: "r", Hint: "Nothing is sent. The agent is told that a person refused it, and why."}
	case guard.Happened:
		return itHappened(e)
	case guard.DidNotHappen:
		return itDidNot(e)
	}
	return choice{Value: c, Label: "Send it again", Style: "stop", Key: "s", Bytes: true,
		Hint: "It is sent once more, whatever became of the first one. If that one was applied, it is applied twice."}
}

func itHappened(e *guard.Effect) choice {
	c := choice{Value: guard.Happened, Label: "It happened", Key: "h", Result: true,
		Hint: "The agent is told that it was done, with the result you enter, if any. Nothing is sent."}
	switch e.State {
	case guard.Partial:
		c.Label, c.Hint = "It is complete by now", "The rest was done elsewhere. The agent is told that it was done."
	case guard.Failed:
		c.Hint = "The late evidence is right: the effect was applied."
	case guard.Done:
		c.Label, c.Result, c.Hint = "I have seen it", false, "It may have been applied twice. Mend that in the tool; this closes the review."
	}
	return c
}

func itDidNot(e *guard.Effect) choice {
	c := choice{Value: guard.DidNotHappen, Label: "It did not happen", Key: "n",
		Hint: "The effect counts as failed: an equal call of the agent is sent anew."}
	switch e.State {
	case guard.Partial:
		c.Label, c.Hint = "It was undone", "What was done has been taken back elsewhere. An equal call of the agent is sent anew."
	case guard.Failed:
		c.Hint = "The record is right: nothing was applied, and an equal call is sent anew."
	}
	return c
}

// runIt is what lets a held call go.
func runIt(e *guard.Effect) choice {
	c := choice{Value: guard.Approve, Label: "Run it", Style: "go", Key: "a", Bytes: true}
	switch e.Review {
	case guard.CodeNear, guard.CodeSameIdentity, guard.CodeOtherScope:
		c.Label = "Run it as a new effect"
	}
	c.Hint = "It is sent now, once, exactly as shown."
	if e.Execute == guard.ByCaller {
		c.Hint = "The agent may run it, once, exactly as shown, when it asks again."
	}
	return c
}

// forMany are the choices that may be made on several effects at once. To enter a result needs a look at each.
func forMany(list []choice) []choice {
	var many []choice
	for _, c := range list {
		c.Result = false
		c.Label += ": all chosen"
		many = append(many, c)
	}
	return many
}

// why says in one sentence why a person is needed. A rule's own words come first.
func why(e *guard.Effect) string {
	if e.State == guard.Held && e.Reason != "" {
		return e.Reason
	}
	switch e.Review {
	case guard.CodeHeld:
		return "A rule of the policy wants a person to decide."
	case guard.CodeNear:
		return "It differs from an earlier call in wording only."
	case guard.CodeSameIdentity:
		return "Another effect on the same thing was recorded before."
	case guard.CodeOtherScope:
		return "An equal call was made in another run."
	case guard.CodeContradiction:
		return "Evidence came that contradicts what is recorded."
	}
	switch e.State {
	case guard.Partial:
		return "It was carried out only in part."
	case guard.Unknown:
		return whyUnknown(e)
	}
	return "A person must look at it."
}

// whyUnknown says how it came that nobody knows whether an effect was applied.
func whyUnknown(e *guard.Effect) string {
	switch e.Code {
	case guard.CodeLapsed:
		return "It was started and its outcome was never reported."
	case guard.CodeUpstreamTimeout:
		return "It was sent, and no answer came in time."
	case guard.CodeUpstreamLost:
		return "It was sent, and the connection broke before the answer."
	case guard.CodeUpstreamStatus, guard.CodeUpstreamGarbled, guard.CodeUpstreamOversize:
		return "It was sent, and the answer does not tell whether it was carried out."
	}
	return "It was sent, and nobody knows whether it was carried out."
}
