package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/onceguard/onceguard/guard"
)

// preferences are what a caller asked for in the header Prefer (RFC 7240).
type preferences struct {
	wait   int // seconds; -1 when not given
	strict bool
}

// parsePrefer reads the preferences that we know. As the standard says, others and malformed ones are ignored, and the
// first of two equal ones counts.
func parsePrefer(h http.Header) preferences {
	p := preferences{wait: -1}
	handled := false
	for part := range strings.SplitSeq(strings.Join(h.Values("Prefer"), ","), ",") {
		part, _, _ = strings.Cut(part, ";")
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case strings.EqualFold(name, "wait") && p.wait < 0:
			if n, err := strconv.ParseUint(value, 10, 31); err == nil {
				p.wait = min(int(n), int(guard.MaxWait/time.Second))
			}
		case strings.EqualFold(name, "handling") && !handled:
			handled, p.strict = true, strings.EqualFold(value, "strict")
		}
	}
	return p
}

// budget is the waiting budget as guard.Call has it.
func (p preferences) budget() time.Duration {
	switch {
	case p.wait < 0:
		return 0
	case p.wait == 0:
		return -1
	}
	return time.Duration(p.wait) * time.Second
}

// applied is the value of Preference-Applied.
func (p preferences) applied() string {
	var said []string
	if p.wait >= 0 {
		said = append(said, "wait="+strconv.Itoa(p.wait))
	}
	if p.strict {
		said = append(said, "handling=strict")
	}
	return strings.Join(said, ", ")
}

// idempotencyKey reads the header Idempotency-Key, whose draft wants a quoted string of structured fields (RFC 8941,
// section 3.3.3); most callers send it bare, so both are read. "" means that there is none.
func idempotencyKey(h http.Header) (string, error) {
	const field = "Idempotency-Key"
	values := h.Values(field)
	if len(values) == 0 {
		return "", nil
	}
	text := strings.Trim(values[0], " \t")
	key, ok := text, text != ""
	if strings.HasPrefix(text, `"`) {
		key, ok = unquote(text)
	}
	switch {
	case len(values) > 1:
		return "", invalid(field, "stands more than once")
	case !ok || !printable(key):
		return "", invalid(field, "must be printable ASCII, bare or as one quoted string")
	case key == "" || len(key) > guard.MaxHandle:
		return "", invalid(field, "must have 1 to "+strconv.Itoa(guard.MaxHandle)+" characters")
	}
	return key, nil
}

// unquote reads a quoted string; parameters after it are ignored.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			rest := strings.TrimLeft(s[i+1:], " ")
			return b.String(), rest == "" || rest[0] == ';'
		case '\\':
			i++
			if i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", false
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
