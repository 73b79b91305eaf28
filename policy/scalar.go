package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/onceguard/onceguard/fingerprint"
)

// string reads a text that is not empty.
func (r *reader) string(n ast.Node, what string) string {
	s, ok := scalarText(n)
	if !ok {
		r.wrongType(n, what, "a text")
		return ""
	}
	if strings.TrimSpace(s) == "" {
		r.add(at(n), what+" is empty", "write a text, or remove the key")
		return ""
	}
	return s
}

func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// choice reads one of a few words. later holds words that the language will have in a later version.
func (r *reader) choice(n ast.Node, what string, choices, later []string) string {
	s := r.string(n, what)
	switch {
	case s == "" || slices.Contains(choices, s):
		return s
	case slices.Contains(later, s):
		r.add(at(n), fmt.Sprintf("this version does not have the choice %q of %s yet", s, what), "choose one of "+strings.Join(choices, ", "))
	default:
		r.add(at(n), fmt.Sprintf("%s cannot be %q", what, s), suggest(s, choices))
	}
	return ""
}

// truth reads true or false.
func (r *reader) truth(n ast.Node, what string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.wrongType(n, what, "true or false")
		return false
	}
	return b.Value
}

// integer reads a whole number in lo..hi.
func (r *reader) integer(n ast.Node, what string, lo, hi int) int {
	_, whole := n.(*ast.IntegerNode)
	i, err := strconv.Atoi(n.GetToken().Value)
	if !whole || err != nil {
		r.wrongType(n, what, "a whole number")
		return 0
	}
	if i < lo || i > hi {
		r.add(at(n), fmt.Sprintf("%s is %d", what, i), fmt.Sprintf("choose a number from %d to %d", lo, hi))
		return 0
	}
	return i
}

// decimal reads an exact number that is not negative.
func (r *reader) decimal(n ast.Node, what string) fingerprint.Decimal {
	text := n.GetToken().Value
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
	default:
		// The YAML library takes numbers that no machine word holds for texts.
		if s, ok := n.(*ast.StringNode); !ok || !plain(s) || !jsonNumber.MatchString(text) {
			r.wrongType(n, what, "a number")
			return fingerprint.Decimal{}
		}
	}
	d, err := fingerprint.ParseDecimal(text)
	if err != nil || d.Sign() < 0 {
		r.add(at(n), fmt.Sprintf("%s is %s", what, cut(text)), "write a number that is not negative, such as 1000 or 12.50")
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
func (r *reader) duration(n ast.Node, what string, lo, hi time.Duration) time.Duration {
	const wanted = `a number with a unit such as "30s", "10m", "72h", "3d" or "2w"`
	s, ok := scalarText(n)
	if number, bare := n.(*ast.IntegerNode); bare {
		r.add(at(n), fmt.Sprintf("%s is %s without a unit", what, number.GetToken().Value), "write "+wanted)
		return 0
	}
	if !ok {
		r.wrongType(n, what, wanted)
		return 0
	}
	d, err := parseDuration(s)
	if err != nil {
		r.add(at(n), fmt.Sprintf("%s cannot be %q", what, s), "write "+wanted)
		return 0
	}
	if d < lo || d > hi {
		r.add(at(n), fmt.Sprintf("%s is %s", what, s), fmt.Sprintf("choose a duration from %s to %s", showDuration(lo), showDuration(hi)))
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

func showDuration(d time.Duration) string {
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
func (r *reader) items(n ast.Node, what string) []ast.Node {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrongType(n, what, "a list")
		return nil
	}
	return list.Values
}

// strings reads a list of texts without repetition.
func (r *reader) strings(n ast.Node, what string) []string {
	list := []string{}
	for _, item := range r.items(n, what) {
		s := r.string(item, "an entry of "+what)
		if s == "" {
			continue
		}
		if slices.Contains(list, s) {
			r.add(at(item), fmt.Sprintf("%q is twice in %s", s, what), "keep one of them")
			continue
		}
		list = append(list, s)
	}
	return list
}

// plain tells whether a text stands without quotes.
func plain(n *ast.StringNode) bool { return n.Token != nil && n.Token.Type == token.StringType }

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

// scalarPlace finds the character of the file at a line (from 1) and column (from 0) of a text's content. Texts that YAML folds,
// and quoted ones of several lines, are only found as a whole.
func scalarPlace(n ast.Node, line, column int) place {
	where := at(n)
	switch n := n.(type) {
	case *ast.LiteralNode:
		if n.Start == nil || !strings.HasPrefix(n.Start.Value, "|") || n.Value.Token == nil {
			return where
		}
		first := strings.TrimLeft(n.Value.Token.Origin, "\r\n")
		indent := len(first) - len(strings.TrimLeft(first, " "))
		return place{where.file, where.line + line, indent + column + 1}
	case *ast.StringNode:
		if line != 1 || strings.Contains(strings.TrimSpace(n.Token.Origin), "\n") {
			return where
		}
		switch n.Token.Type {
		case token.StringType:
			where.column += column
		case token.SingleQuoteType:
			where.column += 1 + quotedWidth(n.Value, column, func(c rune) int {
				if c == '\'' {
					return 2
				}
				return 1
			})
		case token.DoubleQuoteType:
			// Longer escapes than these are rare in expressions.
			where.column += 1 + quotedWidth(n.Value, column, func(c rune) int {
				if c == '"' || c == '\\' || c < ' ' {
					return 2
				}
				return 1
			})
		}
	}
	return where
}

// quotedWidth is how wide the first characters of a text are in quotes.
func quotedWidth(s string, characters int, width func(rune) int) int {
	total, i := 0, 0
	for _, c := range s {
		if i == characters {
			break
		}
		total += width(c)
		i++
	}
	return total
}
