package api

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/onceguard/onceguard/api/client"
	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
)

// A call is decoded once, its arguments together with what is around them, by the decoder of arguments: reading the body as other bodies are
// read, and the arguments again, would take a sixth of the time of a replay. Whatever is not as it should be is left to the reader of other
// bodies, which says what is wrong with it.

// callLimits leave the arguments the depth that they have by themselves. All other limits are the same for the whole body, and stricter so.
var callLimits = fingerprint.Limits{Depth: fingerprint.DefaultLimits.Depth + 1}

// read reads a body, which it copies. It returns false where the body is not a good call, and where it is an unusual one.
func (r *callRequest) read(recent *recentCalls, p *guard.Principal, body []byte) bool {
	if recent.find(p, body, r) {
		return true
	}
	body = bytes.Clone(body)
	call, err := fingerprint.Decode(body, callLimits)
	if err != nil || call.Type() != fingerprint.Object {
		return false
	}
	for i := range call.Len() {
		if name, v := call.Member(i); !r.set(name, v) {
			*r = callRequest{}
			return false
		}
	}
	recent.keep(p, body, r)
	return true
}

func (r *callRequest) set(name string, v fingerprint.Value) (ok bool) {
	switch name {
	case "tool":
		r.Tool, ok = textOf(v)
	case "arguments":
		r.Arguments, r.reading, ok = v.Raw(), guard.NewReading(v), v.Type() == fingerprint.Object || v.Type() == fingerprint.String
	case "call_id":
		r.CallID, ok = textOf(v)
	case "run":
		r.Run, ok = textOf(v)
	case "agent":
		r.Agent, ok = textOf(v)
	case "labels":
		r.Labels, ok = textsOf(v)
	case "idempotency_key":
		r.IdempotencyKey, ok = textOf(v)
	case "execute":
		r.Execute, ok = textOf(v)
	case "occurrence":
		n, err := strconv.ParseUint(string(v.Raw()), 10, 31)
		r.Occurrence, ok = int(n), err == nil
	case "confirm":
		var all map[string]string
		if all, ok = textsOf(v); ok {
			r.Confirm = &client.Confirm{Token: all["token"], Reason: all["reason"]}
			delete(all, "token")
			delete(all, "reason")
			ok = len(all) == 0
		}
	}
	return ok
}

// textOf copies a string, so that who keeps it does not keep the whole body.
func textOf(v fingerprint.Value) (text string, ok bool) {
	return strings.Clone(v.Text()), v.Type() == fingerprint.String
}

// textsOf copies an object of strings.
func textsOf(v fingerprint.Value) (all map[string]string, ok bool) {
	if v.Type() != fingerprint.Object {
		return nil, false
	}
	all = make(map[string]string, v.Len())
	for i := range v.Len() {
		name, text := v.Member(i)
		if all[strings.Clone(name)], ok = textOf(text); !ok {
			return nil, false
		}
	}
	return all, true
}
