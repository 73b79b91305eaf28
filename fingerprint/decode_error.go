package fingerprint

import (
	"fmt"
	"unicode/utf8"
)

// DecodeCode is a stable, machine-readable reason why a text was refused.
type DecodeCode string

// The reasons.
const (
	TooLarge      DecodeCode = "too_large"
	TooDeep       DecodeCode = "too_deep"
	TooManyValues DecodeCode = "too_many_values"
	NumberTooLong DecodeCode = "number_too_long"
	NumberRange   DecodeCode = "number_out_of_range"
	NotANumber    DecodeCode = "not_a_number" // NaN or Infinity
	DuplicateName DecodeCode = "duplicate_name"
	InvalidUTF8   DecodeCode = "invalid_utf8"
	LoneSurrogate DecodeCode = "lone_surrogate"
	TrailingData  DecodeCode = "trailing_data"
	Truncated     DecodeCode = "truncated"
	Empty         DecodeCode = "empty"
	Syntax        DecodeCode = "syntax"
)

// DecodeError says why Decode refused a text. It names members of the text but never holds a value of it.
type DecodeError struct {
	Code   DecodeCode
	Path   string // JSON pointer (RFC 6901) to the value that was being read, "" for the outermost one
	Offset int64  // byte offset in the text, at or shortly before the fault
	Detail string // what was wrong and, where it helps, what to do: a clause without a full stop
}

// maxPath bounds the length of a pointer in an error, in bytes: names come from the caller.
const maxPath = 300

func (e *DecodeError) Error() string {
	where := "at the top"
	if e.Path != "" {
		where = fmt.Sprintf("at %q", e.Path)
	}
	return fmt.Sprintf("invalid JSON %s (byte %d): %s", where, e.Offset, e.Detail)
}

func tooLarge(size, limit int) error {
	return &DecodeError{Code: TooLarge, Offset: int64(limit),
		Detail: fmt.Sprintf("the text has %d bytes, the limit is %d", size, limit)}
}

// shortPath cuts a long pointer at a rune boundary.
func shortPath(path string) string {
	if len(path) <= maxPath {
		return path
	}
	cut := maxPath
	for !utf8.RuneStart(path[cut]) {
		cut--
	}
	return path[:cut] + "…"
}
