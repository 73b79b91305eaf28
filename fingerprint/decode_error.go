package fingerprint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
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

// fail makes an error about the value that the decoder stands at.
func (b *builder) fail(code DecodeCode, format string, args ...any) error {
	return &DecodeError{Code: code, Path: shortPath(string(b.dec.StackPointer())),
		Offset: b.dec.InputOffset(), Detail: fmt.Sprintf(format, args...)}
}

// syntax translates an error of the tokenizer. Its own message may quote the text, so none of it is passed on.
func (b *builder) syntax(err error) error {
	e := &DecodeError{Path: string(b.dec.StackPointer()), Offset: b.dec.InputOffset()}
	if se := (*jsontext.SyntacticError)(nil); errors.As(err, &se) {
		e.Path, e.Offset = string(se.JSONPointer), se.ByteOffset
	}
	e.Path = shortPath(e.Path)
	e.Code, e.Detail = b.classify(err, e.Offset)
	return e
}

func (b *builder) classify(err error, offset int64) (DecodeCode, string) {
	rest := b.text[min(max(offset, 0), int64(len(b.text))):]
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return DuplicateName, "an object has this member name twice; readers disagree on which one counts"
	case len(bytes.TrimSpace(b.text)) == 0:
		return Empty, "the text is empty; an empty list of arguments is {}"
	case invalidUTF8At(rest):
		return InvalidUTF8, "the text is not valid UTF-8"
	case surrogateAt(rest):
		return LoneSurrogate, `a \u escape is one half of a surrogate pair without the other`
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Truncated, "the text ends before the JSON value does"
	case notANumberAt(rest):
		return NotANumber, "NaN and Infinity are not JSON values"
	case errors.Is(err, jsontext.ErrNonStringName):
		return Syntax, "the member name of an object must be a string"
	default:
		return Syntax, "this byte cannot stand here in JSON"
	}
}

func invalidUTF8At(rest []byte) bool {
	r, size := utf8.DecodeRune(rest)
	return r == utf8.RuneError && size == 1
}

// surrogateAt reports whether rest starts with the escape of a surrogate, \ud800 to \udfff.
func surrogateAt(rest []byte) bool {
	return len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' && rest[2]|0x20 == 'd' &&
		(rest[3] == '8' || rest[3] == '9' || rest[3]|0x20 >= 'a' && rest[3]|0x20 <= 'f')
}

func notANumberAt(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n,:-")
	return bytes.HasPrefix(rest, []byte("NaN")) || bytes.HasPrefix(rest, []byte("nan")) || bytes.HasPrefix(rest, []byte("Inf"))
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
