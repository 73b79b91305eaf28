package fingerprint

import (
	"math/bits"
	"strconv"
	"strings"
)

// readDuration reads a length of time with its unit.
//
// It joins ISO 8601 ("PT1H30M"), Go ("1h30m") and English words ("90 min", "1 hour and 30 minutes"): hours, minutes,
// seconds and their decimal parts with one another, and a week with seven days. All arithmetic is exact to the nanosecond,
// which is why no library is used that computes with float64.
//
// It keeps apart what the calendar decides: years and months stay as they are written, P1Y and P12M too, and a day is
// not 24 hours, which it has not when clocks change (RFC 5545, section 3.3.6). Numbers without a unit, clock forms
// ("1:30"), a capital M as a word ("1M", which some read as a month), words for numbers, a decimal comma outside of ISO
// 8601, units that do not descend, more than nanoseconds and other types are compared exactly.
func readDuration(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string with a unit of time", false
	}
	s, negative := strings.CutPrefix(strings.TrimSpace(v.Text()), "-")
	if !negative {
		s = strings.TrimPrefix(s, "+")
	}
	var l length
	if len(s) > 0 && s[0]|0x20 == 'p' {
		ok = l.readISO(s[1:])
	} else {
		ok = l.readWords(s)
	}
	if !ok {
		return nil, "not a duration in a known form", false
	}
	return l.append(append(dst, "duration "...), negative), "", true
}

// length is a length of time. Each part is in billionths of its unit.
type length struct {
	years, months, days, seconds uint64
	last                         int // the unit that was read last
}

// units lists the names of the units from the longest. size is how many of the unit of the part make one, and below how
// many make a unit of the part.
var units = []struct {
	names       string
	part        func(*length) *uint64
	size, below uint64
}{
	{"y yr yrs year years", func(l *length) *uint64 { return &l.years }, 1, 1},
	{"mo mos month months", func(l *length) *uint64 { return &l.months }, 1, 1},
	{"w wk wks week weeks", (*length).day, 7, 1},
	{"d day days", (*length).day, 1, 1},
	{"h hr hrs hour hours", (*length).second, 3600, 1},
	{"m min mins minute minutes", (*length).second, 60, 1},
	{"s sec secs second seconds", (*length).second, 1, 1},
	{"ms msec msecs millisecond milliseconds", (*length).second, 1, 1e3},
	{"us µs μs microsecond microseconds", (*length).second, 1, 1e6},
	{"ns nanosecond nanoseconds", (*length).second, 1, 1e9},
}

func (l *length) day() *uint64    { return &l.days }
func (l *length) second() *uint64 { return &l.seconds }

// The units of ISO 8601, as indices of units.
var (
	isoDate = map[byte]int{'Y': 0, 'M': 1, 'W': 2, 'D': 3}
	isoTime = map[byte]int{'H': 4, 'M': 5, 'S': 6}
)

// readISO reads what is behind the P. Only the last number may have a fraction, but one before it does no harm.
func (l *length) readISO(s string) bool {
	letters, read := isoDate, false
	for s != "" {
		if s[0]|0x20 == 't' && len(letters) == len(isoDate) {
			letters, s, read = isoTime, s[1:], false
			continue
		}
		n, rest, ok := billionths(s, ".,")
		if !ok || rest == "" {
			return false
		}
		unit, known := letters[rest[0]&^0x20]
		if !known || !l.add(n, unit) {
			return false
		}
		s, read = rest[1:], true
	}
	return read
}

// readWords reads numbers with the names of units behind them.
func (l *length) readWords(s string) bool {
	for s != "" {
		n, rest, ok := billionths(s, ".")
		if !ok {
			return false
		}
		rest = strings.TrimLeft(rest, " -")
		end := strings.IndexAny(rest, "0123456789 ,")
		if end < 0 {
			end = len(rest)
		}
		name := strings.TrimSuffix(rest[:end], ".")
		unit, known := unitNamed(strings.ToLower(name))
		// To programs that read "1m" as a minute, "1M" is a month.
		if !known || name == "M" || !l.add(n, unit) {
			return false
		}
		s = strings.TrimLeft(rest[end:], " ")
		if after, comma := strings.CutPrefix(s, ","); comma {
			s = strings.TrimLeft(after, " ")
		}
		if after, and := strings.CutPrefix(s, "and "); and {
			s = strings.TrimLeft(after, " ")
		}
		if s == "" {
			return end == len(rest) // nothing is announced that does not follow
		}
	}
	return false
}

func unitNamed(name string) (unit int, ok bool) {
	for i, u := range units {
		for known := range strings.FieldsSeq(u.names) {
			if known == name {
				return i, true
			}
		}
	}
	return 0, false
}

// billionths reads the number at the start of s in billionths.
func billionths(s, points string) (n uint64, rest string, ok bool) {
	whole, rest := leadingDigits(s)
	fraction := ""
	if rest != "" && strings.IndexByte(points, rest[0]) >= 0 {
		if fraction, rest = leadingDigits(rest[1:]); fraction == "" {
			return 0, "", false
		}
	}
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" || len(fraction) > 9 {
		return 0, "", false
	}
	n, err := strconv.ParseUint(whole+(fraction + "000000000")[:9], 10, 64)
	return n, rest, err == nil
}

// add adds billionths of a unit that is shorter than the last one.
func (l *length) add(n uint64, unit int) bool {
	u := units[unit]
	if l.last > unit || n%u.below != 0 {
		return false
	}
	l.last = unit + 1
	high, low := bits.Mul64(n/u.below, u.size)
	part := u.part(l)
	sum, carry := bits.Add64(*part, low, 0)
	*part = sum
	return high == 0 && carry == 0
}

// append writes the length as ISO 8601 does, in one way only.
func (l *length) append(dst []byte, negative bool) []byte {
	if l.years|l.months|l.days|l.seconds == 0 {
		return append(dst, "PT0S"...)
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = append(dst, 'P')
	dst = appendPart(dst, l.years, 'Y')
	dst = appendPart(dst, l.months, 'M')
	dst = appendPart(dst, l.days, 'D')
	if l.seconds > 0 {
		dst = appendPart(append(dst, 'T'), l.seconds, 'S')
	}
	return dst
}

func appendPart(dst []byte, billionths uint64, unit byte) []byte {
	if billionths == 0 {
		return dst
	}
	d := newDecimal(strconv.FormatUint(billionths, 10), -9, false)
	return append(d.append(dst), unit)
}
