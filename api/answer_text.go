package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onceguard/onceguard/api/client"
)

// Answers of calls are written by hand, because reflection is what replays would spend most of their time on. The text is
// the same, byte for byte, as what the encoder of all other answers makes; a test holds the two against each other.

// answerText appends JSON. Every method but the first of an object begins with a comma.
type answerText []byte

func (t *answerText) raw(s string) { *t = append(*t, s...) }

func (t *answerText) string(s string) {
	b, err := jsontext.AppendQuote(*t, s)
	if err != nil {
		b, _ = jsontext.AppendQuote(*t, strings.ToValidUTF8(s, "\uFFFD"))
	}
	*t = b
}

func (t *answerText) field(name, value string) {
	t.raw(name)
	t.string(value)
}

// optional leaves out an empty text.
func (t *answerText) optional(name, value string) {
	if value != "" {
		t.field(name, value)
	}
}

func (t *answerText) number(name string, n int64) {
	t.raw(name)
	*t = strconv.AppendInt(*t, n, 10)
}

func (t *answerText) bool(name string, v bool) {
	t.raw(name)
	*t = strconv.AppendBool(*t, v)
}

// time leaves out the zero time, as omitzero does.
func (t *answerText) time(name string, at time.Time) {
	if at.IsZero() {
		return
	}
	t.raw(name)
	*t = append(at.AppendFormat(append(*t, '"'), time.RFC3339Nano), '"')
}

func (t *answerText) list(name string, all []string) {
	t.raw(name)
	for i, s := range all {
		if i > 0 {
			t.raw(",")
		}
		t.string(s)
	}
	t.raw("]")
}

// json appends raw JSON that has no white space between its tokens, as rawOrText makes it.
func (t *answerText) json(name string, raw []byte) {
	if raw != nil {
		t.raw(name)
		*t = append(*t, raw...)
	}
}

func (t *answerText) answer(a *client.Answer) {
	t.field(`{"decision":`, a.Decision)
	if a.Effect != nil {
		t.effect(a.Effect)
	}
	t.json(`,"result":`, a.Result)
	t.optional(`,"result_encoding":`, a.ResultEncoding)
	t.bool(`,"is_error":`, a.IsError)
	t.explanation(&a.Explanation)
	if l := a.Lease; l != nil {
		t.number(`,"lease":{"fence":`, l.Fence)
		t.time(`,"expires_at":`, l.ExpiresAt)
		t.raw("}")
	}
	if a.RetryAfterMS != 0 {
		t.number(`,"retry_after_ms":`, a.RetryAfterMS)
	}
	t.optional(`,"review_url":`, a.ReviewURL)
	t.raw("}")
}

// effect appends what briefly shows of an effect.
func (t *answerText) effect(e *client.Effect) {
	t.field(`,"effect":{"id":`, e.ID)
	t.field(`,"state":`, e.State)
	t.optional(`,"code":`, e.Code)
	t.field(`,"tool":`, e.Tool)
	t.field(`,"type":`, e.Type)
	t.number(`,"generation":`, int64(e.Generation))
	t.number(`,"attempts":`, int64(e.Attempts))
	t.number(`,"fence":`, e.Fence)
	t.time(`,"created_at":`, e.CreatedAt)
	t.time(`,"updated_at":`, e.UpdatedAt)
	t.time(`,"lease_until":`, e.LeaseUntil)
	t.time(`,"expires_at":`, e.ExpiresAt)
	t.time(`,"window_until":`, e.WindowUntil)
	t.raw("}")
}

func (t *answerText) explanation(x *client.Explanation) {
	t.field(`,"explanation":{"code":`, x.Code)
	t.field(`,"message":`, x.Message)
	if x.Matched != nil {
		t.matched(x.Matched)
	}
	t.list(`,"same_because":[`, x.SameBecause)
	t.raw(`,"differs":[`)
	for i, d := range x.Differs {
		if i > 0 {
			t.raw(",")
		}
		t.field(`{"argument":`, d.Argument)
		t.field(`,"role":`, d.Role)
		t.field(`,"earlier":`, d.Earlier)
		t.field(`,"now":`, d.Now)
		t.raw("}")
	}
	t.raw("]")
	t.optional(`,"retry":`, x.Retry)
	t.optional(`,"warned":`, x.Warned)
	if o := x.Confirm; o != nil {
		t.field(`,"confirm":{"token":`, o.Token)
		t.time(`,"expires_at":`, o.ExpiresAt)
		t.raw("}")
	}
	t.list(`,"next":[`, x.Next)
	t.raw("}")
}

func (t *answerText) matched(m *client.Matched) {
	t.field(`,"matched":{"effect":`, m.Effect)
	t.field(`,"tool":`, m.Tool)
	t.field(`,"state":`, m.State)
	t.optional(`,"code":`, m.Code)
	t.time(`,"created_at":`, m.CreatedAt)
	t.number(`,"age_ms":`, m.AgeMS)
	t.optional(`,"agent":`, m.Agent)
	t.optional(`,"run":`, m.Run)
	if r := m.Result; r != nil {
		t.raw(`,"result":{`)
		if r.Body != nil {
			t.json(`"body":`, r.Body)
			t.raw(",")
		}
		if r.Encoding != "" {
			t.field(`"encoding":`, r.Encoding)
			t.raw(",")
		}
		if r.Status != 0 {
			t.number(`"status":`, int64(r.Status))
			t.raw(",")
		}
		if r.ContentType != "" {
			t.field(`"content_type":`, r.ContentType)
			t.raw(",")
		}
		t.bool(`"is_error":`, r.IsError)
		t.optional(`,"source":`, r.Source)
		t.raw("}")
	}
	t.raw("}")
}
