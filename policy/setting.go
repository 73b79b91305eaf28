package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// settings are what is said of every tool, if only by the language itself.
type settings struct {
	window, lease, hold time.Duration
	scope               []string
	on                  On
	near                Near
	share               Share
	keys                Keys
	mode                Mode
}

// builtin is what holds where no file says otherwise.
func builtin() settings {
	return settings{
		window: 24 * time.Hour,
		lease:  5 * time.Minute,
		hold:   24 * time.Hour,
		on:     defaultOn(),
		near:   defaultNear(),
		share:  ShareSubject,
		keys:   KeysHint,
		mode:   ModeEnforce,
	}
}

// apply copies complete settings into the rule.
func (r *Rule) apply(s settings) {
	r.Scope, r.Window, r.Lease, r.Hold = s.scope, s.window, s.lease, s.hold
	r.On, r.Near, r.Share, r.Keys, r.Mode = s.on, s.near, s.share, s.keys, s.mode
}

var onKeys = keys{now: onNames()}

func onNames() []string {
	names := make([]string, len(onTable))
	for i, e := range onTable {
		names[i] = e.key
	}
	return names
}

// settings reads the settings of a tool with all that it inherits.
func (r *reader) settings(f layer) settings {
	s := builtin()
	for _, key := range []string{"window", "lease", "hold", "scope", "share", "keys", "mode"} {
		e, ok := f.get(key)
		if !ok {
			continue
		}
		switch key {
		case "window":
			s.window = r.duration(e.value, key, minDuration, maxWindow)
		case "lease":
			s.lease = r.duration(e.value, key, minDuration, maxLease)
		case "hold":
			s.hold = r.duration(e.value, key, minDuration, maxHold)
		case "scope":
			s.scope = r.scope(e.value)
		case "share":
			s.share = Share(r.choice(e.value, key, []string{string(ShareSubject), string(ShareTenant)}, nil))
		case "mode":
			s.mode = Mode(r.choice(e.value, key, modes, nil))
		case "keys":
			s.keys = Keys(r.choice(e.value, key, []string{string(KeysHint), string(KeysTrusted)}, nil))
		}
	}
	if e, ok := f.get("on"); ok {
		r.on(e.value, &s)
	}
	if e, ok := f.get("near"); ok {
		r.near(e.value, &s)
	}
	return s
}

func (r *reader) on(n *node, s *settings) {
	f := r.fields(n, "on", onKeys)
	for _, row := range onTable {
		e, ok := f.get(row.key)
		if !ok {
			continue
		}
		words := make([]string, len(row.choices))
		for i, c := range row.choices {
			words[i] = string(c)
		}
		*row.of(&s.on) = Choice(r.choice(e.value, "on."+row.key, words, row.later))
	}
}

// scope reads the parts of a scope.
func (r *reader) scope(n *node) []string {
	parts := r.strings(n, "scope")
	for _, part := range parts {
		name, label := strings.CutPrefix(part, ScopeLabel)
		switch {
		case label && name != "" && len(name) <= maxName:
		case label:
			r.add(n.at, fmt.Sprintf("%q in scope names no label", part), "write \"label:NAME\"")
		case !slices.Contains([]string{ScopeRun, ScopeAgent, ScopeSubject, ScopeTenant}, part):
			r.add(n.at, fmt.Sprintf("scope cannot hold %q", part), suggest(part, []string{ScopeRun, ScopeAgent, ScopeSubject, ScopeTenant, "label:NAME"}))
		}
	}
	if slices.Contains(parts, ScopeTenant) && len(parts) > 1 {
		r.add(n.at, "scope names the tenant beside other parts, but the tenant is in every scope", "remove \"tenant\", or write [tenant] alone")
	}
	if n.kind == listNode && len(n.items) == 0 {
		r.add(n.at, "scope is empty", "write [tenant] if nothing but the tenant divides effects, or remove the key")
	}
	return parts
}
