package fingerprint

import (
	"fmt"
	"time"
	// The zones of a rule mean the same on a machine without a zone database.
	_ "time/tzdata"
)

// compileDatetime reads a point in time. The form is an instant in UTC, a local time, or a time of day.
//
// It joins the layouts of timelayout.go, an instant in any offset with the same instant in UTC, and missing seconds
// with :00. With Zone, a time without an offset is the instant it names there (IANA time zone database); without it,
// the time stays local. With Round, what is below the unit is dropped, in UTC or in local time.
//
// A date alone is read as the midnight with which it begins: the rule says that the argument is a point in time, and that is
// how tools read it; where it means the whole day, the kind is date.
//
// It keeps apart a local time from every instant, a time of day from one with a date, and a local time that its zone has twice or
// never from any instant. Dates that can be read in two ways ("03/04/2024"), two-digit years, other zone abbreviations
// than UTC and GMT, fractions beyond nanoseconds, relative times and numbers of seconds are compared exactly.
func compileDatetime(a *declared) (reader, error) {
	zone, err := loadZone(a.Zone)
	if err != nil {
		return nil, err
	}
	round, err := parseRound(a.Round)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
		m, fault := readMoment(v)
		if fault != "" {
			since, alone := clockText(v.Text())
			if !alone {
				return nil, fault, false
			}
			m = moment{time.Time{}.Add(since), clock}
		}
		if m.granularity == day {
			m.granularity, note = local, "a date; compared as its midnight"
		}
		if m.granularity == local && zone != nil {
			if instant, unique := resolve(m.time, zone); unique {
				m.time, m.granularity = instant, inUTC
			} else {
				note = "the zone has this local time twice or never; compared as a local time"
			}
		}
		if round > 0 {
			m.time = m.time.Truncate(round)
		}
		return m.append(dst), note, true
	}, nil
}

// readDate reads a calendar day.
//
// It joins the date layouts of timelayout.go. It keeps apart a date from its midnight: a value with a time of day is
// read as a datetime. The rest is as for datetime.
func readDate(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	m, fault := readMoment(v)
	if fault != "" {
		return nil, fault, false
	}
	if m.granularity != day {
		note = "has a time of day; compared as a datetime"
	}
	return m.append(dst), note, true
}

func readMoment(v Value) (moment, string) {
	if v.Type() != String {
		return moment{}, "not a string"
	}
	return parseMoment(v.Text())
}

// moment is a time with what is known of it. The fields of time are those of the day and clock in UTC.
type moment struct {
	time        time.Time
	granularity granularity
}

type granularity uint8

const (
	day   granularity = iota // a date alone
	local                    // date and time somewhere
	inUTC                    // an instant
	clock                    // a time of day alone
)

func (m moment) append(dst []byte) []byte {
	switch m.granularity {
	case day:
		return m.time.AppendFormat(append(dst, "date "...), time.DateOnly)
	case clock:
		dst = m.time.AppendFormat(append(dst, "datetime "...), "T15:04:05.999999999")
		return append(dst, " local"...)
	case local:
		dst = m.time.AppendFormat(append(dst, "datetime "...), "2006-01-02T15:04:05.999999999")
		return append(dst, " local"...)
	default:
		return m.time.AppendFormat(append(dst, "datetime "...), time.RFC3339Nano)
	}
}

func loadZone(name string) (*time.Location, error) {
	switch name {
	case "":
		return nil, nil
	case "Local":
		return nil, fmt.Errorf("zone: \"Local\" differs from machine to machine; name a zone such as Europe/Berlin")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone: %q is not a time zone of the IANA database, such as Europe/Berlin", name)
	}
	return zone, nil
}

// parseRound reads a unit that divides the day, so that rounding does not depend on the date.
func parseRound(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || (24*time.Hour)%d != 0 {
		return 0, fmt.Errorf("round: %q is not a duration that divides a day, such as 1m, 15m or 1h", s)
	}
	return d, nil
}

// resolve finds the instant at which clocks in the zone show wall. It is not unique in the hour that is repeated when
// clocks go back, and does not exist in the one that is skipped when they go forward.
func resolve(wall time.Time, zone *time.Location) (instant time.Time, unique bool) {
	const beyondAnyChange = 26 * time.Hour
	var found []time.Time
	for _, at := range []time.Time{wall.Add(-beyondAnyChange), wall.Add(beyondAnyChange)} {
		_, offset := at.In(zone).Zone()
		candidate := wall.Add(-time.Duration(offset) * time.Second)
		_, actual := candidate.In(zone).Zone()
		if actual == offset && (len(found) == 0 || !found[0].Equal(candidate)) {
			found = append(found, candidate)
		}
	}
	if len(found) != 1 {
		return time.Time{}, false
	}
	return found[0], true
}
