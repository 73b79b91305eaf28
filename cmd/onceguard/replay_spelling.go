package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// The replay judges the guard, so it must not borrow the guard's own notion of equality. Two argument texts are the same here
// if they are the same JSON value: members in any order, numbers by value, strings by character, lists in order. That
// is less than policies can join, and nothing that anybody could dispute.

// sameText gives equal texts for equal JSON values. A text that is not one JSON value stands for itself.
func sameText(text string) string {
	v, ok := parseJSON(text)
	if !ok {
		return "text " + text
	}
	var b strings.Builder
	jsonStyle{number: exactNumber}.write(&b, v)
	return "json " + b.String()
}

// respell writes a JSON text in another way that has the same value. Which way depends on seed alone. It returns the text as
// it is where it is not one JSON value.
func respell(text string, seed uint64) string {
	v, ok := parseJSON(text)
	if !ok {
		return text
	}
	s := jsonStyle{descending: seed&1 != 0, number: asWritten}
	if seed&2 != 0 {
		s.number = withFraction
	}
	if seed&4 != 0 {
		s.afterComma, s.afterColon = " ", "  "
	}
	if seed&8 != 0 {
		s.escape = true
	}
	var b strings.Builder
	s.write(&b, v)
	return b.String()
}

// parseJSON reads one JSON value with its numbers as written. Texts with a member twice have no certain value, so they are
// not taken for one.
func parseJSON(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, false
	}
	_, err = d.Token()
	return v, err == io.EOF
}

const maxNesting = 200

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d", maxNesting)
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			if _, twice := object[name.(string)]; twice {
				return nil, fmt.Errorf("the member %q stands there twice", name)
			}
			if object[name.(string)], err = readValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, err
	}
	return t, nil
}

// jsonStyle is one way to write a JSON value.
type jsonStyle struct {
	descending bool // order of the members' names
	afterComma string
	afterColon string
	escape     bool // every letter of a string as \uXXXX
	number     func(string) string
}

func (s jsonStyle) write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		if s.descending {
			slices.Reverse(names)
		}
		b.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				b.WriteString("," + s.afterComma)
			}
			s.write(b, name)
			b.WriteString(":" + s.afterColon)
			s.write(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteString("," + s.afterComma)
			}
			s.write(b, element)
		}
		b.WriteByte(']')
	case json.Number:
		b.WriteString(s.number(v.String()))
	case string:
		s.writeString(b, v)
	default:
		fmt.Fprint(b, map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
}

func (s jsonStyle) writeString(b *strings.Builder, text string) {
	if s.escape {
		b.WriteByte('"')
		for _, unit := range utf16.Encode([]rune(text)) {
			fmt.Fprintf(b, `\u%04x`, unit)
		}
		b.WriteByte('"')
		return
	}
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	// A string always has a JSON form.
	_ = e.Encode(text)
	b.Write(bytes.TrimSuffix(quoted.Bytes(), []byte("\n")))
}

func asWritten(number string) string { return number }

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,300})$`)

// withFraction writes 25 as 25.0 and leaves other forms alone.
func withFraction(number string) string {
	if wholeNumber.MatchString(number) && number != "-0" {
		return number + ".0"
	}
	return number
}

// exactNumber gives equal texts for equal numbers. Exponents beyond every practical use stay as written, because their
// digits would fill the memory.
func exactNumber(number string) string {
	if i := strings.IndexAny(number, "eE"); i >= 0 && len(number)-i > 5 || len(number) > 1000 {
		return number
	}
	if r, ok := new(big.Rat).SetString(number); ok {
		return r.RatString()
	}
	return number
}

// hash64 mixes numbers into one that looks random. It is the replay's only source of chance, so that a seed gives the same losses
// and spellings whatever runs first.
func hash64(parts ...uint64) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		var b [8]byte
		for i := range b {
			b[i] = byte(p >> (8 * i))
		}
		h.Write(b[:])
	}
	// FNV leaves the high bits of short inputs close together; this is the finaliser of SplitMix64.
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chance is true with the given probability.
func chance(probability float64, parts ...uint64) bool {
	return float64(hash64(parts...)>>11)/(1<<53) < probability
}
