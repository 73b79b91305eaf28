package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// conditionDoc is one entry of "rules:".
type conditionDoc struct {
	at        place
	condition expressionDoc
	then      Action
	why       string
}

// expressionDoc is one CEL expression with where it stands.
type expressionDoc struct {
	key  string
	node *node
	text string
}

var conditionKeys = keys{now: []string{"if", "then", "why"}}

func (r *reader) conditions(n *node) []conditionDoc {
	list := r.items(n, "rules")
	if len(list) > maxConditions {
		r.add(n.at, fmt.Sprintf("a tool has more than %d rules", maxConditions), "join some of them with ||")
		return nil
	}
	var conditions []conditionDoc
	for _, item := range list {
		c := conditionDoc{at: item.at}
		f := r.fields(item, "a rule", conditionKeys)
		if e, ok := f.get("if"); ok {
			c.condition = r.expression(e)
		} else {
			r.add(c.at, "the rule has no condition", "add \"if:\" with a CEL expression, or \"if: 'true'\"")
		}
		if e, ok := f.get("then"); ok {
			c.then = Action(r.choice(e.value, "then", []string{string(ActAllow), string(ActHold), string(ActDeny)}, nil))
		} else {
			r.add(c.at, "the rule does not say what follows", "add \"then: allow\", \"then: hold\" or \"then: deny\"")
		}
		if e, ok := f.get("why"); ok {
			c.why = r.why(e)
		}
		conditions = append(conditions, c)
	}
	return conditions
}

// why reads the sentence that goes with a decision.
func (r *reader) why(e entry) string {
	why := strings.TrimSpace(r.string(e.value, "why"))
	if len(why) > maxWhy {
		r.add(e.key, fmt.Sprintf("why has more than %d bytes", maxWhy), "say it in one sentence")
	}
	return why
}

// expression reads a CEL expression. A bare true or false is one, though YAML does not take it for a text.
func (r *reader) expression(e entry) expressionDoc {
	doc := expressionDoc{key: e.name, node: e.value}
	if e.value.kind == truthNode {
		doc.text = strconv.FormatBool(e.value.isTrue())
		return doc
	}
	doc.text = r.string(e.value, e.name)
	if len(doc.text) > maxExpression {
		r.add(e.value.at, fmt.Sprintf("%s has more than %d bytes", e.name, maxExpression), "split it into several rules")
		doc.text = ""
	}
	return doc
}
