package fingerprint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// diagnosis reads a text that builder refused, to say why.
type diagnosis struct {
	limits Limits
	text   []byte
	dec    *jsontext.Decoder
	values int
}

func newDiagnosis(text []byte, l Limits) *diagnosis {
	// A buffer is read in place, any other reader would be copied.
	return &diagnosis{limits: l, text: text, dec: jsontext.NewDecoder(bytes.NewBuffer(text))}
}

// diagnose says what is wrong with a text that builder refused.
func diagnose(text []byte, l Limits) error {
	d := newDiagnosis(text, l)
	if err := d.read(); err != nil {
		return err
	}
	// The two readers disagree, which is a defect of this package; the text stays refused.
	return d.fail(Syntax, "the text cannot be read as JSON")
}

// read returns the first fault in the text, nil when there is none.
func (d *diagnosis) read() error {
	for first := true; first || d.dec.StackDepth() > 0; first = false {
		if err := d.next(); err != nil {
			return err
		}
	}
	if _, err := d.dec.ReadToken(); err != io.EOF {
		return d.fail(TrailingData, "there is more text after the end of the JSON value")
	}
	return nil
}

// next reads one member name, one scalar, or the start or end of a container.
func (d *diagnosis) next() error {
	switch kind := d.dec.PeekKind(); kind {
	case '}', ']':
		if _, err := d.dec.ReadToken(); err != nil {
			return d.syntax(err)
		}
		return nil
	case '{', '[':
		if _, err := d.dec.ReadToken(); err != nil {
			return d.syntax(err)
		}
		if d.dec.StackDepth() > d.limits.Depth {
			return d.fail(TooDeep, "more than %d arrays and objects are nested in each other", d.limits.Depth)
		}
	default:
		raw, err := d.dec.ReadValue()
		if err != nil {
			return d.syntax(err)
		}
		if kind == '0' {
			if err := d.number(string(raw)); err != nil {
				return err
			}
		}
		if container, read := d.dec.StackIndex(d.dec.StackDepth()); container == '{' && read%2 == 1 {
			return nil // a name
		}
	}
	if d.values++; d.values > d.limits.Members {
		return d.fail(TooManyValues, "there are more than %d values", d.limits.Members)
	}
	return nil
}

// number holds one number against the limits. jsontext has checked its grammar.
func (d *diagnosis) number(raw string) error {
	digits := 0
	for i := range len(raw) {
		if isDigit(raw[i]) {
			digits++
		}
	}
	if digits > d.limits.Digits {
		return d.fail(NumberTooLong, "a number has more than %d digits", d.limits.Digits)
	}
	if _, ok := scanDecimal(raw); !ok {
		return d.fail(NumberRange, "the exponent of a number is not within ±%d", maxExponent)
	}
	return nil
}

// fail makes an error about the value that the decoder stands at.
func (d *diagnosis) fail(code DecodeCode, format string, args ...any) error {
	return &DecodeError{Code: code, Path: shortPath(string(d.dec.StackPointer())),
		Offset: d.dec.InputOffset(), Detail: fmt.Sprintf(format, args...)}
}

// syntax translates an error of the tokenizer. Its own message may quote the text, so none of it is passed on.
func (d *diagnosis) syntax(err error) error {
	e := &DecodeError{Path: string(d.dec.StackPointer()), Offset: d.dec.InputOffset()}
	if se := (*jsontext.SyntacticError)(nil); errors.As(err, &se) {
		e.Path, e.Offset = string(se.JSONPointer), se.ByteOffset
	}
	e.Path = shortPath(e.Path)
	e.Code, e.Detail = d.classify(err, e.Offset)
	return e
}

func (d *diagnosis) classify(err error, offset int64) (DecodeCode, string) {
	rest := d.text[min(max(offset, 0), int64(len(d.text))):]
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return DuplicateName, "an object has this member name twice; readers disagree on which one counts"
	case len(bytes.TrimSpace(d.text)) == 0:
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
