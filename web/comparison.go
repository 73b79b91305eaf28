package web

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/currency"

	"github.com/onceguard/onceguard/fingerprint"
	"github.com/onceguard/onceguard/guard"
	"github.com/onceguard/onceguard/policy"
)

// mostRows is the most arguments that a page shows of each part of a comparison; the page of one effect shows all on demand.
const mostRows = 200

// comparison is the arguments of a call, beside those of an earlier one where there is one.
type comparison struct {
	Paired  bool
	Differs []row
	Same    []row  // equal, also those in another spelling
	Ignored []row  // what does not tell effects apart
	Left    int    // how many arguments are not shown
	All     string // where all are shown
	Broken  string
}

// longNormal is from how many bytes on a normal form is folded away.
const longNormal = 60

// row is one argument.
type row struct {
	Argument string
	Role     string
	Kind     string
	Standing fingerprint.Standing
	Paired   bool
	Earlier  cell
	Now      cell
}

// cell is one argument of one call.
type cell struct {
	Present bool
	Text    bool // it is a JSON string, shown without its quotes and escapes
	Value   shown
	Whole   string // where all of the value is shown, if it was cut
	Normal  shown  // its normal form, where that says more than the value
	Long    bool   // the normal form is folded
	Note    string
}

// spec is how the policy of a tool reads arguments now.
func spec(p Policies, tool string) *fingerprint.Spec { return rule(p, tool).Arguments }

func rule(p Policies, tool string) *policy.Rule { return p.Current().Match(tool) }

// terms explains the arguments of an effect under the present policy of its tool.
func terms(p Policies, e *guard.Effect) ([]fingerprint.Term, error) {
	v, err := fingerprint.Decode(e.Arguments, fingerprint.Limits{})
	if err != nil {
		return nil, err
	}
	return spec(p, e.Tool).Terms(v), nil
}

// compare puts the arguments of a call beside those of an earlier one, or shows them alone where earlier is nil. With all, it
// shows every argument; without, a part of each kind, so that what differs is never crowded out by what is equal.
func compare(review string, earlier, now []fingerprint.Term, all bool) comparison {
	c := comparison{Paired: earlier != nil}
	if review != "" {
		c.All = "/review/" + review + "?all=1"
	}
	for _, p := range fingerprint.Align(earlier, now) {
		part := c.part(p)
		if len(*part) >= mostRows && !all {
			c.Left++
			continue
		}
		r := row{Argument: p.Argument, Role: p.Role.String(), Kind: p.Now.Kind, Standing: p.Standing, Paired: c.Paired,
			Now: cellOf(p.Now, wholeOf(review, "now", p.Argument))}
		if c.Paired {
			r.Earlier = cellOf(p.Earlier, wholeOf(review, "earlier", p.Argument))
			if p.Standing == fingerprint.Differs || p.Standing == fingerprint.Ignored {
				markDifference(&r, p)
			}
		}
		*part = append(*part, r)
	}
	return c
}

// part is where a pair of arguments is shown. A call alone has all that counts in one part.
func (c *comparison) part(p fingerprint.TermPair) *[]row {
	switch {
	case !p.Role.Decides():
		return &c.Ignored
	case !c.Paired || p.Standing == fingerprint.Differs:
		return &c.Differs
	}
	return &c.Same
}

func cellOf(t fingerprint.Term, whole string) cell {
	value, text := plain(t.Raw)
	c := cell{Present: t.Raw != "", Text: text, Value: cutVisible(maxShown, value), Whole: whole, Note: t.Note}
	if normal := normalForm(t.Normal); normal != value && normal != t.Raw {
		c.Normal = cutVisible(maxShown, normal)
		c.Long = len(normal) > longNormal
	}
	return c
}

// wholeOf is where all of a value is shown; "" for one that is not on record.
func wholeOf(review, of, argument string) string {
	if review == "" {
		return ""
	}
	return "/review/" + review + "/value?" + url.Values{"of": {of}, "argument": {argument}}.Encode()
}

// markDifference marks what differs inside the two values of a row. Of long values it shows the place where they part.
func markDifference(r *row, p fingerprint.TermPair) {
	if !r.Earlier.Present || !r.Now.Present {
		return
	}
	before, _ := plain(p.Earlier.Raw)
	after, _ := plain(p.Now.Raw)
	left := 0
	if r.Earlier.Value.Rest > 0 || r.Now.Value.Rest > 0 {
		var skip int
		skip, left = equalStart(before, after)
		before, after = before[skip:], after[skip:]
	}
	before, restBefore := cutText(before, maxShown)
	after, restAfter := cutText(after, maxShown)
	earlier, now := wordDiff(before, after)
	r.Earlier.Value = shown{Before: left, Pieces: earlier, Rest: restBefore}
	r.Now.Value = shown{Before: left, Pieces: now, Rest: restAfter}
}

// keptBefore is how many of the equal characters before a difference are shown.
const keptBefore = 80

// equalStart is how much of the equal start of two texts is left out, in bytes and in characters.
func equalStart(a, b string) (bytes, characters int) {
	var starts []int
	for i := 0; i < len(a); {
		_, size := utf8.DecodeRuneInString(a[i:])
		if !strings.HasPrefix(b[i:], a[i:i+size]) {
			break
		}
		starts = append(starts, i)
		i += size
	}
	if len(starts) <= keptBefore {
		return 0, 0
	}
	n := len(starts) - keptBefore
	return starts[n], n
}

// plain is a value as a person reads it: the text of a JSON string, else the JSON text itself.
func plain(raw string) (value string, text bool) {
	if !strings.HasPrefix(raw, `"`) {
		return raw, false
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return raw, false
	}
	return s, true
}

// normalForm drops the tag of a normal form where the form is plainly the value.
func normalForm(normal string) string {
	for _, tag := range []string{"exact ", "whole "} {
		if rest, ok := strings.CutPrefix(normal, tag); ok {
			return rest
		}
	}
	return normal
}

// brief is one argument in a line of a list.
type brief struct {
	Name  string
	Value shown
}

// mostBrief is the most arguments, and briefLength the most characters of each, in a line of a list.
const (
	mostBrief   = 3
	briefLength = 60
)

// about says in a line what a call acts on: its identity, else its first arguments.
func about(list []fingerprint.Term) []brief {
	var line []brief
	for _, t := range list {
		if t.Raw == "" || !t.Role.Decides() || len(line) == mostBrief {
			continue
		}
		if t.Role != fingerprint.Identity && len(line) > 0 {
			continue
		}
		value, _ := plain(t.Raw)
		line = append(line, brief{t.Argument, cutVisible(briefLength, value)})
	}
	return line
}

func isMoney(t fingerprint.Term) bool { return strings.HasPrefix(t.Normal, "money ") }

// price is an amount of money among the arguments of a call.
type price struct {
	amount fingerprint.Decimal
	Text   string // the amount and its currency; "" where there is none
}

// cost is the largest amount of money among the arguments of a call.
func cost(list []fingerprint.Term) (most price) {
	for _, t := range list {
		if !isMoney(t) {
			continue
		}
		text := strings.TrimPrefix(t.Normal, "money ")
		number, unit, _ := strings.Cut(text, " ")
		d, err := fingerprint.ParseDecimal(number)
		if err == nil && (most.Text == "" || d.Compare(most.amount) > 0) {
			most = price{d, amountOf(number, unit)}
		}
	}
	return most
}

// amountOf writes an amount of money, or a plain number where unit is "".
func amountOf(number, unit string) string {
	return strings.TrimSpace(withCents(number, unit) + " " + unit)
}

// withCents writes an amount with at least as many decimal places as its currency has: 129.9 EUR is 129.90.
func withCents(number, unit string) string {
	u, err := currency.ParseISO(unit)
	if err != nil || strings.ContainsAny(number, "eE") {
		return number
	}
	places, _ := currency.Standard.Rounding(u)
	whole, part, _ := strings.Cut(number, ".")
	if missing := places - len(part); missing > 0 {
		return whole + "." + part + strings.Repeat("0", missing)
	}
	return number
}
