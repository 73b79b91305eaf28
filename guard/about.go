package guard

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/policy"
)

// maxAboutValue is the most bytes of one value in Effect.About.
const maxAboutValue = 64

// about makes Effect.About: the identity arguments of a call, then its amounts of money, as in "order_id=A-17, amount=25.00".
// What the policy conceals is not in it.
func about(rule *policy.Rule, args fingerprint.Value) string {
	var identity, money []string
	hidden := concealed(rule)
	for _, t := range rule.Arguments.Terms(args) {
		name, _, _ := strings.Cut(t.Argument, ".")
		isMoney := strings.HasPrefix(t.Kind, "money")
		if t.Raw == "" || hidden[name] || t.Role != fingerprint.Identity && !isMoney {
			continue
		}
		shown := shorten(oneLine(t.Argument), maxAboutValue) + "=" + shorten(oneLine(unquoted(t.Raw)), maxAboutValue)
		if t.Role == fingerprint.Identity {
			identity = append(identity, shown)
		} else {
			money = append(money, shown)
		}
	}
	return shorten(strings.Join(append(identity, money...), ", "), MaxAbout)
}

// concealed names the arguments of which the policy conceals a part, also by their common names.
func concealed(rule *policy.Rule) map[string]bool {
	hidden := map[string]bool{}
	for _, path := range slices.Concat(rule.Redact, rule.Seal) {
		name, _, _ := strings.Cut(path, ".")
		hidden[name] = true
	}
	for _, a := range rule.Arguments.Arguments() {
		if hidden[a.Name] && a.As != "" {
			hidden[a.As] = true
		}
	}
	return hidden
}

// unquoted is the text of a JSON string, and every other value as it came.
func unquoted(raw string) string {
	var text string
	if json.Unmarshal([]byte(raw), &text) == nil {
		return text
	}
	return raw
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// shorten cuts a text to at most a number of bytes, between runes.
func shorten(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	end := most - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
