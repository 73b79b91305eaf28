package fingerprint

import (
	"strings"
	"unicode/utf8"
)

// Difference is one argument in which two calls differ.
type Difference struct {
	Argument string `json:"argument"`
	Role     Role   `json:"role"`
	Earlier  string `json:"earlier"` // the JSON text as it came, "" when absent
	Now      string `json:"now"`
	Decides  bool   `json:"decides"` // false for commentary and volatile
}

// Comparison tells two calls of one spec apart.
type Comparison struct {
	Same    bool         `json:"same"`    // all arguments that decide are equal
	Because []string     `json:"because"` // one phrase per argument that is equal in another spelling
	Differs []Difference `json:"differs"` // in the order of the terms
}

// Compare compares the terms of an earlier call and a present one, both made under one spec. Equal terms mean equal
// keys only within one tenant, effect type, scope and occurrence.
func Compare(earlier, now []Term) Comparison {
	c := Comparison{Same: true, Because: []string{}, Differs: []Difference{}}
	for _, p := range Align(earlier, now) {
		switch {
		case p.Standing == Respelled:
			c.Because = append(c.Because, because(p.Earlier, p.Now))
		case p.Earlier.Normal != p.Now.Normal:
			c.Same = c.Same && !p.Role.Decides()
			c.Differs = append(c.Differs, Difference{p.Argument, p.Role, p.Earlier.Raw, p.Now.Raw, p.Role.Decides()})
		}
	}
	return c
}

// because says why two spellings are equal.
func because(earlier, now Term) string {
	name := shorten(now.Argument)
	if name == "" {
		name = "the arguments"
	}
	phrase := name + ": " + spelling(earlier.Raw) + " and " + spelling(now.Raw)
	switch {
	case now.Normal == "":
		return phrase + " both count as absent"
	case strings.HasPrefix(now.Normal, "exact "), strings.HasPrefix(now.Normal, "whole "):
		return phrase + " are the same JSON value"
	default:
		return phrase + " are both " + shorten(now.Normal)
	}
}

func spelling(raw string) string {
	if raw == "" {
		return "absent"
	}
	return shorten(raw)
}

// maxQuoted is the most characters of a value that are quoted in a phrase.
const maxQuoted = 200

func shorten(s string) string {
	if len(s) <= maxQuoted || utf8.RuneCountInString(s) <= maxQuoted {
		return s
	}
	runes := 0
	for i := range s {
		if runes == maxQuoted {
			return s[:i] + "…"
		}
		runes++
	}
	return s
}
