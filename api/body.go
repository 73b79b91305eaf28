package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/onceguard/onceguard/guard"
)

// Limits of a request's body.
const (
	MaxBody  = 1 << 20 // bytes
	MaxDepth = 128     // nested arrays and objects; the arguments of a call have a lower limit of their own
)

// maxPointer cuts the place that a problem names: the names in it are the sender's.
const maxPointer = 256

// readBody reads the JSON body that a principal sent into req, strictly: names are case-sensitive, known and unique, text is UTF-8.
func (a *API) readBody(c echo.Context, p *guard.Principal, req any) error {
	r := c.Request()
	if err := checkForm(r); err != nil {
		return err
	}
	b := getBuffer()
	defer putBuffer(b)
	_, err := b.ReadFrom(http.MaxBytesReader(c.Response(), r.Body, MaxBody))
	if err != nil {
		return unreadable(err)
	}
	if r, ok := req.(reader); ok && r.read(a.recent, p, b.Bytes()) {
		return nil
	}
	if tooDeep(b.Bytes(), MaxDepth) {
		return invalid("", fmt.Sprintf("the body is nested deeper than %d levels", MaxDepth))
	}
	if err := json.Unmarshal(b.Bytes(), req, json.RejectUnknownMembers(true)); err != nil {
		return malformed(err, b.Len())
	}
	return nil
}

func checkForm(r *http.Request) error {
	given := r.Header.Get("Content-Type")
	kind, params, err := given, map[string]string(nil), error(nil)
	if given != "application/json" { // which is what nearly all send
		kind, params, err = mime.ParseMediaType(given)
	}
	charset := params["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &refusal{status: http.StatusUnsupportedMediaType, code: "media_type", field: "Content-Type",
			detail: "send the body as application/json, in UTF-8"}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, code: "media_type", field: "Content-Encoding",
			detail: "send the body uncompressed"}
	}
	if r.ContentLength > MaxBody {
		return tooLarge()
	}
	return nil
}

func tooLarge() error {
	return &refusal{status: http.StatusRequestEntityTooLarge, code: "too_large",
		detail: fmt.Sprintf("the body is larger than %d bytes", MaxBody)}
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &refusal{status: http.StatusRequestTimeout, code: "timeout", detail: "the body did not arrive in time", err: err}
	}
	return &refusal{status: http.StatusBadRequest, code: string(guard.CodeInvalid), detail: "the body did not arrive completely", err: err}
}

// tooDeep reports whether text nests arrays and objects deeper than most. The text need not be valid JSON: what
// follows reads it again.
func tooDeep(text []byte, most int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += quotedLength(text[i:])
		case '[', '{':
			if depth++; depth > most {
				return true
			}
		case ']', '}':
			depth--
		}
	}
	return false
}

// quotedLength is how far the closing quote is from the opening one, with which text begins; the length of text where there is none.
func quotedLength(text []byte) int {
	for i := 1; ; i++ {
		next := bytes.IndexByte(text[i:], '"')
		if next < 0 {
			return len(text)
		}
		i += next
		escapes := 0
		for text[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}

// malformed says what is wrong with a body, and where, without quoting a value.
func malformed(err error, size int) error {
	if size == 0 {
		return invalid("", "the body is empty: send a JSON object")
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return invalid(pointer(e.JSONPointer), fmt.Sprintf("%s, near byte %d", syntaxFault(e.Err), e.ByteOffset))
	}
	e, ok := errors.AsType[*json.SemanticError](err)
	switch {
	case !ok:
		return invalid("", "the body is not the JSON object that this route expects")
	case errors.Is(e.Err, json.ErrUnknownName):
		return invalid(pointer(e.JSONPointer), "this route knows no such field")
	}
	return invalid(pointer(e.JSONPointer), expected(e))
}

func syntaxFault(err error) string {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "the name stands twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the JSON text ends too early"
	}
	return "this is not JSON: " + strings.ToValidUTF8(err.Error(), "\uFFFD")
}

// expected names the JSON type that belongs at the place of a semantic error.
func expected(e *json.SemanticError) string {
	if e.GoType == nil {
		return "has the wrong type"
	}
	switch kind := e.GoType.Kind().String(); {
	case kind == "string":
		return "must be a string"
	case kind == "bool":
		return "must be true or false"
	case strings.HasPrefix(kind, "int"):
		return "must be a whole number of at most 63 bits, without fraction or exponent"
	case kind == "struct" || kind == "map":
		return "must be an object"
	}
	return "has the wrong type"
}

// pointer renders a JSON pointer for a problem.
func pointer(p jsontext.Pointer) string {
	s := strings.ToValidUTF8(string(p), "\uFFFD")
	if len(s) > maxPointer {
		s = strings.ToValidUTF8(s[:maxPointer], "") + "…"
	}
	return s
}

func invalid(field, detail string) error {
	return &guard.Error{Code: guard.CodeInvalid, Field: field, Message: detail}
}
