package api

import (
	"encoding/base64"
	"encoding/json"
	"hash/maphash"
	"sync/atomic"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/onceguard/onceguard/guard"
)

// rawOrText makes JSON of what an upstream or a caller sent: its own text where that is JSON, else a string of it. The
// encoding is "" for the first, "text" for a string, "base64" for a string of bytes that are not UTF-8. The JSON has no white space
// between its tokens.
func rawOrText(b []byte) (raw json.RawMessage, encoding string) {
	if len(b) == 0 {
		return nil, ""
	}
	valid := utf8.Valid(b)
	// What is nested as deep as an encoder can go at all could not be put into an answer, which adds levels of its own.
	if valid && !tooDeep(b, 4*MaxDepth) {
		if text, err := jsontext.AppendFormat(make([]byte, 0, len(b)), b, asItCame); err == nil {
			return text, ""
		}
	}
	if valid {
		return quote(string(b)), "text"
	}
	return quote(base64.StdEncoding.EncodeToString(b)), "base64"
}

func quote(s string) json.RawMessage {
	// AppendQuote fails only for text that is not UTF-8, which the callers have ruled out.
	raw, _ := jsontext.AppendQuote(nil, s)
	return json.RawMessage(raw)
}

// shownResults remembers how results were shown last, so that one which the guard keeps in memory for replays is checked and
// formatted once. A result never changes.
type shownResults struct {
	slots [4096]atomic.Pointer[shownResult]
}

type shownResult struct {
	result   *guard.Result
	raw      json.RawMessage
	encoding string
}

// maxShown is the longest result that is remembered, in bytes: all together hold at most 16 MiB.
const maxShown = 4 << 10

var shownSeed = maphash.MakeSeed()

func (s *shownResults) of(r *guard.Result) (raw json.RawMessage, encoding string) {
	if len(r.Body) > maxShown {
		return rawOrText(r.Body)
	}
	slot := &s.slots[maphash.Comparable(shownSeed, r)%uint64(len(s.slots))]
	if known := slot.Load(); known != nil && known.result == r {
		return known.raw, known.encoding
	}
	raw, encoding = rawOrText(r.Body)
	slot.Store(&shownResult{r, raw, encoding})
	return raw, encoding
}
