package fingerprint

import (
	"strings"
	"time"
	"unicode"
)

// The layouts are a closed list, so that no text is read by guessing:
//
//	date   2024-05-19  2024/05/19  2024.05.19  20240519
//	       19/05/2024  05/19/2024  19.05.2024  19-05-2024   where only one order of day and month is possible
//	       May 19, 2024  19 May 2024  May 19th, 2024        full or three-letter English names, an optional weekday
//	time   13:00:00.5  13:00:00  13:00  130000  1:00 PM  1:00:00 p.m.  1 PM
//	zone   Z  UTC  GMT  +02:00  +0200  +02
//
// with T, white space, a comma or "at" between date and time (ISO 8601, RFC 3339, RFC 5322).
const (
	notATime      = "not a date or time in a known layout"
	ambiguousDate = "day and month can be read in two orders"
)

// parseMoment reads a text in one of the layouts; fault is why it could not.
func parseMoment(s string) (m moment, fault string) {
	const longest = 64 // bytes of the longest text that can be one
	if strings.IndexFunc(s, unicode.IsSpace) >= 0 {
		s = strings.Join(strings.Fields(s), " ")
	}
	if s == "" || len(s) > longest {
		return moment{}, notATime
	}
	if t, ok := parseTimestamp(s); ok {
		return moment{t, inUTC}, ""
	}
	return searchLayouts(s)
}

func searchLayouts(s string) (m moment, fault string) {
	date, clock, fault := parseDate(s)
	if fault != "" {
		return moment{}, fault
	}
	if clock == "" {
		return moment{date, day}, ""
	}
	clock, offset, zoned, ok := cutZone(clock)
	if !ok {
		return moment{}, notATime
	}
	since, ok := parseClock(clock)
	if !ok {
		return moment{}, notATime
	}
	if !zoned {
		return moment{date.Add(since), local}, ""
	}
	return moment{date.Add(since - offset), inUTC}, ""
}

// parseTimestamp reads the layout that programs write (RFC 3339), so that the others need not be tried for it.
func parseTimestamp(s string) (t time.Time, ok bool) {
	const shortest, longest = len("2006-01-02T15:04:05Z"), len("2006-01-02T15:04:05.999999999Z")
	if len(s) < shortest || len(s) > longest || s[10] != 'T' {
		return t, false
	}
	if end := len(s); s[end-1] != 'Z' && (s[end-5:end-3] > "23" || s[end-2] > '5') {
		return t, false // package time takes offsets of 24 hours and of 60 minutes
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil
}

// parseDate reads the date at the start of s and returns the clock text behind it.
func parseDate(s string) (date time.Time, clock, fault string) {
	if !isDigit(s[0]) || namesMonth(s) {
		return parseNamedDate(s)
	}
	text := s
	if end := strings.IndexFunc(s, func(r rune) bool { return r == 'T' || r == 't' || r == ' ' || r == ',' }); end >= 0 {
		text, clock = s[:end], strings.TrimPrefix(strings.TrimLeft(s[end+1:], " "), "at ")
		if clock == "" {
			return time.Time{}, "", notATime
		}
	}
	date, fault = parseNumericDate(text)
	return date, clock, fault
}

// namesMonth reports whether the second word of s, where it stands in a date that begins with a digit, is a month.
func namesMonth(s string) bool {
	_, after, found := strings.Cut(s[:min(len(s), len("19 September, "))], " ")
	if !found || !strings.ContainsAny(after, "aeiouAEIOU") {
		return false
	}
	word, _, _ := strings.Cut(strings.ReplaceAll(after, ",", " "), " ")
	_, ok := month(word)
	return ok
}

func isBetweenWords(r rune) bool { return r == ' ' || r == ',' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func parseNumericDate(text string) (time.Time, string) {
	if len(text) == len(time.DateOnly) && text[4] == '-' && text[7] == '-' {
		return date(text[:4], text[5:7], text[8:])
	}
	if len(text) == 8 && strings.Trim(text, "0123456789") == "" {
		return date(text[:4], text[4:6], text[6:])
	}
	separator := strings.IndexAny(text, "-/.")
	if separator < 0 {
		return time.Time{}, notATime
	}
	parts := strings.Split(text, text[separator:separator+1])
	if len(parts) != 3 {
		return time.Time{}, notATime
	}
	if len(parts[0]) == 4 {
		return date(parts[0], parts[1], parts[2])
	}
	dayFirst, fault1 := date(parts[2], parts[1], parts[0])
	monthFirst, fault2 := date(parts[2], parts[0], parts[1])
	switch {
	case fault1 != "":
		return monthFirst, fault2
	case fault2 != "" || dayFirst.Equal(monthFirst):
		return dayFirst, ""
	default:
		return time.Time{}, ambiguousDate
	}
}

// date makes a day of its numbers; the year must have four digits.
func date(year, month, dayOfMonth string) (time.Time, string) {
	y, okY := number(year, 4, 4)
	m, okM := number(month, 1, 2)
	d, okD := number(dayOfMonth, 1, 2)
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if !okY || !okM || !okD || int(t.Month()) != m || t.Day() != d {
		return time.Time{}, notATime
	}
	return t, ""
}

// number reads between least and most decimal digits.
func number(s string, least, most int) (n int, ok bool) {
	if len(s) < least || len(s) > most {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

// parseNamedDate reads a date with an English month.
func parseNamedDate(s string) (t time.Time, clock, fault string) {
	words := strings.FieldsFunc(s, isBetweenWords)
	weekday := ""
	if len(words) > 0 && isWeekday(words[0]) {
		weekday, words = words[0], words[1:]
	}
	if len(words) < 3 {
		return t, "", notATime
	}
	dayWord, monthWord := words[0], words[1]
	if _, first := month(dayWord); first {
		dayWord, monthWord = monthWord, dayWord
	}
	m, ok := month(monthWord)
	d, okD := number(withoutOrdinal(dayWord), 1, 2)
	y, okY := number(words[2], 4, 4)
	t = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if !ok || !okD || !okY || t.Day() != d || weekday != "" && !sameName(weekday, t.Weekday().String()) {
		return time.Time{}, "", notATime
	}
	rest := words[3:]
	if len(rest) > 1 && strings.EqualFold(rest[0], "at") {
		rest = rest[1:]
	}
	return t, strings.Join(rest, " "), ""
}

// withoutOrdinal cuts the ending of 1st, 2nd, 3rd or 19th off.
func withoutOrdinal(day string) string {
	digits, ending := leadingDigits(day)
	switch strings.ToLower(ending) {
	case "st", "nd", "rd", "th":
		return digits
	}
	return day
}

func month(word string) (time.Month, bool) {
	word = strings.TrimSuffix(word, ".")
	if strings.EqualFold(word, "Sept") {
		return time.September, true
	}
	for m := time.January; m <= time.December; m++ {
		if sameName(word, m.String()) {
			return m, true
		}
	}
	return 0, false
}

func isWeekday(word string) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if sameName(word, d.String()) {
			return true
		}
	}
	return false
}

// sameName compares with the full or the three-letter name.
func sameName(word, name string) bool {
	return strings.EqualFold(word, name) || strings.EqualFold(word, name[:3])
}

// cutZone takes the zone from the end of a clock text.
func cutZone(s string) (clock string, offset time.Duration, zoned, ok bool) {
	upper := strings.ToUpper(s)
	for _, name := range []string{"UTC", "GMT", "Z"} {
		if strings.HasSuffix(upper, name) {
			return strings.TrimSpace(s[:len(s)-len(name)]), 0, true, true
		}
	}
	sign := strings.LastIndexAny(s, "+-")
	if sign < 0 {
		return s, 0, false, true
	}
	digits := s[sign+1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	hours, okH := number(digits[:min(2, len(digits))], 2, 2)
	minutes, okM := 0, true
	if len(digits) > 2 {
		minutes, okM = number(digits[2:], 2, 2)
	}
	if !okH || !okM || hours > 23 || minutes > 59 {
		return "", 0, false, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[sign] == '-' {
		offset = -offset
	}
	return strings.TrimSpace(s[:sign]), offset, true, true
}

var clockLayouts = []string{"15:04:05", "15:04", "150405", "3:04 PM", "3:04PM", "3:04:05 PM", "3:04:05PM", "3 PM", "3PM"}

var dottedHalves = strings.NewReplacer("A.M.", "AM", "P.M.", "PM")

// clockText reads a time of day that stands alone. One of digits only could be anything.
func clockText(s string) (time.Duration, bool) {
	s = strings.Join(strings.Fields(s), " ")
	const longest = len("11:00:00.000000000 p.m.")
	if s == "" || len(s) > longest || !isDigit(s[0]) || !strings.ContainsAny(s, ":mM") {
		return 0, false
	}
	return parseClock(s)
}

// parseClock returns the time since midnight.
func parseClock(s string) (time.Duration, bool) {
	s = dottedHalves.Replace(strings.ToUpper(s))
	if fraction := strings.LastIndexAny(s, ".,"); fraction >= 0 {
		// The parser of package time cuts a longer fraction off.
		if digits, _ := leadingDigits(s[fraction+1:]); len(digits) > 9 {
			return 0, false
		}
	}
	if strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return 0, false
	}
	for _, layout := range clockLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			hours, minutes, seconds := t.Clock()
			return time.Duration((hours*60+minutes)*60+seconds)*time.Second + time.Duration(t.Nanosecond()), true
		}
	}
	return 0, false
}
