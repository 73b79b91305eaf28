package main

import "crypto/sha256"

// intent is one change that a recorded agent wants once: the truth that executions are counted against. The guard knows
// nothing of intents, and the upstream nothing of fingerprints.
type intent struct {
	// These belong to the upstream and are guarded by its mutex.
	executed int
	keys     map[string]bool // idempotency keys under which it was executed

	// These belong to the one caller that plays the run.
	tries    int
	standing standing
	wanted   bool     // one of its calls was recorded as successful
	meant    bool     // an equal call has succeeded before, and people say that this repeat is wanted
	texts    []string // of its calls that were recorded as successful; kept only where there are labels
}

// open reports whether its agent has sent it and does not know what came of it.
func (in *intent) open() bool { return in.standing == untold }

// recordedRun is one run while it is played.
type recordedRun struct {
	left    int // calls that are still to come
	intents map[[sha256.Size]byte]*intent
	tools   map[string]*usedTool
}

// usedTool is what a run has sent to one tool.
type usedTool struct {
	texts map[string]*intent // the latest argument texts, and what they were after
	order []string           // the same, oldest first
	open  int                // intents whose outcome the agent does not know
}

// maxTexts bounds the texts that are remembered of one tool in one run. If a guard sends an older one again, that counts as
// a double effect that nobody asked for.
const maxTexts = 256

func newRecordedRun(calls int) *recordedRun {
	return &recordedRun{left: calls, intents: map[[sha256.Size]byte]*intent{}, tools: map[string]*usedTool{}}
}

// intentOf finds what a call is after: the same as an earlier call of its run with the same tool and arguments, unless
// people say that this repeat is wanted.
func (r *recordedRun) intentOf(c recordedCall, l *labels) *intent {
	key := sha256.Sum256([]byte(c.Tool + "\x00" + sameText(c.text)))
	in := r.intents[key]
	if in == nil {
		in = &intent{}
		r.intents[key] = in
		return in
	}
	for _, earlier := range in.texts {
		if l.meant[[3]string{c.Tool, earlier, c.text}] {
			in = &intent{meant: true, texts: in.texts}
			r.intents[key] = in
			return in
		}
	}
	return in
}

func (r *recordedRun) tool(name string) *usedTool {
	u := r.tools[name]
	if u == nil {
		u = &usedTool{texts: map[string]*intent{}}
		r.tools[name] = u
	}
	return u
}

// add remembers a text that is about to be sent.
func (u *usedTool) add(text string, in *intent) {
	if _, known := u.texts[text]; !known {
		u.order = append(u.order, text)
	}
	u.texts[text] = in
	if len(u.order) > maxTexts {
		delete(u.texts, u.order[0])
		u.order = u.order[1:]
	}
}

// learn records what a try told the agent. The guard's own no tells nothing of earlier tries.
func (u *usedTool) learn(in *intent, s standing) {
	before := in.open()
	in.tries++
	if s != refused {
		in.standing = s
	}
	switch after := in.open(); {
	case after && !before:
		u.open++
	case before && !after:
		u.open--
	}
}

// otherUntold reports whether the outcome of another intent is open.
func (u *usedTool) otherUntold(in *intent) bool {
	if in.open() {
		return u.open > 1
	}
	return u.open > 0
}

// labelledSame reports whether people say that a call is after the same effect as an earlier one of the run.
func (u *usedTool) labelledSame(c recordedCall, l *labels) bool {
	if l == nil {
		return false
	}
	for earlier := range u.texts {
		if l.same[[3]string{c.Tool, earlier, c.text}] {
			return true
		}
	}
	return false
}
