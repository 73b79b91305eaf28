package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"

	"github.com/onceguard/onceguard/fingerprint"
)

// string reads a text that is not empty.
func (r *reader) string(n *node, what string) string {
	if n.kind != textNode {
		r.wrongType(n, what, "a text")
		return ""
	}
	if strings.TrimSpace(n.text) == "" {
		r.add(n.at, what+" is empty", "write a text, or remove the key")
		return ""
	}
	return n.text
}

// choice reads one of a few words. later holds words that the language will have in a later version.
func (r *reader) choice(n *node, what string, choices, later []string) string {
	s := r.string(n, what)
	switch {
	case s == "" || slices.Contains(choices, s):
		return s
	case slices.Contains(later, s):
		r.add(n.at, fmt.Sprintf("this version does not have the choice %q of %s yet", s, what), "choose one of "+strings.Join(choices, ", "))
	default:
		r.add(n.at, fmt.Sprintf("%s cannot be %q", what, s), suggest(s, choices))
	}
	return ""
}

// truth reads true or false.
func (r *reader) truth(n *node, what string) bool {
	if n.kind != truthNode {
		r.wrongType(n, what, "true or false")
	}
	return n.isTrue()
}

// integer reads a whole number in lo..hi.
func (r *reader) integer(n *node, what string, lo, hi int) int {
	i, err := strconv.Atoi(n.text)
	if n.kind != numberNode || err != nil {
		r.wrongType(n, what, "a whole number")
		return 0
	}
	if i < lo || i > hi {
		r.add(n.at, fmt.Sprintf("%s is %d", what, i), fmt.Sprintf("choose a number from %d to %d", lo, hi))
		return 0
	}
	return i
}

// decimal reads an exact number that is not negative.
func (r *reader) decimal(n *node, what string) fingerprint.Decimal {
	if n.kind != numberNode {
		r.wrongType(n, what, "a number")
		return fingerprint.Decimal{}
	}
	d, err := fingerprint.ParseDecimal(n.text)
	if err != nil || d.Sign() < 0 {
		r.add(n.at, fmt.Sprintf("%s is %s", what, cut(n.text)), "write a number that is not negative, such as 1000 or 12.50")
		return fingerprint.Decimal{}
	}
	return d
}

// day and week are the units that durations have beside those of Go.
const (
	day  = 24 * time.Hour
	week = 7 * day
)

// duration reads a duration in lo..hi.
func (r *reader) duration(n *node, what string, lo, hi time.Duration) time.Duration {
	const wanted = `a number with a unit such as "30s", "10m", "72h", "3d" or "2w"`
	if _, err := strconv.Atoi(n.text); n.kind == numberNode && err == nil {
		r.add(n.at, fmt.Sprintf("%s is %s without a unit", what, n.text), "write "+wanted)
		return 0
	}
	if n.kind != textNode {
		r.wrongType(n, what, wanted)
		return 0
	}
	d, err := parseDuration(n.text)
	if err != nil {
		r.add(n.at, fmt.Sprintf("%s cannot be %q", what, n.text), "write "+wanted)
		return 0
	}
	if d < lo || d > hi {
		r.add(n.at, fmt.Sprintf("%s is %s", what, n.text), fmt.Sprintf("choose a duration from %s to %s", ShowDuration(lo), ShowDuration(hi)))
		return 0
	}
	return d
}

var longUnits = regexp.MustCompile(`^([0-9]+)(w|d)`)

// parseDuration reads a Go duration that weeks and days may lead: "1w2d12h".
func parseDuration(s string) (time.Duration, error) {
	var long time.Duration
	rest := s
	for {
		m := longUnits.FindStringSubmatch(rest)
		if m == nil {
			break
		}
		// A million weeks overflow a Duration; seven digits are already absurd.
		count, err := strconv.Atoi(m[1])
		if err != nil || count > 10_000 {
			return 0, fmt.Errorf("duration %q is out of range", s)
		}
		unit := day
		if m[2] == "w" {
			unit = week
		}
		long += time.Duration(count) * unit
		rest = rest[len(m[0]):]
	}
	if rest == "" && long > 0 {
		return long, nil
	}
	short, err := time.ParseDuration(rest)
	if err != nil {
		return 0, err
	}
	if long > 0 && (short < 0 || short > 10_000*week) {
		return 0, fmt.Errorf("duration %q is out of range", s)
	}
	return long + short, nil
}

// ShowDuration writes a duration as people do in a policy, such as "1h", "90m" or "2d".
func ShowDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// items reads a list.
func (r *reader) items(n *node, what string) []*node {
	if n.kind != listNode {
		r.wrongType(n, what, "a list")
	}
	return n.items
}

// strings reads a list of texts without repetition.
func (r *reader) strings(n *node, what string) []string {
	list := []string{}
	for _, item := range r.items(n, what) {
		s := r.string(item, "an entry of "+what)
		if s == "" {
			continue
		}
		if slices.Contains(list, s) {
			r.add(item.at, fmt.Sprintf("%q is twice in %s", s, what), "keep one of them")
			continue
		}
		list = append(list, s)
	}
	return list
}

// suggest names the word nearest to a wrong one, or all words when none is near.
func suggest(wrong string, valid []string) string {
	best, distance := "", len(wrong)/3+2
	if len(wrong) <= 64 {
		for _, v := range valid {
			if d := levenshtein.ComputeDistance(strings.ToLower(wrong), strings.ToLower(v)); d < distance {
				best, distance = v, d
			}
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(valid) == 0 {
		return "remove it"
	}
	sorted := slices.Clone(valid)
	slices.Sort(sorted)
	return "choose one of " + strings.Join(sorted, ", ")
}
