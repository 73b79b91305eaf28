package policy

import (
	"sync"
)

// shared keeps what several tools of a set have in common from being compiled for each of them.
type shared struct {
	schemas     sync.Map // JSON text -> *schema
	expressions sync.Map // place -> *expression
}

// schema compiles "schema:". Tools with the same schema, written anywhere, share one.
func (s *shared) schema(r *reader, n *node) *schema {
	before := len(r.problems)
	text := r.json(n, "schema")
	if len(r.problems) > before {
		return nil
	}
	if known, ok := s.schemas.Load(string(text)); ok {
		return known.(*schema)
	}
	compiled := r.schema(n, text)
	if compiled != nil {
		s.schemas.Store(string(text), compiled)
	}
	return compiled
}

// inherited compiles an expression of a group or of the defaults.
func (c *compiler) inherited(doc expressionDoc, d *dialect) *expression {
	where := doc.node.at
	if known, ok := c.shared.expressions.Load(where); ok {
		return known.(*expression)
	}
	e := c.expression(doc, d, nil)
	if e != nil {
		c.shared.expressions.Store(where, e)
	}
	return e
}
