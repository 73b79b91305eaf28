package fingerprint

import (
	"fmt"
	"strings"
)

// Sentence says in one sentence, for a person who reviews it, what a call is to an earlier one: the same effect, the same but
// for its wording, or another one, and what decides. The terms are those of two calls whose effect type, scope and occurrence
// are equal. wording is what Judge says of their texts; its zero value where they were not judged.
//
// The sentence quotes values of the calls, each cut to 60 characters and with what cannot be seen written as an escape. It is
// therefore for people: do not put it where a model takes it for instructions.
func Sentence(effect string, earlier, now []Term, wording Nearness) string {
	s := sortTerms(Align(earlier, now))
	kind := effectNoun(effect)
	switch {
	case len(s.differs) == 0:
		return s.same(kind)
	case len(s.differs) == len(s.texts) && wording.Argument != "" && wording.Verdict != Different:
		return fmt.Sprintf("The same %s but for the wording of %s%s.", kind, listNouns(s.texts), howAlike(wording))
	}
	return s.another(kind, wording)
}

// aligned are the arguments of two calls by what they mean for the comparison.
type aligned struct {
	identity  []TermPair // identity arguments that are equal and name something
	respelled []TermPair
	differs   []TermPair
	texts     []TermPair // those of differs that are compared by their wording
	ignored   []TermPair
}

func sortTerms(pairs []TermPair) aligned {
	var s aligned
	for _, p := range pairs {
		if p.Role == Identity && p.Standing != Differs && p.Now.Normal != "" {
			s.identity = append(s.identity, p)
		}
		switch p.Standing {
		case Respelled:
			s.respelled = append(s.respelled, p)
		case Ignored:
			s.ignored = append(s.ignored, p)
		case Differs:
			s.differs = append(s.differs, p)
			if isText(p) {
				s.texts = append(s.texts, p)
			}
		}
	}
	return s
}

// isText reports whether an argument is one of those that Spec.Texts gives.
func isText(p TermPair) bool {
	_, text := foldings[p.Now.Kind]
	return text && p.Role == Material
}

// same says why two calls are the same effect.
func (s aligned) same(kind string) string {
	var clauses []string
	if n := len(s.respelled); n > 0 {
		names := make([]string, n)
		for i, p := range s.respelled {
			names[i] = equalValue(p)
		}
		clauses = append(clauses, fmt.Sprintf("%s %s equal in other spelling", list(names), are(n)))
	}
	if n := len(s.ignored); n > 0 {
		verb := "differs, which does"
		if n > 1 {
			verb = "differ, which do"
		}
		clauses = append(clauses, "only the "+listNouns(s.ignored)+" "+verb+" not count")
	}
	if len(clauses) == 0 {
		return fmt.Sprintf("The same %s, written alike.", kind)
	}
	return fmt.Sprintf("The same %s: %s.", kind, strings.Join(clauses, "; "))
}

// another says what makes two calls different effects.
func (s aligned) another(kind string, wording Nearness) string {
	var clauses []string
	for i, p := range s.differs {
		if i == maxListed {
			clauses = append(clauses, differMore(len(s.differs)-i))
			break
		}
		clauses = append(clauses, difference(p, wording))
	}
	return fmt.Sprintf("%s: %s.", s.subject(kind), strings.Join(clauses, "; "))
}

// subject names the present call by what it acts on.
func (s aligned) subject(kind string) string {
	if first := s.differs[0]; first.Role == Identity {
		return article(kind) + " " + kind + " " + preposition([]TermPair{first}) + " " + another(noun(first.Argument))
	}
	if len(s.identity) > 0 {
		return "Another " + kind + " " + preposition(s.identity) + " the same " + listNouns(s.identity)
	}
	return "Another " + kind
}

// difference says how an argument differs.
func difference(p TermPair, wording Nearness) string {
	name := noun(p.Argument)
	if isText(p) && p.Argument == wording.Argument && wording.Verdict == Different {
		if wording.Contrast != "" {
			return fmt.Sprintf("the %s says something else, as %s", name, visible(wording.Contrast, maxShown))
		}
		return fmt.Sprintf("the %s says something else (%.2f alike)", name, wording.Score)
	}
	earlier, now := shownValues(p)
	switch {
	case p.Argument == "":
		return fmt.Sprintf("its arguments are %s instead of %s", now, earlier)
	case p.Earlier.Normal == "":
		return fmt.Sprintf("the %s %s is new", name, now)
	case p.Now.Normal == "":
		return fmt.Sprintf("the %s %s is gone", name, earlier)
	default:
		return fmt.Sprintf("the %s is %s instead of %s", name, now, earlier)
	}
}

func howAlike(wording Nearness) string {
	if wording.Verdict == Alike && wording.Score == 0 {
		return ", which only one of them fills in"
	}
	return fmt.Sprintf(" (%.2f alike)", wording.Score)
}
