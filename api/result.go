package api

import (
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// rawOrText makes JSON of what an upstream or a caller sent: its own text where that is JSON, else a string of it. The
// encoding is "" for the first, "text" for a string, "base64" for a string of bytes that are not UTF-8.
func rawOrText(b []byte) (raw json.RawMessage, encoding string) {
	switch {
	case len(b) == 0:
		return nil, ""
	// What is nested as deep as an encoder can go at all could not be put into an answer, which adds levels of its own.
	case !tooDeep(b, 4*MaxDepth) && utf8.Valid(b) && jsontext.Value(b).IsValid(asItCame):
		return b, ""
	case utf8.Valid(b):
		return quote(string(b)), "text"
	}
	return quote(base64.StdEncoding.EncodeToString(b)), "base64"
}

func quote(s string) json.RawMessage {
	// AppendQuote fails only for text that is not UTF-8, which the callers have ruled out.
	raw, _ := jsontext.AppendQuote(nil, s)
	return json.RawMessage(raw)
}
