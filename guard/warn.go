package guard

import (
	"crypto/rand"
	"fmt"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// CodeWarned is the code of a claim that the rule would not have allowed, were it enforced.
const CodeWarned Code = "warned"

// warn turns a ruling into a send, where the mode of the rule is to warn, and remembers what would have been. The call is sent as an
// effect of its own: the next generation where the one before is settled, else, because two sends cannot be under way under one
// key, an effect beside it. See decisions/0011.
func (r *proposal) warn(s situation, ru ruling) (situation, ruling) {
	switch ru.action {
	case actSend, actLook:
		return s, ru
	case actWait:
		ru.code = CodePending
	}
	r.wouldHave(ru.code)
	switch {
	case s.relation == KeyConflict:
		r.callerKey = fingerprint.Digest{}
		return s, ruling{action: actSend}
	case s.relation != SameEffect, s.found == nil:
		return s, ruling{action: actSend}
	}
	switch s.found.State {
	case Done, Failed, Refused:
		return s, ruling{action: actSend, next: true, order: true}
	}
	r.stepAside()
	s.found = nil
	return s, ruling{action: actSend}
}

// wouldHave remembers the first thing that a rule which only warns would have done.
func (r *proposal) wouldHave(code Code) {
	if r.warned == "" {
		r.warned = code
	}
}

// stepAside gives the call a key beside that of its equals. It has half of it in common with them, like an equal call in
// another scope, and is found as one.
func (r *proposal) stepAside() {
	beside := r.sum.Key
	copy(beside[:], r.sum.Key.Common())
	rand.Read(beside[fingerprint.CommonBytes:])
	r.sum.Key, r.aliases, r.loose = beside, nil, nil
}

// heedless makes a claim that nothing stops but its own key: the rule has been asked, and only warns.
func (r *proposal) heedless(req *ClaimRequest) {
	req.CheckScope, req.CheckIdentity, req.CheckNear, req.Seen, req.Aliases = false, false, false, nil, nil
	req.Limits = unbounded(req.Limits)
	req.Effect.Code = CodeWarned
	req.Effect.Reason = fmt.Sprintf("The policy only warns. Enforced, it would have answered %q.", r.warned)
}

// warns reports whether the rule of the call only warns.
func (r *proposal) warns() bool { return r.rule.Mode == policy.ModeWarn }
