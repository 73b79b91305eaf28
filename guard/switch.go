package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onceguard/onceguard/policy"
)

// Switch stops the sends of a tool or an agent within the admin's tenant, or allows them again. It is an entry of the book, so that once it
// is written no replica can claim past it: what had been claimed before is sent, and nothing after. Effects
// on record still answer for equal calls, and approved ones wait. A read, which claims nothing, is stopped by a
// replica as soon as that has read the book, which it does at every sweep.
type Switch struct {
	Kind   SwitchKind
	Name   string // of a tool, or a glob as in policies; of an agent, exactly
	Off    bool
	Reason string // why, for those who are stopped; at most 500 bytes
}

// SwitchKind is what a switch is about.
type SwitchKind string

// The kinds of switches.
const (
	SwitchTool  SwitchKind = "tool"
	SwitchAgent SwitchKind = "agent"
)

// Switched is a switch as it stands.
type Switched struct {
	Switch
	Number int64 // of its entry in the book
	By     string
	At     time.Time

	tenant string
	entry  string // its name in the book
	about  func(name string) bool
}

const maxSwitchReason = 500

// Switch records a switch and returns it as it stands; one that is so already is returned as it is.
//
// Errors: CodeForbidden for all but admins, CodeInvalid, CodeConflict when another admin was faster.
func (g *Guard) Switch(ctx context.Context, p Principal, s Switch) (Switched, error) {
	if p.Role != RoleAdmin {
		return Switched{}, &Error{Code: CodeForbidden, Op: "switch", Message: "only an admin stops tools and agents"}
	}
	if err := s.check(); err != nil {
		return Switched{}, err
	}
	if err := g.book.refresh(ctx); err != nil {
		return Switched{}, err
	}
	name := entryName(p.Tenant, s)
	present, known := g.book.switched(name)
	if known && present.Off == s.Off && present.Reason == s.Reason {
		return present, nil
	}
	text, err := json.Marshal(switchText{Tenant: p.Tenant, Kind: s.Kind, Name: s.Name, Off: s.Off})
	if err != nil {
		return Switched{}, err
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.times.Write)
	defer cancel()
	e, err := g.store.Enter(write, Entry{Kind: EntrySwitch, Name: name, Text: text, Author: p.Subject, Reason: s.Reason, Onto: present.Number})
	if err != nil {
		return Switched{}, err
	}
	g.log.WarnContext(ctx, "a switch was set", "kind", s.Kind, "name", s.Name, "off", s.Off, "by", p.Subject)
	if err := g.book.refresh(ctx); err != nil {
		g.log.WarnContext(ctx, "the book could not be read; the next claim does it", "error", err)
	}
	return switchedBy(e)
}

// Switches lists the switches of the principal's tenant as they stand, those that stop something first.
func (g *Guard) Switches(ctx context.Context, p Principal) ([]Switched, error) {
	if !p.Reviews() {
		return nil, &Error{Code: CodeForbidden, Op: "switches", Message: "only reviewers and admins see the switches"}
	}
	if err := g.book.refresh(ctx); err != nil {
		return nil, err
	}
	g.book.mu.RLock()
	defer g.book.mu.RUnlock()
	var all []Switched
	for _, s := range g.book.switches {
		if s.tenant == p.Tenant {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Switched) int {
		if a.Off != b.Off {
			return cmp.Compare(offFirst(a), offFirst(b))
		}
		return b.At.Compare(a.At)
	})
	return all, nil
}

func offFirst(s Switched) int {
	if s.Off {
		return 0
	}
	return 1
}

func (s *Switch) check() error {
	switch s.Kind {
	case SwitchTool:
		if len(s.Name) > MaxToolName {
			return invalid("/name", fmt.Sprintf("is longer than %d bytes", MaxToolName))
		}
	case SwitchAgent:
	default:
		return invalid("/kind", `must be "tool" or "agent"`)
	}
	if s.Name == "" {
		return invalid("/name", "is missing: name the tool or the agent")
	}
	if err := checkText("/name", s.Name, MaxHandle); err != nil {
		return err
	}
	if s.Off && strings.TrimSpace(s.Reason) == "" {
		return invalid("/reason", "is missing: say in one sentence why the sends are stopped")
	}
	return checkText("/reason", s.Reason, maxSwitchReason)
}

// switchText is the text of an entry.
type switchText struct {
	Tenant string     `json:"tenant"`
	Kind   SwitchKind `json:"kind"`
	Name   string     `json:"name"`
	Off    bool       `json:"off"`
}

// entryName is under which name of the book a switch stands: tenants never meet.
func entryName(tenant string, s Switch) string {
	return fmt.Sprintf("%q %s %q", tenant, s.Kind, s.Name)
}

// switchedBy reads an entry.
func switchedBy(e Entry) (Switched, error) {
	var t switchText
	if err := decodeEntry(e, &t); err != nil {
		return Switched{}, err
	}
	s := Switched{Switch: Switch{t.Kind, t.Name, t.Off, e.Reason}, Number: e.Number, By: e.Author, At: e.At, tenant: t.Tenant, entry: e.Name}
	switch t.Kind {
	case SwitchTool:
		s.about = policy.Matcher(t.Name)
	case SwitchAgent:
		s.about = func(name string) bool { return name == t.Name }
	default:
		return s, fmt.Errorf("entry %d of the book switches the unknown kind %q", e.Number, t.Kind)
	}
	return s, nil
}

func (b *book) switched(entry string) (Switched, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	at := slices.IndexFunc(b.switches, func(s Switched) bool { return s.entry == entry })
	if at < 0 {
		return Switched{}, false
	}
	return b.switches[at], true
}

// stopped returns the switch that stops the calls of an agent to a tool, as far as this replica has read the book.
func (b *book) stopped(tenant, tool, agent string) (Switched, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, s := range b.switches {
		if !s.Off || s.tenant != tenant {
			continue
		}
		if s.Kind == SwitchTool && s.about(tool) || s.Kind == SwitchAgent && s.about(agent) {
			return s, true
		}
	}
	return Switched{}, false
}
